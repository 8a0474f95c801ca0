"""Figures in the details of findings: per cent with a decimal, or four significant digits."""

from __future__ import annotations

import math

from deepwell.records import Estimate


def figure_text(value: float, percent: bool) -> str:
    """Return one figure.

    >>> figure_text(0.1864, percent=True), figure_text(53.7261, percent=False)
    ('18.6 %', '53.73')
    """
    unit = " %" if percent else ""
    return f"{_number(value, value, percent)}{unit}" if math.isfinite(value) else "unknown"


def change_text(change: Estimate, percent: bool) -> str:
    """Return a difference with its interval, in percentage points for shares.

    >>> change_text(Estimate(0.037, 0.015, 0.0594), percent=True)
    '3.7 [1.5, 5.9]'
    """
    if not math.isfinite(change.value):
        return "unknown"
    size = max(abs(change.value), abs(change.low), abs(change.high))
    value, low, high = (_number(v, size, percent) for v in (change.value, change.low, change.high))
    return f"{value} [{low}, {high}]"


def _number(value: float, size: float, percent: bool) -> str:
    """Return `value` with the decimals that a figure of the given size deserves."""
    if percent:
        decimals = 1 if 100 * abs(size) >= 0.1 or size == 0 else 3
        shown = f"{100 * value:.{decimals}f}"
    elif size != 0 and not 1e-4 <= abs(size) < 1e9:
        shown = f"{value:.3g}"
    else:
        decimals = max(0, 3 - math.floor(math.log10(abs(size)))) if size else 0
        shown = f"{value:,.{decimals}f}"
    return shown.lstrip("-") if shown.strip("-0.,") == "" else shown
