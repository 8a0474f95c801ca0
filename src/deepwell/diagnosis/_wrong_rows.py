"""A mixture of right and wrong rows, and the list of those that are wrong for all but sure.

A row's label, or target, has the density c_k(i) if it is right and o_k(i) if it is not, k the shape
of a family that is likelier or less so, and the share e of the rows is wrong:

    L_k(e) = prod_i (1 - e) c_k(i) + e o_k(i)

The test is the likelihood ratio of e > 0, which half of the time is 0 where nothing is wrong; the
interval of e is the 95 % region of its likelihood over all shapes. The chance that a row is right
after all, (1 - e) c / ((1 - e) c + e o), is the local false-discovery rate (Efron et al. 2001, JASA
96). Rows are listed as long as the expected number of false ones, with 1.645 standard deviations
more, is at most the stated share of them, so that it holds in 95 of 100 tables and not on average
alone.

Where rows come in groups, as of one patient, whose rows a network gets wrong together, their
likelihood varies by more than that of as many rows by themselves: by the factor

    D = G / (G - 1) sum_g (sum_(i in g) u_i)^2 / sum_i u_i^2,  u_i = d log P(label_i) / de

at the likeliest shape and e (Rotnitzky and Jewell 1990, Biometrika 77), 1 at least. Ratios are
then divided by it and compared with Student's t of so many groups, the 95 % region reaches D times
as far, n / D rows are counted in place of n, and false ones of a group are taken to come together.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._groups_of_rows import tail

LEVEL = 0.01  # of the test whether any label is wrong
LEAST_ROWS = 100
LEAST_FLIPPED = 5  # labels; fewer could as well be rows that are odd and rightly labeled
RATE = 0.1
MOST_NOISE = 0.5  # of the spread of targets: a wrong one then lies out of the noise often enough
UNEVEN = 0.05
SMALLEST = 1e-300
HALVINGS = 14
_MARGIN = 1.6448536269514722
_DROP = 1.920729410347062  # in log-likelihood at the ends of a 95 % interval


@dataclass(frozen=True)
class Suspect:
    """A row whose label or target is probably wrong.

    Attributes:
        row: its place among the rows, from 0.
        label: class number of its label, or its target.
        likely: class number, or value, that the network says.
        doubt: probability that the label is right after all.
    """

    row: int
    label: float
    likely: float
    doubt: float


@dataclass(frozen=True)
class Mislabels:
    """Rows most likely mislabeled, or with a target that is not theirs.

    Attributes:
        rows: that were looked at.
        rate: the false-discovery rate that was asked for.
        flipped: share of labels that are wrong, with its interval; 0 where there is no sign.
        p_value: chance of such a floor of mistakes where no label is flipped.
        suspects: the surest first; empty where there is no certain sign.
        expected_false: how many of them have a right label, as expected.
        independent: how many rows by themselves tell as much, `rows` where there are no groups.
        noise: of targets, how far they honestly lie from what is predicted, in units of their
            spread; 0 for classes.
        even: of targets, chance of mistakes that are as uneven over predictions and targets where
            they are those of other rows; 1 where no quarter has less than half of the share, and
            for classes, where the curve says it.
        unfit: of targets, why nothing can be told of them; empty where it can.
    """

    rows: int
    rate: float
    flipped: Estimate
    p_value: float
    suspects: tuple[Suspect, ...]
    expected_false: float
    independent: float
    noise: float = 0.0
    even: float = 1.0
    unfit: str = ""

    @property
    def enough(self) -> bool:
        """Whether it is more than a few of them, for sure."""
        return self.flipped.low * self.independent >= LEAST_FLIPPED

    @property
    def certain(self) -> bool:
        """Whether labels are wrong beyond chance, and not just a few."""
        told = self.noise <= MOST_NOISE and self.even > UNEVEN
        return self.p_value <= LEVEL and self.enough and told and self.rows >= LEAST_ROWS

    def to_plain(self) -> dict[str, object]:
        """Return the outcome for JSON."""
        return {
            **vars(self),
            "flipped": self.flipped.to_plain(),
            "suspects": [dict(vars(one)) for one in self.suspects],
        }


@dataclass(frozen=True, eq=False)
class Mixture:
    """Right and wrong rows under each shape of a family, with its likeliest share of wrong ones.

    Attributes:
        right: (shapes, n) density of each label if it is right.
        wrong: (shapes, n) or (1, n) density of each label if it is not.
        flipped: (shapes,) likeliest e; `likelihood`: its logarithm there; `without`: at e = 0.
        most: largest e.
    """

    right: np.ndarray
    wrong: np.ndarray
    flipped: np.ndarray
    likelihood: np.ndarray
    without: np.ndarray
    most: float

    @staticmethod
    def of(right: np.ndarray, wrong: np.ndarray, most: float) -> Mixture:
        """Return the mixture of these densities, each shape at its likeliest e."""
        flipped = likeliest(right, wrong, most)
        likelihood = log_likelihood(right, wrong, flipped[:, None])
        return Mixture(right, wrong, flipped, likelihood, log_likelihood(right, wrong, 0.0), most)

    @property
    def best(self) -> int:
        """The likeliest shape."""
        return int(self.likelihood.argmax())

    @property
    def ratio(self) -> float:
        """Twice the logarithm of the likelihood ratio of e > 0."""
        return max(0.0, 2 * float(self.likelihood.max() - self.without.max()))

    def p_value(self, varies: float, group: np.ndarray | None) -> float:
        """Return the chance of such a ratio, or a larger one, where nothing is wrong.

        Args:
            varies: D, by which the likelihood varies more than that of rows of their own.
            group: (n,) of all rows.
        """
        if self.ratio == 0:  # at the edge of what e may be, half of the cases have this one
            return 1.0
        root = math.sqrt(self.ratio / varies)
        if group is None:
            return 0.5 * math.erfc(root / math.sqrt(2))
        return tail(root, len(np.unique(group)))

    def slope(self) -> np.ndarray:
        """Return (n,) u, how the logarithm of each row's density changes with e at the best."""
        right, wrong = self.right[self.best], self.wrong[self.best % len(self.wrong)]
        slope = (wrong - right) / mixed(right, wrong, float(self.flipped[self.best]))
        return slope - slope.mean()

    def dependence(self, group: np.ndarray | None) -> float:
        """Return by how much more the likelihood varies than that of rows of their own, D."""
        if group is None:
            return 1.0
        slope = self.slope()
        sums = np.bincount(np.unique(group, return_inverse=True)[1], slope)
        alone, groups = float(slope @ slope), len(sums)
        if groups < 2 or alone == 0:
            return float(len(slope)) if groups < 2 else 1.0
        return max(1.0, groups / (groups - 1) * float(sums @ sums) / alone)

    def region(self, varies: float) -> tuple[np.ndarray, list[float], Estimate]:
        """Return the shapes of the 95 % region, the lowest e of each, and e with its interval.

        Args:
            varies: D, by which the likelihood varies more than that of rows of their own.
        """
        allowed = float(self.likelihood.max()) - _DROP * varies
        likely = np.flatnonzero(self.likelihood >= allowed)
        low = [self._end(int(one), allowed, 0.0) for one in likely]
        high = [self._end(int(one), allowed, self.most) for one in likely]
        return likely, low, Estimate(float(self.flipped[self.best]), min(low), max(high))

    def _end(self, shape: int, allowed: float, outside: float) -> float:
        """Return the e between the likeliest one of a shape and `outside` that is just allowed."""
        right, wrong = self.right[shape], self.wrong[shape % len(self.wrong)]

        def enough(flipped: float) -> bool:
            return float(log_likelihood(right, wrong, flipped)) >= allowed

        if enough(outside):
            return outside
        inside = float(self.flipped[shape])
        for _ in range(HALVINGS):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if enough(middle) else (inside, middle)
        return inside


