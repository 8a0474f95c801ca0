"""Numbers as people read them: every figure with its uncertainty, no more digits than it has."""

from __future__ import annotations

import math

from deepwell.records import Estimate


def figure(value: float, percent: bool) -> str:
    """Return one number: per cent with a decimal, or four significant digits.

    >>> figure(0.1864, percent=True), figure(53.7261, percent=False)
    ('18.6 %', '53.73')
    """
    if not math.isfinite(value):
        return "unknown"
    if percent:
        return f"{_fixed(100 * value, _percent_decimals(100 * value))} %"
    return _number(value, _decimals(abs(value)))


def interval(estimate: Estimate, percent: bool) -> str:
    """Return a figure with its interval, all with the same decimals.

    >>> interval(Estimate(0.1864, 0.167, 0.2072), percent=True)
    '18.6 % [16.7, 20.7]'

    An end that is not known is shown as `?`.
    """
    if not math.isfinite(estimate.value):
        return "unknown"
    value, low, high, decimals = _scaled(estimate, percent)
    unit = " %" if percent else ""
    return f"{_number(value, decimals)}{unit} [{_number(low, decimals)}, {_number(high, decimals)}]"


def difference(estimate: Estimate, percent: bool) -> str:
    """Return a difference with its sign and interval, in percentage points for shares.

    >>> difference(Estimate(-0.012, -0.024, 0.001), percent=True)
    '-1.2 [-2.4, 0.1]'
    """
    if not math.isfinite(estimate.value):
        return "unknown"
    value, low, high, decimals = _scaled(estimate, percent)
    shown = _number(value, decimals)
    sign = "+" if value > 0 and shown.strip("0.") else ""
    return f"{sign}{shown} [{_number(low, decimals)}, {_number(high, decimals)}]"


def change(estimate: Estimate, percent: bool) -> str:
    """Return a size of change with its interval, in percentage points for shares.

    >>> change(Estimate(0.004, 0.002, 0.007), percent=True)
    '0.4 [0.2, 0.7]'
    """
    return difference(estimate, percent).removeprefix("+")


def count(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun.

    >>> count(1, "network"), count(1797, "row"), count(2, "class", "classes")
    ('1 network', '1,797 rows', '2 classes')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Return a time in the largest units that matter.

    >>> duration(0.34), duration(9.2), duration(131), duration(1200), duration(3905)
    ('0.3 s', '9 s', '2 min 11 s', '20 min', '1 h 5 min')
    """
    if not math.isfinite(seconds):
        return "an unknown time"
    if seconds < 3:
        return f"{max(0.0, seconds):.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 600 and whole % 60:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 3600:
        return f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _scaled(estimate: Estimate, percent: bool) -> tuple[float, float, float, int]:
    factor = 100.0 if percent else 1.0
    value, low, high = (factor * v for v in (estimate.value, estimate.low, estimate.high))
    size = max(abs(v) for v in (value, low, high) if math.isfinite(v))
    decimals = _percent_decimals(size) if percent else _decimals(size)
    return value, low, high, decimals


def _percent_decimals(size: float) -> int:
    """Return decimals for a number of per cent: one, or more where all would be zeros."""
    size = abs(size)
    return 1 if size == 0 or size >= 0.1 else min(6, 1 - math.floor(math.log10(size)))


def _decimals(size: float) -> int:
    """Return decimals that leave four significant digits of `size`; -1 asks for a power of 10."""
    if size == 0:
        return 3
    if size < 1e-4 or size >= 1e9:
        return -1
    return max(0, 3 - math.floor(math.log10(size)))


def _number(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return "?"
    return f"{value:.3g}" if decimals < 0 else _fixed(value, decimals)


def _fixed(value: float, decimals: int) -> str:
    shown = f"{value:,.{decimals}f}"
    return shown[1:] if shown.startswith("-") and not shown.strip("-0.,") else shown


def memory_size(size: int) -> str:
    """Return bytes in words.

    >>> memory_size(1_234_000_000), memory_size(56_700_000)
    ('1.2 GB', '57 MB')
    """
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.0f} MB"
