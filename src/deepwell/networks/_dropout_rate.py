"""A dropout rate as the whole number that every program compares with."""

from __future__ import annotations


def drop_threshold(rate: float) -> int:
    """Return the 32-bit number below which a unit's word means "dropped".

    An integer comparison gives the same mask in every program and on every device.

    >>> drop_threshold(0.5) == 2**31
    True
    """
    return min(round(rate * 2.0**32), 2**32 - 1)
