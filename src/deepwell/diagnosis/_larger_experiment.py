"""How large an experiment with remedies must be to see a gain that counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval

REPLICATES = IntegerInterval(4, 256)  # two for each half of the dev rows tell a spread
DEFAULT_REPLICATES = 8
_MOST_ROWS = 100_000_000  # beyond this no advice to gather rows is serious
_ROUNDING = 1e-9  # 12,000.000000000002 are no more than 12,000


@dataclass(frozen=True)
class Larger:
    """An experiment that would tell.

    Attributes:
        rows: dev rows that it takes, None for those there are.
        replicates: that it takes, None for those there are.
        alone: whether either is enough by itself; else it takes both together.
    """

    rows: int | None = None
    replicates: int | None = None
    alone: bool = True

    def words(self, rows: int) -> str:
        """Return what would tell, or nothing where it is not known.

        >>> Larger(5_000, 24).words(3_000)
        '--replicates 24, or about 5,000 dev rows (there are 3,000), would tell'

        Args:
            rows: dev rows there are.
        """
        told = [f"--replicates {self.replicates}"] if self.replicates is not None else []
        if self.rows is not None:
            told.append(f"about {self.rows:,} dev rows (there are {rows:,})")
        if len(told) == 2:
            joined = f"{told[0]}, or {told[1]}," if self.alone else " and ".join(told)
        else:
            joined = "".join(told)
        return f"{joined} would tell" if joined else ""


def larger_experiment(
    half: float, by_rows: float, worth: float, rows: int, replicates: int
) -> Larger:
    """Return an experiment in which an arm that does nothing would be seen to.

    The part of an interval that comes from the dev rows shrinks with the square root of their
    number, the other part with that of the replicates:

        half^2 (by_rows rows / n + (1 - by_rows) replicates / r) <= worth^2

    Args:
        half: half width of an arm's interval.
        by_rows: share of its square that comes from the dev rows.
        worth: the gain that counts.
        rows: dev rows there are.
        replicates: that the arm had.
    """
    if not 0 < worth < half < math.inf:
        return Larger()
    of_rows, of_seeds = by_rows * half**2, (1 - by_rows) * half**2
    more_rows = _rows(rows * _share(of_rows, worth**2 - of_seeds))
    more_replicates = _replicates(replicates * _share(of_seeds, worth**2 - of_rows))
    if more_rows is not None or more_replicates is not None:
        return Larger(more_rows, more_replicates)
    more_rows = _rows(rows * _share(of_rows, worth**2 / 2))
    more_replicates = _replicates(replicates * _share(of_seeds, worth**2 / 2))
    if more_rows is None or more_replicates is None:
        return Larger()
    return Larger(more_rows, more_replicates, alone=False)


def _share(part: float, room: float) -> float:
    return part / room if room > 0 else math.inf


def _rows(needed: float) -> int | None:
    """Return a round number of rows, at least so many."""
    if not needed <= _MOST_ROWS:
        return None
    step = 10 ** max(0, math.floor(math.log10(max(1.0, needed))) - 1)
    return math.ceil(needed / step - _ROUNDING) * step


def _replicates(needed: float) -> int | None:
    """Return an even number of replicates, at least so many: as many for each half of the rows."""
    return 2 * math.ceil(needed / 2 - _ROUNDING) if needed <= REPLICATES.high else None
