"""How many rows train, dev and test get (D1)."""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell._base._errors import UsageError

HELD_SHARE = 0.2
HELD_CAP = 10_000  # an error rate near 10 % is then known to 0.6 points, whatever the data's size
HELD_LEAST = 0.0025
NO_TEST_DEV_SHARE = 0.3


@dataclass(frozen=True)
class Sizes:
    """Rows of each part."""

    train: int
    dev: int
    test: int


def split_sizes(rows: int, dev: float | None = None, test: float | None = None) -> Sizes:
    """Return the rows of each part.

        n_dev = n_test = max(min(0.2 m, 10,000), 0.0025 m)

    and 70 / 30 when no test set is wanted. Explicit sizes always win.

    >>> split_sizes(10_000)
    Sizes(train=6000, dev=2000, test=2000)
    >>> split_sizes(1_000_000)
    Sizes(train=980000, dev=10000, test=10000)
    >>> split_sizes(5_000_000)
    Sizes(train=4975000, dev=12500, test=12500)
    >>> split_sizes(1_000, test=0)
    Sizes(train=700, dev=300, test=0)

    Args:
        rows: m, all rows to be split.
        dev: rows wanted (1 or more), a share (between 0 and 1), 0 for none, None for the rule.
        test: the same for test.

    Raises:
        UsageError: when a size is out of range or no train row would be left.
    """
    held = held_rows(rows)
    n_test = held if test is None else explicit_rows("test", test, rows)
    if dev is not None:
        n_dev = explicit_rows("dev", dev, rows)
    else:
        n_dev = held if n_test else _rounded(NO_TEST_DEV_SHARE * rows)
    if n_dev + n_test >= rows:
        raise UsageError(
            f"dev ({n_dev:,}) and test ({n_test:,}) would leave none of {rows:,} rows to train "
            "on; ask for fewer"
        )
    return Sizes(rows - n_dev - n_test, n_dev, n_test)


def held_rows(rows: int) -> int:
    """Return the rule's rows for dev, and again for test; at least 1."""
    return max(1, _rounded(max(min(HELD_SHARE * rows, HELD_CAP), HELD_LEAST * rows)))


def explicit_rows(part: str, size: float, rows: int) -> int:
    """Return the rows that a size means: a number of rows, or a share of `rows`, at least 1.

    Raises:
        UsageError: when it is neither.
    """
    if not math.isfinite(size) or size < 0 or (size >= 1 and size != int(size)):
        others = "" if part == "train_dev" else ", or a file"
        raise UsageError(
            f"`{part}` must be a number of rows, a share between 0 and 1{others}, got {size:g}"
        )
    if 0 < size < 1:
        return max(1, _rounded(size * rows))
    return int(size)


def _rounded(value: float) -> int:
    return math.floor(value + 0.5)
