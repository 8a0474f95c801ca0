"""How a check of the training is told: what was measured, against what, and what would test it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from deepwell.records import Finding


@dataclass(frozen=True)
class Check:
    """The evidence of one check.

    Attributes:
        measured: the figure that was compared.
        threshold: with what.
        threshold_source: where the threshold comes from, in words.
        change: the one change that would test the finding, in words.
        values: the same as hyperparameters, empty where it is none.
        p_value: of the measured figure where nothing is wrong, where there is such a test.
        more: further measured values.
    """

    measured: float | None
    threshold: float | None
    threshold_source: str
    change: str = ""
    values: Mapping[str, object] = field(default_factory=dict[str, object])
    p_value: float | None = None
    more: Mapping[str, object] = field(default_factory=dict[str, object])


def check_finding(code: str, level: str, claim: str, detail: str, check: Check) -> Finding:
    """Return the finding of a check, its evidence under the names that all checks use."""
    evidence: dict[str, object] = {
        "measured": check.measured,
        "threshold": check.threshold,
        "threshold_source": check.threshold_source,
        "change": check.change,
        **({"values": dict(check.values)} if check.values else {}),
        **({} if check.p_value is None else {"p_value": check.p_value}),
        **check.more,
    }
    return Finding(code, level, claim, detail, evidence)
