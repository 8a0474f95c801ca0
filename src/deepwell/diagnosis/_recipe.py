"""The recipe (G3): which remedies to try, in which order, for which kind of error.

High bias first: less that regularizes, a bigger network, longer training, a better optimization,
another architecture; more data does not help. Then high variance: more data, regularization,
augmentation, another architecture. Then again (Ng 2018, Machine Learning Yearning, chapters 20 to
27).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell.records import Finding

from ._codes import CODES
from ._remedies import REMEDIES

_BIAS = ("bias", "optimization", "architecture", "variance")
_VARIANCE = ("variance", "architecture", "optimization", "bias")
_NEITHER = ("optimization", "variance", "bias", "architecture")


@dataclass(frozen=True)
class Verdict:
    """Which of the two errors is high, as far as it is known."""

    bias: bool
    variance: bool

    @property
    def high(self) -> tuple[str, ...]:
        """The errors that are high: `bias`, `variance`."""
        return tuple(n for n in ("bias", "variance") if getattr(self, n))

    def words(self) -> str:
        """Return the verdict in a few words."""
        if self.bias and self.variance:
            return "high bias and high variance"
        if self.bias:
            return "high bias"
        return "high variance" if self.variance else "neither error is clearly high"


def verdict_of(findings: Sequence[Finding]) -> Verdict:
    """Return what the findings of a study say: DW102 is high bias, DW101 high variance."""
    high = {finding.code for finding in findings if finding.level == "problem"}
    return Verdict("DW102" in high, "DW101" in high)


def verdict_from_scores(
    train: float, dev: float, best_possible: float | None, material: float
) -> Verdict:
    """Return the same from mean scores; good enough for an order, not for a claim.

    Args:
        train: mean train score of some networks, lower is better.
        dev: their mean dev score.
        best_possible: the score that bias is counted from; None where it is not known, so that
            bias is not either. A network that is below it on train rows has learned noise, and
            variance is then counted from it.
        material: the gap that counts.
    """
    if best_possible is None:
        return Verdict(bias=False, variance=dev - train > material)
    return Verdict(train - best_possible > material, dev - max(train, best_possible) > material)


def recipe(verdict: Verdict) -> tuple[str, ...]:
    """Return the names of all remedies in the order of the recipe.

    >>> recipe(Verdict(bias=True, variance=False))[:3]
    ('no-regularization', 'bigger', 'longer')
    >>> recipe(Verdict(bias=False, variance=True))[:3]
    ('more-dropout', 'more-l2', 'augment')
    """
    kinds = _BIAS if verdict.bias else _VARIANCE if verdict.variance else _NEITHER
    return tuple(r.name for kind in kinds for r in REMEDIES.values() if r.kind == kind)


def _of_kinds(*kinds: str) -> tuple[str, ...]:
    return tuple(r.name for kind in kinds for r in REMEDIES.values() if r.kind == kind)


_LESS_VARIANCE = _of_kinds("variance", "architecture")
_LESS_BIAS = _of_kinds("bias", "optimization", "architecture")
_SIGNALS = ("batch-norm", "other-activation", "residual", "shallower")

BY_CODE: Mapping[str, tuple[str, ...]] = {
    "DW101": _LESS_VARIANCE,
    "DW102": _LESS_BIAS,
    "DW105": _of_kinds(*_NEITHER),
    "DW109": _of_kinds(*_NEITHER),
    "DW110": _LESS_VARIANCE,
    "DW111": _LESS_BIAS,
    "DW112": _LESS_BIAS,
    "DW401": ("other-start", *_SIGNALS),
    "DW402": ("other-start", *_SIGNALS, "lower-rate", "much-lower-rate"),
    "DW403": ("lower-rate", "much-lower-rate", "other-start", *_SIGNALS),
    "DW404": ("lower-rate", "much-lower-rate", "other-start", *_SIGNALS),
    "DW405": ("lower-rate", "much-lower-rate", "schedule"),
    "DW406": ("higher-rate", "much-higher-rate", "longer", "other-optimizer"),
    "DW407": ("batch-norm",),
    "DW409": (*_of_kinds("optimization"), *_SIGNALS),
    "DW410": (*_of_kinds("optimization"), *_SIGNALS),
    "DW411": ("batch-norm",),
    "DW412": ("longer", "stop-later", "higher-rate", "schedule"),
    "DW413": ("lower-rate", *_LESS_VARIANCE),
    "DW414": ("lower-rate", *_LESS_VARIANCE),
    "DW415": ("lower-rate", "much-lower-rate", "schedule", "batch-norm"),
    "DW416": _of_kinds("optimization"),
}
"""Code of a finding -> the remedies for it."""


def remedies_for(code: str) -> tuple[str, ...]:
    """Return the names of the remedies for a finding.

    Raises:
        UsageError: when there is no such code, or no remedy for it.
    """
    if code not in CODES:
        hint = did_you_mean(code, BY_CODE)
        raise UsageError(
            f'unknown code "{safe_text(code)}"{hint or ";"} those with remedies: '
            f"{', '.join(BY_CODE)}"
        )
    if code not in BY_CODE:
        raise UsageError(
            f"there is no remedy to try for {code} ({CODES[code]}); leave out the code for the "
            f"whole recipe, or take one of {', '.join(BY_CODE)}"
        )
    return BY_CODE[code]
