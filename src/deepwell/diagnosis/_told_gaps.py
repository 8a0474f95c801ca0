"""What a fit told of its gaps: the size that counts, and what is known of the best possible score.

Whoever judges a gap of the same study later does it by the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from deepwell.records import Finding

_CODES = (
    *("DW100", "DW101", "DW102", "DW103", "DW104", "DW106", "DW107", "DW108"),
    *("DW110", "DW111", "DW112", "DW113"),
)


@dataclass(frozen=True)
class ToldGaps:
    """The figures that the gaps of a study were told by.

    Attributes:
        material: the gap that counts.
        score: the best possible score, given or people's; None where it is not known.
        floor: a score below which nothing gets; None where there is none.
        refuted: whether the floor lies clearly above 0, so that 0 cannot be reached.
        no_signal: whether no model was clearly better than the constant guess.
    """

    material: float
    score: float | None = None
    floor: float | None = None
    refuted: bool = False
    no_signal: bool = False

    @property
    def least(self) -> float | None:
        """The best possible score, or the floor; None where nothing is known from below."""
        return self.floor if self.score is None else self.score

    def counted_from(self, *, bounded: bool) -> float | None:
        """Return the best possible score that bias is counted from; None where that is open.

        Where nothing is known, metrics in [0, 1] take 0; a log loss or an RMSE of 0 is out of
        reach on nearly all data.

        Args:
            bounded: whether the metric lies in [0, 1].
        """
        if self.score is not None:
            return self.score
        return 0.0 if bounded and not self.refuted else None


def told_gaps(findings: Iterable[Finding]) -> ToldGaps | None:
    """Return what the findings of a fit say; None where they tell no gap.

    Args:
        findings: of a study.
    """
    for finding in findings:
        best, material = finding.evidence.get("best"), finding.evidence.get("material")
        if finding.code not in _CODES or not isinstance(best, Mapping):
            continue
        if isinstance(material, int | float):
            known = cast(Mapping[str, Any], best)
            score, floor = known.get("score"), known.get("floor")
            return ToldGaps(
                float(material),
                None if score is None else float(score["value"]),
                None if floor is None else float(floor["value"]),
                floor is not None and float(floor["low"]) > 0,
                bool(known.get("no_signal", False)),
            )
    return None
