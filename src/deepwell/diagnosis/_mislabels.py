"""Rows most likely mislabeled, with a false-discovery rate that holds.

A label that a model finds unlikely is no mislabel yet: where classes overlap, one row in ten has
a label of probability 0.1, and rightly. What tells mislabels from honest noise is how mistakes
depend on the margin. Honest mistakes get rare as a network gets surer; labels that were flipped
disagree with it at any margin. So probabilities from networks that were not trained on the row
are mapped by the likeliest curve of a family that falls with the margin, however slowly, and has
a floor:

    s_k = exp(-a d_k^g) / sum_j exp(-a d_j^g),   d_k = log(p_max / p_k)
    P(label = k) = (1 - e) s_k + e (1 - s_k) / (C - 1)

with a > 0, 0.2 <= g <= 1.5 and e the share of labels that were flipped to any other class (the
noise model of Natarajan et al. 2013, NeurIPS 26, its rate found where the network is surest, as
in Liu and Tao 2016, IEEE TPAMI 38). Rows are told only where e is above 0 beyond chance
(likelihood ratio), and all that follows takes the lower end of its interval. The chance that a
label is right after all is then (1 - e) s_y / P(y), the local false-discovery rate (Efron et al.
2001, JASA 96). Rows are listed as long as the expected number of false ones, with 1.645 standard
deviations more, is at most the stated share of them, so that it holds in 95 of 100 tables and not
on average alone.

Noise that is equally frequent wherever the network is sure is what a flip is; no method can tell
the two apart from the table alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell.records import Estimate

LEVEL = 0.01  # of the test whether any label is flipped
LEAST_ROWS = 100
LEAST_FLIPPED = 5  # labels; fewer could as well be rows that are odd and rightly labeled
RATE = 0.1
_MARGIN = 1.6448536269514722
_DROP = 1.920729410347062  # in log-likelihood at the ends of a 95 % interval
_SMALLEST = 1e-300
_POWERS = (0.2, 1.5)
_MOST_FLIPPED = 0.5


@dataclass(frozen=True)
class Suspect:
    """A row whose label is probably wrong.

    Attributes:
        row: its place among the rows, from 0.
        label: class number of its label; likely: of the class that the network says.
        doubt: probability that the label is right after all.
    """

    row: int
    label: int
    likely: int
    doubt: float


@dataclass(frozen=True)
class Mislabels:
    """Rows most likely mislabeled.

    Attributes:
        rows: that were looked at.
        rate: the false-discovery rate that was asked for.
        flipped: share of labels that are wrong, with its interval; 0 where there is no sign.
        p_value: chance of such a floor of mistakes where no label is flipped.
        suspects: the surest first; empty where p is above 0.01, or the lower end of `flipped` is
            less than five labels.
        expected_false: how many of them have a right label, as expected.
    """

    rows: int
    rate: float
    flipped: Estimate
    p_value: float
    suspects: tuple[Suspect, ...]
    expected_false: float

    def to_plain(self) -> dict[str, object]:
        """Return the outcome for JSON."""
        return {
            **vars(self),
            "flipped": self.flipped.to_plain(),
            "suspects": [dict(vars(one)) for one in self.suspects],
        }


@dataclass(frozen=True)
class _Fit:
    loss: float
    slope: float
    power: float


def find_mislabels(y: np.ndarray, probabilities: np.ndarray, rate: float = RATE) -> Mislabels:
    """Return the rows whose labels are most likely wrong.

    Args:
        y: (n,) class numbers from 0.
        probabilities: (n, C) by a model that was not trained on the row.
        rate: of the listed rows, at most this share may have a right label, above 0 and below 1.
    """
    y = np.asarray(y)
    table = _Table.of(y, probabilities)
    free = table.best_floor()
    none = table.fit(0.0)
    ratio = max(0.0, 2 * (none.loss - free[1].loss))
    # at the edge of what e may be, half of the cases have a ratio of 0
    p_value = 0.5 * math.erfc(math.sqrt(ratio / 2)) if ratio > 0 else 1.0
    floor = _interval(table, free[0], free[1].loss)
    enough = len(y) >= LEAST_ROWS and floor.low * len(y) >= LEAST_FLIPPED
    if p_value > LEVEL or not enough:
        return Mislabels(len(y), rate, floor, p_value, (), 0.0)
    doubt = table.doubt(floor.low, table.fit(floor.low))
    order = np.argsort(doubt, kind="stable")
    false, spread = np.cumsum(doubt[order]), np.cumsum((doubt * (1 - doubt))[order])
    most = false + _MARGIN * np.sqrt(spread)
    within = np.flatnonzero(most <= rate * np.arange(1, len(y) + 1))
    listed = order[: int(within[-1]) + 1 if len(within) else 0]
    said = np.asarray(probabilities).argmax(axis=1)
    suspects = tuple(Suspect(int(i), int(y[i]), int(said[i]), float(doubt[i])) for i in listed)
    return Mislabels(
        len(y), rate, floor, p_value, suspects, float(sum(one.doubt for one in suspects))
    )


@dataclass(frozen=True, eq=False)
class _Table:
    """What the likelihood is made of."""

    distances: np.ndarray  # (n, C) logs of d_k; -inf for the class that is said
    own: np.ndarray  # (n,) places of the labels
    classes: int

    @staticmethod
    def of(y: np.ndarray, probabilities: np.ndarray) -> _Table:
        logs = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))
        distances = logs.max(axis=1, keepdims=True) - logs
        with np.errstate(divide="ignore"):
            return _Table(np.log(distances), y, logs.shape[1])

    def clean(self, fit: _Fit) -> np.ndarray:
        """Return (n,) the probability of the label if none was flipped."""
        raised = np.exp(-fit.slope * np.exp(fit.power * self.distances))
        return raised[np.arange(len(self.own)), self.own] / raised.sum(axis=1)

    def given(self, clean: np.ndarray, flipped: float) -> np.ndarray:
        return (1 - flipped) * clean + flipped * (1 - clean) / (self.classes - 1)

    def doubt(self, flipped: float, fit: _Fit) -> np.ndarray:
        """Return (n,) the probability that a label was not flipped."""
        clean = self.clean(fit)
        return (1 - flipped) * clean / np.maximum(self.given(clean, flipped), _SMALLEST)

    def fit(self, flipped: float) -> _Fit:
        """Return the likeliest curve with a given share of flipped labels."""
        from scipy import optimize  # type: ignore[import-untyped]

        solver: Any = optimize
        low, high = _POWERS

        def loss(theta: np.ndarray) -> float:
            clean = self.clean(_Fit(0.0, math.exp(theta[0]), theta[1]))
            given = np.maximum(self.given(clean, flipped), _SMALLEST)
            return float(-np.log(given).sum())

        bounds = ((-6.0, 6.0), (low, high))
        fits: list[_Fit] = []
        for start in ((0.0, 1.0), (0.0, 0.5)):
            found = solver.minimize(loss, np.array(start), method="L-BFGS-B", bounds=bounds)
            fits.append(_Fit(float(found.fun), math.exp(found.x[0]), float(found.x[1])))
        return min(fits, key=lambda one: one.loss)

    def best_floor(self) -> tuple[float, _Fit]:
        """Return the likeliest share of flipped labels, and the curve beside it."""
        from scipy import optimize  # type: ignore[import-untyped]

        solver: Any = optimize
        top = min(_MOST_FLIPPED, 1 - 1 / self.classes) - 1e-3

        def loss(root: float) -> float:
            return self.fit(root**2).loss

        found = solver.minimize_scalar(
            loss,
            bounds=(0.0, math.sqrt(top)),
            method="bounded",
            options={"xatol": 1e-3},
        )
        flipped = float(found.x) ** 2
        return flipped, self.fit(flipped)


def _interval(table: _Table, flipped: float, loss: float) -> Estimate:
    """Return the share of flipped labels with its profile-likelihood interval."""
    allowed = loss + _DROP

    def end(outside: float) -> float:
        if table.fit(outside).loss <= allowed:
            return outside
        inside = flipped
        for _ in range(12):
            middle = (inside + outside) / 2
            if table.fit(middle).loss <= allowed:
                inside = middle
            else:
                outside = middle
        return inside

    top = min(_MOST_FLIPPED, 1 - 1 / table.classes) - 1e-3
    return Estimate(flipped, min(end(0.0), flipped), max(end(top), flipped))
