"""Splits in the order of time: train first, then dev, then test."""

from __future__ import annotations

import numpy as np

from deepwell._base._errors import UsageError

from ._names import count_of
from ._split import DEV, TEST, TRAIN, Split, SplitInput


def time_split(given: SplitInput) -> Split:
    """Return parts in which every dev row is later than every train row, and test than dev.

    Rows of the same time stay together, so that sizes are the nearest possible to the wanted.

    Raises:
        UsageError: when there is no time column, or fewer different times than parts.
    """
    if given.times is None:
        raise UsageError("a split by time needs the time column; give --time COLUMN")
    moments, moment, counts = np.unique(given.times, return_inverse=True, return_counts=True)
    wanted = (given.sizes.train, given.sizes.dev, given.sizes.test)
    needed = sum(size > 0 for size in wanted)
    if len(moments) < needed:
        raise UsageError(
            f"a split by time needs at least {needed} different times, got {len(moments)}; choose "
            "another split or another column"
        )
    ends = np.cumsum(counts)
    has_dev, has_test = wanted[DEV] > 0, wanted[TEST] > 0
    last = len(moments)
    test_start = _nearest(ends, len(moment) - wanted[TEST], 1 + has_dev, last - 1, has_test)
    dev_start = _nearest(ends, wanted[TRAIN], 1, test_start - 1, has_dev)
    part_of_moment = np.full(last, TRAIN, np.int8)
    part_of_moment[dev_start:] = DEV
    part_of_moment[test_start:] = TEST
    parts = part_of_moment[moment]
    return Split(parts, _crossing(parts, given.units))


def _nearest(ends: np.ndarray, rows: int, low: int, high: int, wanted: bool) -> int:
    """Return how many moments lie before a cut that leaves about `rows` rows before it."""
    if not wanted:
        return high + 1
    choices = np.arange(low, high + 1)
    return int(choices[np.argmin(np.abs(ends[choices - 1] - rows))])


def _crossing(parts: np.ndarray, units: np.ndarray) -> tuple[str, ...]:
    """Note the rows whose content comes again in another part."""
    pairs = np.unique(np.stack([units, parts.astype(units.dtype)]), axis=1)
    repeated, times = np.unique(pairs[0], return_counts=True)
    rows = int(np.isin(units, repeated[times > 1]).sum())
    if not rows:
        return ()
    return (
        f"{count_of(rows, 'row')} with equal content at times in different parts: the order of "
        "time was kept",
    )
