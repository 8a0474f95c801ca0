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

Where rows come in groups, as of one patient, whose rows a network gets wrong together, their
likelihood varies by more than that of as many rows by themselves: by the factor

    D = G / (G - 1) sum_g (sum_(i in g) u_i)^2 / sum_i u_i^2,  u_i = d log P(label_i) / de

at the likeliest curve and e (Rotnitzky and Jewell 1990, Biometrika 77), 1 at least. Ratios are
then divided by it and compared with Student's t of so many groups, the 95 % region reaches D times
as far, n / D labels are counted in place of n, and false ones of a group are taken to come
together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Estimate

from ._groups_of_rows import tail

LEVEL = 0.01  # of the test whether any label is flipped
LEAST_ROWS = 100
LEAST_FLIPPED = 5  # labels; fewer could as well be rows that are odd and rightly labeled
RATE = 0.1
_MARGIN = 1.6448536269514722
_DROP = 1.920729410347062  # in log-likelihood at the ends of a 95 % interval
_SMALLEST = 1e-300
_POWERS = (0.5, 0.75, 1.0, 1.25, 1.5)
_LOG_SLOPES = np.linspace(-4.0, 5.0, 46)
_HALVINGS = 14
_CELLS = 300_000  # probabilities in the fit
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
            less than five independent labels.
        expected_false: how many of them have a right label, as expected.
        independent: how many rows by themselves tell as much, `rows` where there are no groups.
    """

    rows: int
    rate: float
    flipped: Estimate
    p_value: float
    suspects: tuple[Suspect, ...]
    expected_false: float
    independent: float

    @property
    def certain(self) -> bool:
        """Whether labels are wrong beyond chance, and not just a few."""
        enough = self.flipped.low * self.independent >= LEAST_FLIPPED
        return self.p_value <= LEVEL and enough and self.rows >= LEAST_ROWS

    def to_plain(self) -> dict[str, object]:
        """Return the outcome for JSON."""
        return {
            **vars(self),
            "flipped": self.flipped.to_plain(),
            "suspects": [dict(vars(one)) for one in self.suspects],
        }


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
    best = float(curves.likelihood.max())
    ratio = max(0.0, 2 * (best - float(curves.without.max())))
    varies = 1.0 if group is None else curves.dependence(group)
    # at the edge of what e may be, half of the cases have a ratio of 0
    p_value = 1.0 if ratio == 0 else _tail(math.sqrt(ratio / varies), group)
    allowed = best - _DROP * varies
    likely = np.flatnonzero(curves.likelihood >= allowed)
    low = [curves.end(int(one), allowed, 0.0) for one in likely]
    high = [curves.end(int(one), allowed, curves.most) for one in likely]
    flipped = Estimate(float(curves.flipped[int(curves.likelihood.argmax())]), min(low), max(high))
    found = Mislabels(len(y), rate, flipped, p_value, (), 0.0, len(y) / varies)
    if not found.certain:
        return found
    logs = _log_distances(probabilities)
    doubt = np.zeros(len(y))
    for one, least in zip(likely, low, strict=True):
        clean = _clean(logs, y, *curves.shapes[int(one)])
        given = _given(clean, least, logs.shape[1])
        doubt = np.maximum(doubt, (1 - least) * clean / np.maximum(given, _SMALLEST))
    listed = _listed(doubt, rate, group)
    said = np.asarray(probabilities).argmax(axis=1)
    suspects = tuple(Suspect(int(i), int(y[i]), int(said[i]), float(doubt[i])) for i in listed)
    return replace(
        found, suspects=suspects, expected_false=float(sum(one.doubt for one in suspects))
    )


def _tail(root: float, group: np.ndarray | None) -> float:
    """Return the chance of a root of the likelihood ratio, or a larger one."""
    if group is None:
        return 0.5 * math.erfc(root / math.sqrt(2))
    return tail(root, len(np.unique(group)))


def _listed(doubt: np.ndarray, rate: float, group: np.ndarray | None) -> np.ndarray:
    """Return the longest list, the surest first, whose expected false ones are few enough."""
    order = np.argsort(doubt, kind="stable")
    false = np.cumsum(doubt[order])
    deviation = np.sqrt(doubt * (1 - doubt))[order]
    before = np.zeros(len(order)) if group is None else _before_in_group(deviation, group[order])
    # of a group the deviations add up, of groups their squares
    spread = np.cumsum(deviation**2 + 2 * deviation * before)
    most = false + _MARGIN * np.sqrt(spread)
    within = np.flatnonzero(most <= rate * np.arange(1, len(order) + 1))
    return order[: int(within[-1]) + 1 if len(within) else 0]


def _before_in_group(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return (n,) the sum of the values that come before each one in its group."""
    order = np.argsort(group, kind="stable")
    sums = np.cumsum(values[order]) - values[order]
    _, first, unit = np.unique(group[order], return_index=True, return_inverse=True)
    before = np.empty(len(values))
    before[order] = sums - sums[first][unit]
    return before