def doubts(right: np.ndarray, wrong: np.ndarray, flipped: float) -> np.ndarray:
    """Return (n,) the chance that each row is right after all."""
    return (1 - flipped) * right / mixed(right, wrong, flipped)


def mixed(right: np.ndarray, wrong: np.ndarray, flipped: np.ndarray | float) -> np.ndarray:
    """Return the density of right and wrong rows together."""
    return np.maximum((1 - flipped) * right + flipped * wrong, SMALLEST)


def log_likelihood(right: np.ndarray, wrong: np.ndarray, flipped: np.ndarray | float) -> np.ndarray:
    """Return its logarithm over all rows."""
    return np.log(mixed(right, wrong, flipped)).sum(axis=-1)


def likeliest(
    right: np.ndarray, wrong: np.ndarray, most: float, halvings: int = HALVINGS
) -> np.ndarray:
    """Return (shapes,) the likeliest e: the logarithm of the likelihood is concave in it."""
    away = wrong - right
    low, high = np.zeros((len(right), 1)), np.full((len(right), 1), most)
    for _ in range(halvings):
        middle = (low + high) / 2
        rising = (away / np.maximum(right + middle * away, SMALLEST)).sum(axis=1) > 0
        low = np.where(rising[:, None], middle, low)
        high = np.where(rising[:, None], high, middle)
    return low[:, 0]


def listed(doubt: np.ndarray, rate: float, group: np.ndarray | None) -> np.ndarray:
    """Return the longest list, the surest first, whose expected false ones are few enough."""
    order = np.argsort(doubt, kind="stable")
    false = np.cumsum(doubt[order])
    deviation = np.sqrt(doubt * (1 - doubt))[order]
    before = np.zeros(len(order)) if group is None else before_in_group(deviation, group[order])
    # of a group the deviations add up, of groups their squares
    spread = np.cumsum(deviation**2 + 2 * deviation * before)
    most = false + _MARGIN * np.sqrt(spread)
    within = np.flatnonzero(most <= rate * np.arange(1, len(order) + 1))
    return order[: int(within[-1]) + 1 if len(within) else 0]


def before_in_group(values: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Return (n,) the sum of the values that come before each one in its group."""
    order = np.argsort(group, kind="stable")
    sums = np.cumsum(values[order]) - values[order]
    _, first, unit = np.unique(group[order], return_index=True, return_inverse=True)
    before = np.empty(len(values))
    before[order] = sums - sums[first][unit]
    return before
