"""Do the targets go with the inputs of the next row? As where a line was lost in one file of two.

With x the inputs and their squares, whitened, y the target's deviations (of classes, indicators),
and rows in the order of the table,

    R2_k = |mean over i of y_i x_(i+k)|^2 / |y|^2

is the share of the target's variance that a regression on the inputs k rows on explains. Where
rows are independent only R2_0 is above 0, beyond (width of x) / n that chance explains. Where rows
come in groups, or in time, the others are above 0 as well, but alike to both sides and over several
rows. A shift by one row shows on one side and at one row alone.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from deepwell.records import ShiftedLabels

from ._telling_column import Target

CERTAIN = 1e-4
SHARE = 0.05  # of the best pairing's R2: a fifth of the rows, whose square it is
_ALONE = 0.25  # of the shifted pairing's R2, that all other rows near by may have
_LAGS = (-3, -2, -1, 1, 2, 3)
_MOST_ROWS = 5_000
_WIDEST = 200
_SQUARED = 50  # inputs up to which squares are taken as well
_CLIP = 4.0
_TEN_TIMES = 3  # rows for each input, at least


def shifted_labels(x: np.ndarray, target: Target) -> ShiftedLabels | None:
    """Return by how many rows targets are shifted; None where they are not, or rows are too few.

    Args:
        x: (n, D) inputs of the train rows, in the order of the table.
        target: of the same rows.
    """
    rows = np.clip(np.asarray(x[:_MOST_ROWS, :_WIDEST], np.float64), -_CLIP, _CLIP)
    y = target.y[: len(rows)]
    wanted = np.eye(target.classes)[y] if target.classes else np.asarray(y, np.float64)[:, None]
    wanted = wanted - wanted.mean(axis=0)
    if rows.shape[1] <= _SQUARED:
        rows = np.concatenate([rows, rows**2], axis=1)
    white = _whitened(rows)
    total = float((wanted**2).sum())
    n, width = white.shape
    if not total or not width or n < _TEN_TIMES * width:
        return None
    found = {lag: _explained(white, wanted, lag) / total - width / n for lag in (0, *_LAGS)}
    lag = max((-1, 1), key=lambda k: found[k])
    others = max(abs(found[k]) for k in _LAGS if k != lag)
    explained, best = found[lag], max(found[0], found[lag])
    if explained < SHARE * best or others > _ALONE * explained:
        return None
    # n R2 is a sum of squares of as many normal figures as there are inputs
    p_value = _tail(n * (explained + width / n), width)
    if p_value > CERTAIN:
        return None
    return ShiftedLabels(lag, math.sqrt(explained) / _roots(found[0], explained), p_value, n)


def _roots(own: float, shifted: float) -> float:
    """Return the correlation of right pairs, of which both pairings have a share."""
    return math.sqrt(max(own, 0.0)) + math.sqrt(shifted)


def _whitened(rows: np.ndarray) -> np.ndarray:
    """Return (n, w) uncorrelated columns of variance 1 that span the centered columns."""
    centered = rows - rows.mean(axis=0)
    decompose: Any = np.linalg.eigh  # its types are unknown for arrays of any type
    values, vectors = decompose(centered.T @ centered / len(rows))
    kept = values > 1e-6 * max(float(values.max(initial=0.0)), 1e-300)
    return centered @ (vectors[:, kept] / np.sqrt(values[kept]))


def _explained(white: np.ndarray, wanted: np.ndarray, lag: int) -> float:
    """Return the squares that a regression on the inputs `lag` rows on explains."""
    ahead = white[max(lag, 0) : len(white) + min(lag, 0)]
    here = wanted[max(-lag, 0) : len(wanted) - max(lag, 0)]
    return float(((here.T @ ahead) ** 2).sum()) / len(here)


def _tail(statistic: float, freedom: int) -> float:
    """Return the chance of a chi-squared figure at least as large."""
    from scipy.special import gammaincc  # type: ignore[import-untyped]

    return float(gammaincc(freedom / 2, max(statistic, 0.0) / 2))
