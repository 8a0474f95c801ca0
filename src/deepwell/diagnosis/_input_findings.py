"""Are the inputs normalized? How many times slower descent is because of their scales and offsets.

The first layer sees rows (x, 1), and the curvature of any cost in its weights grows with their
second moments M = E[(x, 1)^T (x, 1)]: for linear units it is M itself. Plain descent is stable up
to a rate of 2 over the largest eigenvalue of M and moves along a column at a pace of its variance
times the rate (LeCun, Bottou, Orr & Mueller 1998, Efficient BackProp, section 4.3). So

    shift = largest eigenvalue of M as the inputs are, over that of normalized ones
    slowdown = shift / median variance of the columns

are by what factor stable rates move, and how many times more steps the median column needs at the
largest stable rate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.records import Finding

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text

SLOW = 10.0  # half of the two decades that the default search of rates spans
LEVEL = 0.02  # chance of a finding where normalizing does nothing
_MOST_ROWS = 2_000
_ITERATIONS = 100
_TINY = 1e-12


@dataclass(frozen=True)
class InputScales:
    """How inputs are scaled.

    Attributes:
        slowdown, shift: as above; 1 for normalized inputs.
        largest_offset: of a column's mean over its standard deviation.
        spread: largest over smallest standard deviation of columns that vary.
    """

    slowdown: float
    shift: float
    largest_offset: float
    spread: float

    @property
    def off(self) -> float:
        """By what factor inputs are off, the worst of slowdown and shift in either direction."""
        return max(self.slowdown, self.shift, 1 / self.shift)


def input_scales(x: np.ndarray) -> InputScales:
    """Return how inputs are scaled.

    >>> raw = np.random.default_rng(0).normal(5.0, 2.0, size=(500, 3))
    >>> input_scales((raw - raw.mean(0)) / raw.std(0)).slowdown
    1.0
    >>> input_scales(raw).slowdown > 10
    True

    Args:
        x: (n, D) rows as the network gets them; of more than 2,000, evenly spaced ones count.
    """
    step = max(1, -(-len(x) // _MOST_ROWS))
    some = np.asarray(x[::step], np.float64)
    mean, spread = some.mean(axis=0), some.std(axis=0)
    varies = spread > _TINY * np.maximum(1.0, np.abs(mean))
    if not varies.any():
        return InputScales(1.0, 1.0, 0.0, 1.0)
    some, mean, spread = some[:, varies], mean[varies], spread[varies]
    offset = float((np.abs(mean) / spread).max())
    ratio = float(spread.max() / spread.min())
    if offset < 0.5 and 0.7 < spread.min() <= spread.max() < 1.4:  # normalized, but for sampling
        return InputScales(1.0, 1.0, offset, ratio)
    shift = _largest_eigenvalue(some) / _largest_eigenvalue((some - mean) / spread)
    slow = shift / float(np.median(spread) ** 2)
    return InputScales(max(1.0, slow), shift, offset, ratio)


def input_finding(scales: InputScales, cure: Effect | None, metric: str, worth: float) -> Finding:
    """Return DW407: `problem` where scales slow descent and normalized inputs do better.

    Args:
        scales: of the inputs.
        cure: what normalizing them did to the network's score; None when it was not tried.
        metric: what the scores are.
        worth: smallest change of the score that matters.
    """
    check = Check(
        measured=scales.off,
        threshold=SLOW,
        threshold_source="half of the two decades of learning rates that the default search spans",
        change="normalize the inputs by the train rows",
        p_value=None if cure is None else cure.p_value,
        more={
            "slowdown": scales.slowdown,
            "shift": scales.shift,
            "largest_offset": scales.largest_offset,
            "spread": scales.spread,
            "change_effect": None if cure is None else cure.to_plain(),
        },
    )
    if scales.off < SLOW:
        return check_finding("DW407", "ok", "inputs normalized", "", check)
    detail = f"their scales and offsets are off by {scales.off:.2g} times"
    if cure is None:
        return check_finding("DW407", "unsure", "inputs not normalized", detail, check)
    percent = METRICS[metric].percent
    detail += (
        f"; dev {METRICS[metric].label} {figure_text(cure.without, percent)}, normalized "
        f"{figure_text(cure.with_it, percent)}"
    )
    if helps(cure, worth, LEVEL):
        return check_finding("DW407", "problem", "inputs not normalized", detail, check)
    return check_finding("DW407", "ok", "inputs not normalized, but no harm", detail, check)


def _largest_eigenvalue(x: np.ndarray) -> float:
    """Return that of the second moments of rows (x, 1), by power iteration."""
    rows = np.column_stack([x, np.ones(len(x))])
    v: np.ndarray = np.linspace(1.0, 1.1, rows.shape[1])
    value = 1.0
    for _ in range(_ITERATIONS):
        v = rows.T @ (rows @ v) / len(rows)
        value = float(np.linalg.norm(v))
        v /= value
    return value
