"""Ranges made wider or narrower, on their own scale."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from deepwell._base._errors import UsageError

from .spaces._distribution import Distribution
from .spaces._integer import Integer
from .spaces._log import Log
from .spaces._one_minus_log import OneMinusLog
from .spaces._uniform import Uniform

Ranged = Integer | Log | OneMinusLog | Uniform
"""Distributions between two ends."""

_DIGITS = 2  # of new ends: a range needs no more
_FURTHER = 0.5  # of the range's length, on its scale


@dataclass(frozen=True)
class Limits:
    """The values that a hyperparameter may have at all.

    Attributes:
        low, high: the ends.
        low_open, high_open: whether an end itself is not allowed.
    """

    low: float = -math.inf
    high: float = math.inf
    low_open: bool = False
    high_open: bool = False


def widened(range_: Distribution, upward: bool, limits: Limits) -> Distribution | None:
    """Return a range that goes half its length further at one end, on its own scale.

    >>> from deepwell.search import log
    >>> widened(log(1e-4, 1e-2), True, Limits(0)).describe()
    'log(0.0001, 0.1)'

    Args:
        range_: to widen; choices and single values are none.
        upward: at the upper end, or at the lower one.
        limits: that the new end must not pass.

    Returns:
        The range, or None where the end may not be passed.
    """
    if isinstance(range_, Integer):
        step = max(1, round(_FURTHER * range_.count()))
        end = min(range_.high + step, limits.high) if upward else max(range_.low - step, limits.low)
        low, high = (range_.low, int(end)) if upward else (int(end), range_.high)
        return None if (low, high) == (range_.low, range_.high) else Integer(low, high)
    if not isinstance(range_, Log | OneMinusLog | Uniform):
        return None
    end = _within(_beyond(range_, upward), range_.high if upward else range_.low, upward, limits)
    low, high = (range_.low, end) if upward else (end, range_.high)
    if not (low <= range_.low and high >= range_.high and high - low > range_.high - range_.low):
        return None
    return type(range_)(low, high)


def with_ends(range_: Ranged, low: float, high: float) -> Ranged:
    """Return a range of the same scale between two ends."""
    if isinstance(range_, Integer):
        return Integer(int(low), int(high))
    return type(range_)(low, high)


def narrowed(range_: Distribution, low: float, high: float) -> Distribution | None:
    """Return the part of a range between two places of [0, 1], its ends rounded outward.

    >>> from deepwell.search import log
    >>> narrowed(log(1e-4, 1), 0.25, 0.5).describe()
    'log(0.001, 0.01)'

    Returns:
        The range; None for choices, and where nothing of it is cut off.
    """
    if isinstance(range_, Integer):
        first, last = range_.from_unit(low), range_.from_unit(high)
        return None if (first, last) == (range_.low, range_.high) else Integer(first, last)
    if not isinstance(range_, Log | OneMinusLog | Uniform):
        return None
    start = max(range_.low, _rounded(range_, range_.from_unit(low), math.floor))
    end = min(range_.high, _rounded(range_, range_.from_unit(high), math.ceil))
    if not start < end or (start, end) == (range_.low, range_.high):
        return None
    try:
        return type(range_)(start, end)
    except UsageError:  # as where rounding reached the limit of the scale
        return None


def _beyond(range_: Log | OneMinusLog | Uniform, upward: bool) -> float:
    """Return where the range would end if it were half as long again."""
    low, high = range_.low, range_.high
    if isinstance(range_, Uniform):
        found = high + _FURTHER * (high - low) if upward else low - _FURTHER * (high - low)
        return float(f"{found:.{_DIGITS}g}")
    if isinstance(range_, Log):
        factor = (high / low) ** _FURTHER
        found = high * factor if upward else low / factor
        return float(f"{found:.{_DIGITS}g}")
    factor = ((1 - low) / (1 - high)) ** _FURTHER
    left = (1 - high) / factor if upward else (1 - low) * factor
    return 1.0 - float(f"{left:.{_DIGITS}g}")


def _within(end: float, old: float, upward: bool, limits: Limits) -> float:
    """Return the new end, or where it may not be passed the limit, or half of the way there."""
    limit = limits.high if upward else limits.low
    passed = end > limit if upward else end < limit
    open_ = limits.high_open if upward else limits.low_open
    if not (passed or (open_ and end == limit)):
        return end
    return 0.5 * (old + limit) if open_ else limit


def _rounded(
    range_: Log | OneMinusLog | Uniform, value: float, to: Callable[[float], int]
) -> float:
    """Return a value with two digits, of its distance to 1 where that is the scale."""
    if isinstance(range_, OneMinusLog):
        other = math.ceil if to is math.floor else math.floor
        return 1.0 - _two_digits(1.0 - value, other)
    step = range_.high - range_.low if isinstance(range_, Uniform) else abs(value)
    return _two_digits(value, to, step)


def _two_digits(value: float, to: Callable[[float], int], like: float | None = None) -> float:
    """Return a value rounded by `to` in the second digit of a number like it."""
    scale = abs(value) if like is None else like
    if not scale > 0:
        return value
    place = _DIGITS - 1 - math.floor(math.log10(scale))
    near = round(value * 10**place, 6)  # what is 0.3 but for rounding stays 0.3
    return float(f"{to(near) / 10**place:.12g}")