@dataclass(frozen=True, eq=False)
class _Curves:
    """The family of curves on a grid, each with its likeliest share of flipped labels.

    Attributes:
        shapes: a and g of each curve.
        clean: (curves, n) probability of each label if none was flipped.
        classes: how many.
        flipped: (curves,) likeliest e; `likelihood`: its logarithm there; `without`: at e = 0.
        most: largest e.
        rows: of all rows, those that were looked at.
    """

    shapes: tuple[tuple[float, float], ...]
    clean: np.ndarray
    classes: int
    flipped: np.ndarray
    likelihood: np.ndarray
    without: np.ndarray
    most: float
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
        flipped = _likeliest(clean, classes, most)
        likelihood = _likelihood(clean, flipped[:, None], classes)
        without = _likelihood(clean, np.zeros((len(shapes), 1)), classes)
        return _Curves(shapes, clean, classes, flipped, likelihood, without, most, rows)

    def dependence(self, group: np.ndarray) -> float:
        """Return by how much more the likelihood varies than that of rows of their own, D.

        Args:
            group: (n,) of all rows.
        """
        best = int(self.likelihood.argmax())
        clean, flipped = self.clean[best], float(self.flipped[best])
        given = np.maximum(_given(clean, flipped, self.classes), _SMALLEST)
        slope = ((1 - clean) / (self.classes - 1) - clean) / given
        slope -= slope.mean()
        sums = np.bincount(np.unique(group[self.rows], return_inverse=True)[1], slope)
        alone, groups = float(slope @ slope), len(sums)
        if groups < 2 or alone == 0:
            return float(len(slope)) if groups < 2 else 1.0
        return max(1.0, groups / (groups - 1) * float(sums @ sums) / alone)

    def end(self, curve: int, allowed: float, outside: float) -> float:
        """Return the e between the likeliest one of a curve and `outside` that is just allowed."""
        clean = self.clean[curve : curve + 1]

        def enough(flipped: float) -> bool:
            return float(_likelihood(clean, flipped, self.classes)[0]) >= allowed

        if enough(outside):
            return outside
        inside = float(self.flipped[curve])
        for _ in range(_HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if enough(middle) else (inside, middle)
        return inside


def _log_distances(probabilities: np.ndarray) -> np.ndarray:
    """Return (n, C) logarithms of d_k, -infinity for the class that is said."""
    logs = np.log(np.maximum(np.asarray(probabilities, np.float64), _SMALLEST))
    with np.errstate(divide="ignore"):
        return np.log(logs.max(axis=1, keepdims=True) - logs)


def _clean(logs: np.ndarray, y: np.ndarray, slope: float, power: float) -> np.ndarray:
    """Return (n,) the probability of the label if none was flipped."""
    raised = np.exp(-slope * np.exp(power * logs))
    return raised[np.arange(len(y)), y] / raised.sum(axis=1)


def _given(clean: np.ndarray, flipped: np.ndarray | float, classes: int) -> np.ndarray:
    return (1 - flipped) * clean + flipped * (1 - clean) / (classes - 1)


def _likelihood(clean: np.ndarray, flipped: np.ndarray | float, classes: int) -> np.ndarray:
    return np.log(np.maximum(_given(clean, flipped, classes), _SMALLEST)).sum(axis=-1)


def _likeliest(clean: np.ndarray, classes: int, most: float) -> np.ndarray:
    """Return (curves,) the likeliest e: the logarithm of the likelihood is concave in it."""
    away = (1 - clean) / (classes - 1) - clean
    low, high = np.zeros((len(clean), 1)), np.full((len(clean), 1), most)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        rising = (away / np.maximum(clean + middle * away, _SMALLEST)).sum(axis=1) > 0
        low = np.where(rising[:, None], middle, low)
        high = np.where(rising[:, None], high, middle)
    return low[:, 0]
