"""Rows most likely mislabeled, with a false-discovery rate that holds.

A label that a model finds unlikely is no mislabel yet: where classes overlap, one row in ten has
a label of probability 0.1, and rightly. What tells mislabels from honest noise is how mistakes
depend on the margin. Honest mistakes get rare as a network gets surer; labels that were flipped
disagree with it at any margin. So probabilities from networks that were not trained on the row
are mapped by the likeliest curve of a family that falls with the margin, however slowly, and has
a floor:

    s_k = exp(-a d_k^g) / sum_j exp(-a d_j^g),   d_k = log(p_max / p_k)
    P(label = k) = (1 - e) s_k + e (1 - s_k) / (C - 1)

with a > 0, 0.5 <= g <= 1.5 and e the share of labels that were flipped to any other class (the
noise model of Natarajan et al. 2013, NeurIPS 26, its rate found where the network is surest, as
in Liu and Tao 2016, IEEE TPAMI 38). Rows are told only where e is above 0 beyond chance
(likelihood ratio). The chance that a label is right after all, (1 - e) s_y / P(y), is the local
false-discovery rate (Efron et al. 2001, JASA 96); for each row the largest is taken of all curves
and e within the 95 % region of the likelihood. Rows are listed as long as the expected number of
false ones, with 1.645 standard deviations more, is at most the stated share of them, so that it
holds in 95 of 100 tables and not on average alone.

Noise that is equally frequent wherever the network is sure is what a flip is; no method can tell
the two apart from the table alone.

The mixture, its test, the list and rows that come in groups stand in `_wrong_rows.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ._wrong_rows import RATE, SMALLEST, Mislabels, Mixture, Suspect, doubts, listed

_POWERS = (0.5, 0.75, 1.0, 1.25, 1.5)
_LOG_SLOPES = np.linspace(-4.0, 5.0, 46)
_CELLS = 300_000  # probabilities in the fit
_MOST_FLIPPED = 0.5


def find_mislabels(
    y: np.ndarray,
    probabilities: np.ndarray,
    rate: float = RATE,
    group: np.ndarray | None = None,
) -> Mislabels:
    """Return the rows whose labels are most likely wrong.

    Args:
        y: (n,) class numbers from 0.
        probabilities: (n, C) by a model that was not trained on the row.
        rate: of the listed rows, at most this share may have a right label, above 0 and below 1.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    y = np.asarray(y)
    curves = _Curves.of(y, probabilities)
    mixture = curves.mixture
    varies = mixture.dependence(None if group is None else group[curves.rows])
    likely, low, flipped = mixture.region(varies)
    p_value = mixture.p_value(varies, group)
    found = Mislabels(len(y), rate, flipped, p_value, (), 0.0, len(y) / varies)
    if not found.certain:
        return found
    logs = _log_distances(probabilities)
    doubt = np.zeros(len(y))
    for one, least in zip(likely, low, strict=True):
        clean = _clean(logs, y, *curves.shapes[int(one)])
        doubt = np.maximum(doubt, doubts(clean, _flipped(clean, logs.shape[1]), least))
    said = np.asarray(probabilities).argmax(axis=1)
    suspects = tuple(
        Suspect(int(i), int(y[i]), int(said[i]), float(doubt[i]))
        for i in listed(doubt, rate, group)
    )
    return replace(
        found, suspects=suspects, expected_false=float(sum(one.doubt for one in suspects))
    )


@dataclass(frozen=True, eq=False)
class _Curves:
    """The family of curves on a grid.

    Attributes:
        shapes: a and g of each curve.
        mixture: of rightly labeled and flipped rows under each.
        rows: of all rows, those that were looked at.
    """

    shapes: tuple[tuple[float, float], ...]
    mixture: Mixture
    rows: np.ndarray

    @staticmethod
    def of(y: np.ndarray, probabilities: np.ndarray) -> _Curves:
        """Return the curves of these rows, or of some where there are many.

        What a sample leaves open stays open: its likelihood is that of its own rows.
        """
        logs = _log_distances(probabilities)
        n, classes = len(logs), logs.shape[1]
        room = max(1_000, _CELLS // classes)
        rows = np.arange(n)
        if n > room:
            rows = np.sort(np.random.default_rng(0).choice(n, room, replace=False))
            logs, y = logs[rows], y[rows]
        shapes = tuple((float(np.exp(a)), g) for g in _POWERS for a in _LOG_SLOPES)
        clean = np.stack([_clean(logs, y, *shape) for shape in shapes])
        most = min(_MOST_FLIPPED, 1 - 1 / classes)
        return _Curves(shapes, Mixture.of(clean, _flipped(clean, classes), most), rows)


def _log_distances(probabilities: np.ndarray) -> np.ndarray:
    """Return (n, C) logarithms of d_k, -infinity for the class that is said."""
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64), SMALLEST))
    with np.errstate(divide="ignore"):
        return np.log(logs.max(axis=1, keepdims=True) - logs)


def _clean(logs: np.ndarray, y: np.ndarray, slope: float, power: float) -> np.ndarray:
    """Return (n,) the probability of the label if none was flipped."""
    raised = np.exp(-slope * np.exp(power * logs))
    return raised[np.arange(len(y)), y] / raised.sum(axis=1)


def _flipped(clean: np.ndarray, classes: int) -> np.ndarray:
    """Return the probability of the labels if all were flipped."""
    return (1 - clean) / (classes - 1)
