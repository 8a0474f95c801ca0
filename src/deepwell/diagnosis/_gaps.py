"""A gap between two scores: high, not high, or not to be told from so few rows."""

from __future__ import annotations

import math

from deepwell.records import Estimate

HIGH, NOT_HIGH, UNSURE, UNKNOWN = "high", "no", "unsure", "unknown"
"""What a gap can be; unknown where no number of rows would tell."""

_MOST_ROWS = 100_000_000  # beyond this no advice to gather rows is serious


def gap_state(gap: Estimate, material: float) -> str:
    """Return whether a gap is high: its lower end above the material size, or its upper below.

    >>> gap_state(Estimate(0.10, 0.08, 0.12), 0.05), gap_state(Estimate(0.05, 0.0, 0.1), 0.05)
    ('high', 'unsure')
    """
    if gap.low > material:
        return HIGH
    return NOT_HIGH if gap.high <= material else UNSURE


def rows_that_tell(
    worse: Estimate, better: Estimate, rows: int, material: float, gap: float | None = None
) -> int | None:
    """Return how many rows of the worse score clear the material size, or None for no number.

    The part of the gap's interval that comes from those rows shrinks with the square root of
    their number, the other part stays: side^2 rows / n + other^2 <= distance^2.

    Args:
        worse: the score whose rows are to be more.
        better: the other score.
        rows: behind the worse score.
        material: the size that counts.
        gap: worse less better; of the two values when not given.
    """
    value = worse.value - better.value if gap is None else gap
    if value <= material:
        side, other = worse.high - worse.value, better.value - better.low
    else:
        side, other = worse.value - worse.low, better.high - better.value
    room = (value - material) ** 2 - other**2
    if not room > 0:
        return None
    needed = rows * side**2 / room
    if not needed <= _MOST_ROWS:
        return None
    needed = max(needed, rows + 1.0)
    step = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    return math.ceil(needed / step) * step


def would_tell(needed: int | None, rows: int, which: str) -> str:
    """Return the sentence that says how many rows would tell.

    >>> would_tell(1500, 200, "dev")
    '200 dev rows, about 1,500 would tell'
    """
    if needed is None:
        return f"too near the size that counts for any number of {which} rows to tell"
    return f"{rows:,} {which} rows, about {needed:,} would tell"
