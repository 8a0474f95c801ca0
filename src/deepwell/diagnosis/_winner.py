"""Which arm of an experiment wins, and how much it gains when the same rows do not tell both."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell.records import Estimate

from ._arm_effects import ArmEffect

_LEVEL = 0.975


def winner(effects: Sequence[ArmEffect]) -> int | None:
    """Return the place of the arm with the largest gain whose whole interval is a gain, or None.

    Args:
        effects: of the arms that went to the end.
    """
    helping = [p for p, one in enumerate(effects) if one.effect.high < 0]
    return min(helping, key=lambda p: effects[p].effect.value) if helping else None


def crossfitted_gain(effects: Sequence[ArmEffect]) -> Estimate | None:
    """Return what choosing the best arm gains, chosen on one block of rows, measured on the other.

    The arm that looks best on some rows looks better there than it is. So the best arm of each
    block is measured on the other block, by networks of other seeds. The mean of both, by their
    rows, is a fair figure for the choice, which may be another one for each block (cross-fitting;
    Chernozhukov et al. 2018, Econometrics Journal 21).

    Args:
        effects: of the arms that went to the end.

    Returns:
        The gain, above 0 where it helps, with a 95 % interval; None without two blocks.
    """
    blocks = sorted({block for one in effects for block in one.blocks})
    if len(blocks) != 2 or any(len(one.blocks) != 2 for one in effects):
        return None
    value, variance, squares = 0.0, 0.0, 0.0
    for here, there in (blocks, blocks[::-1]):
        chosen = min(effects, key=lambda one: one.blocks[here].value)
        measured = chosen.blocks[there]
        value -= measured.share * measured.value
        variance += measured.share**2 * measured.variance
        squares += (measured.share**2 * measured.variance) ** 2 / measured.freedom
    freedom = variance**2 / squares if squares > 0 else math.inf
    half = _quantile(freedom) * math.sqrt(variance)
    return Estimate(value, value - half, value + half)


def largest_gain(effects: Sequence[ArmEffect]) -> float:
    """Return the largest gain that no interval excludes, at least 0."""
    return max([0.0, *(-one.effect.low for one in effects)])


def _quantile(freedom: float) -> float:
    """Return the upper quantile of Student's t."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    return float(stdtrit(min(freedom, 1e6), _LEVEL))
