"""Rows whose targets are probably not theirs: those of other rows, or typed wrongly.

A target far from what a model predicts is no wrong one yet: honest noise has heavy tails, is skewed
and grows with the prediction, and a model may lack something. What tells a target that does not
belong to its row is that it has nothing to do with the prediction: its residual y - f(x) falls as
f(x) rises. With m a curve of the prediction, s a scale that varies with it, and e the share of
wrong targets,

    p(y | f) = (1 - e) t((y - m(f)) / s(f)) / s(f) + e p(y)

where t is Student's t of 2 degrees of freedom to infinitely many, wider on one side than on the
other (Fernandez and Steel 1998, JASA 93), and p the density of all targets, by kernels without the
row itself. m is piecewise linear in f, log s in its ranks, and both are fitted within the mixture
by EM with t of 4 degrees of freedom (Lange, Little and Taylor 1989, JASA 84), so that wrong targets
do not move them. The mixture, its test, the list and groups stand in `_wrong_rows.py`.

No family of noise is all of them, so the test says more than its ratio. Where targets are right,
residuals in units of their scale, z, are alike at all predictions. They are dealt anew to the rows,
y* = m + s z*, 199 times; the ratio must be larger than of these, whatever the shape of the noise.
And wrong targets are as frequent at any prediction, and as all targets are in what they say: where
the doubted rows cluster at some predictions (a region that the model does not know, two values
between which it cannot decide) or at some targets (zeros, a long tail) it is something else. So
the likeliest e is taken in each quarter of the predictions, and of the targets; where one has less
than half of the e of all, its scores are compared with those of rows dealt at random to quarters
(as Pearson's chi-squared), and nothing is told at p of 0.05 or less. All of it rests on the model
explaining most of the targets: rows are told where the noise is at most half as wide as they are.

A target that a model misses at random, whatever it predicts, is what a wrong one is; no method can
tell the two apart from the table alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Estimate

from ._wrong_rows import (
    LEAST_ROWS,
    MOST_NOISE,
    RATE,
    SMALLEST,
    Mislabels,
    Mixture,
    Suspect,
    doubts,
    likeliest,
    listed,
    log_likelihood,
    mixed,
)

DRAWS = 199
_ROWS = 2_000  # that the mixture is fitted to
_MOST_WRONG = 0.8
_MOST_TOLD = 0.5  # of the targets: of more, what is predicted is the exception
_LEAST_NOISE = 1e-4  # of the targets' spread: nearer a prediction is exact
_EXACT = 0.2  # of the predictions, from which on noise has no density
_DEGREES = (2.0, 3.0, 5.0, 10.0, 1e6)
_SKEWS = (0.6, 0.8, 1.0, 1.25, 1 / 0.6)
_FIT_DEGREES = 4.0
_FIT_STEPS, _SCALE_STEPS = 40, 12
_RIDGE = 4.0  # rows by which slopes of the scale are held to 0
_BESIDE = (-1.5, 0.0, 1.5)  # scales tried beside the likeliest, in standard errors
_MOST_KNOTS, _ROWS_A_KNOT = 5, 60  # few rows with many knots are a curve through some of them
_PARTS = 4
_PART_STEPS = 60
_RARER = 0.5  # of the share of wrong targets, in some quarter, that no chance explains
_CELLS = 1_024  # of the density of targets
_FAR = 0.05  # share of it that has Cauchy's tails: a target mistyped lies anywhere
_IQR = 1.3489795003921634  # of a normal distribution of deviation 1


def find_wrong_targets(
    y: np.ndarray,
    prediction: np.ndarray,
    rate: float = RATE,
    group: np.ndarray | None = None,
    seed: int = 0,
) -> Mislabels:
    """Return the rows whose targets are most likely not theirs.

    Args:
        y: (n,) targets.
        prediction: (n,) by a model that was not trained on the row.
        rate: of the listed rows, at most this share may have a right target, above 0 and below 1.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
        seed: of the draws, and of the rows that are looked at where there are many.
    """
    y, said = np.asarray(y, np.float64), np.asarray(prediction, np.float64)
    n, generator = len(y), np.random.default_rng(seed)
    nothing = Mislabels(n, rate, Estimate(0.0, 0.0, 1.0), 1.0, (), 0.0, float(n), noise=1.0)
    spread = _spread(y)
    unfit = _unfit(y, said, spread)
    if n < LEAST_ROWS or unfit:
        return replace(nothing, unfit=unfit)
    rows = np.arange(n)
    if n > _ROWS:
        rows = np.sort(generator.choice(n, _ROWS, replace=False))
    of_rows = None if group is None else group[rows]
    others = _density(y)
    honest = _Honest.fitted(y[rows], said[rows], others[rows])
    z, scale = honest.standardized(y[rows], said[rows])
    noise = _spread(z) * float(np.median(scale)) / spread
    if noise > 2 * MOST_NOISE:  # nothing that the mixture says could change it
        return replace(nothing, noise=noise)
    shapes = _shapes(z, scale, others[rows])
    right = np.stack([_right(z, scale, shape) for shape in shapes])
    mixture = Mixture.of(right, others[None, rows], _MOST_WRONG)
    varies = mixture.dependence(of_rows)
    likely, low, wrong = mixture.region(varies)
    p_value = mixture.p_value(varies, of_rows)
    best = shapes[mixture.best]
    noise = _width(best) * float(np.median(scale)) / spread
    if wrong.value > _MOST_TOLD:
        return replace(nothing, noise=noise, unfit="more than half of them are far from it")
    found = Mislabels(n, rate, wrong, p_value, (), 0.0, n / varies, noise)
    if not found.certain:
        return found
    dealt = _dealt(mixture, honest, z, scale, said[rows], varies, generator)
    even = _evenness(mixture, y[rows], said[rows], varies)
    found = replace(found, p_value=max(p_value, dealt), even=even)
    if not found.certain:
        return found
    z, scale = honest.standardized(y, said)
    doubt = np.zeros(n)
    for one, least in zip(likely, low, strict=True):
        doubt = np.maximum(doubt, doubts(_right(z, scale, shapes[int(one)]), others, least))
    suspects = tuple(
        Suspect(int(i), float(y[i]), float(said[i]), float(doubt[i]))
        for i in listed(doubt, rate, group)
    )
    return replace(
        found, suspects=suspects, expected_false=float(sum(one.doubt for one in suspects))
    )


def _unfit(y: np.ndarray, said: np.ndarray, spread: float) -> str:
    """Return why nothing can be told of such targets, or predictions; empty where it can."""
    if spread == 0:
        return "most of them are the same"
    different = len(np.unique(np.stack([y, said]), axis=1).T)  # a row may be there several times
    if 2 * len(np.unique(y)) <= different:
        return "they repeat, as ratings and counts do"  # noise of which has no density
    if np.ptp(said) <= 1e-9 * spread:
        return "all predictions are the same"
    if np.quantile(np.abs(y - said), _EXACT) <= _LEAST_NOISE * spread:
        return "many predictions are exact"
    return ""


@dataclass(frozen=True)
class _Shape:
    """Student's t of some degrees of freedom, its right side wider than its left by skew^2."""

    degrees: float
    skew: float
    scale: float


@dataclass(frozen=True, eq=False)
class _Honest:
    """Where right targets lie at a prediction, and how widely.

    Attributes:
        knots: of the curve, in predictions; `unit`: their deviation.
        ranks: predictions at even ranks.
        curve: its height, slope and changes of slope at the knots, as differences from the
            prediction.
        widths: (5,) the same of the logarithm of the scale.
    """

    knots: np.ndarray
    unit: float
    ranks: np.ndarray
    curve: np.ndarray
    widths: np.ndarray

    @staticmethod
    def fitted(y: np.ndarray, said: np.ndarray, others: np.ndarray) -> _Honest:
        """Return what is likeliest, by EM.

        Args:
            y: (n,) targets.
            said: (n,) predictions.
            others: (n,) density of each target among all.
        """
        count = int(np.clip(len(y) // _ROWS_A_KNOT, 1, _MOST_KNOTS))
        knots = np.quantile(said, (np.arange(count) + 0.5) / count)
        start = np.median(y - said)
        width = _IQR / 2 * _spread(y - said)
        honest = _Honest(
            np.asarray(knots),
            float(np.std(said)),
            np.quantile(said, np.linspace(0, 1, 41)),
            np.array([start, *np.zeros(len(knots) + 1)]),
            np.array([np.log(max(width, 1e-9 * _spread(y))), 0, 0, 0, 0]),
        )
        lines, parts = honest._lines(said), honest._parts(said)
        hold = np.diag([1e-6, *[_RIDGE] * 4])
        sure: np.ndarray
        square: np.ndarray
        curve, widths, wrong = honest.curve, honest.widths, 0.1
        for _ in range(_FIT_STEPS):
            scale = np.exp(parts @ widths)
            z = (y - said - lines @ curve) / scale
            right = (1 - wrong) * np.exp(_log_t(z, _FIT_DEGREES)) / scale
            sure = right / np.maximum(right + wrong * others, SMALLEST)
            wrong = float(np.clip(1 - sure.mean(), 1e-3, _MOST_WRONG))
            weight = sure * (_FIT_DEGREES + 1) / (_FIT_DEGREES + z**2) / scale**2
            square = lines.T @ (weight[:, None] * lines)
            square += 1e-8 * np.trace(square) / len(square) * np.eye(len(square))
            curve = np.linalg.solve(square, lines.T @ (weight * (y - said)))
            z = (y - said - lines @ curve) / scale
            slope = sure * ((_FIT_DEGREES + 1) * z**2 / (_FIT_DEGREES + z**2) - 1)
            bend = 2 * _FIT_DEGREES / (_FIT_DEGREES + 3) * parts.T @ (sure[:, None] * parts)
            step = np.linalg.solve(bend + hold, parts.T @ slope - hold @ [0, *widths[1:]])
            widths = widths + np.clip(step, -1, 1)
        return replace(honest, curve=curve, widths=widths)

    def standardized(self, y: np.ndarray, said: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (n,) residuals in units of their scale, and the scale."""
        scale = np.exp(self._parts(said) @ self.widths)
        return (y - self.middle(said)) / scale, scale

    def middle(self, said: np.ndarray) -> np.ndarray:
        """Return (n,) where right targets lie."""
        return said + self._lines(said) @ self.curve

    def _lines(self, said: np.ndarray) -> np.ndarray:
        away = (said - self.knots[len(self.knots) // 2]) / self.unit
        bends = np.maximum(said[:, None] - self.knots, 0) / self.unit
        return np.column_stack([np.ones(len(said)), away, bends])  # (n, 2 + knots)

    def _parts(self, said: np.ndarray) -> np.ndarray:
        rank = np.interp(said, self.ranks, np.linspace(-0.5, 0.5, len(self.ranks)))
        bends = np.maximum(rank[:, None] - np.array([-0.25, 0.0, 0.25]), 0)
        return np.column_stack([np.ones(len(said)), rank, bends])  # (n, 5)


def _shapes(z: np.ndarray, scale: np.ndarray, others: np.ndarray) -> list[_Shape]:
    """Return each shape with the scales that are likeliest with wrong targets and without."""
    shapes: list[_Shape] = []
    error = np.sqrt(1 / (2 * len(z)))
    for degrees in _DEGREES:
        for skew in _SKEWS:
            mixes = _likeliest_scale(z, scale, others, degrees, skew, 0.1)
            alone = _likeliest_scale(z, scale, others, degrees, skew, 0.0)
            wide = [mixes * np.exp(beside * error) for beside in _BESIDE]
            shapes += [_Shape(degrees, skew, float(one)) for one in (*wide, alone)]
    return shapes


def _likeliest_scale(
    z: np.ndarray,
    scale: np.ndarray,
    others: np.ndarray,
    degrees: float,
    skew: float,
    wrong: float,
) -> float:
    """Return the likeliest scale of a shape by EM, of right targets alone where `wrong` is 0."""
    folded, found, among = np.where(z > 0, z / skew, z * skew) ** 2, 1.0, wrong > 0
    sure = np.ones(len(z))
    for _ in range(_SCALE_STEPS):
        if among:
            right = (1 - wrong) * _right(z, scale, _Shape(degrees, skew, found))
            sure = right / np.maximum(right + wrong * others, SMALLEST)
            wrong = float(np.clip(1 - sure.mean(), 1e-3, _MOST_WRONG))
        far = sure * (degrees + 1) / (degrees + folded / found**2) * folded
        found = float(np.sqrt(max(far.sum() / sure.sum(), SMALLEST)))
    return found


def _right(z: np.ndarray, scale: np.ndarray, shape: _Shape) -> np.ndarray:
    """Return (n,) the density of targets that are right."""
    x = z / shape.scale
    x = np.where(x > 0, x / shape.skew, x * shape.skew)
    height = 2 / (shape.skew + 1 / shape.skew) / shape.scale
    return height * np.exp(_log_t(x, shape.degrees)) / scale


def _log_t(x: np.ndarray, degrees: float) -> np.ndarray:
    from scipy.special import gammaln  # type: ignore[import-untyped]

    gammas = float(gammaln((degrees + 1) / 2) - gammaln(degrees / 2))
    level = gammas - 0.5 * math.log(math.pi * degrees)
    return level - (degrees + 1) / 2 * np.log1p(x * x / degrees)


def _width(shape: _Shape) -> float:
    """Return the spread of a shape, as `_spread` measures it."""
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    sides = (shape.skew + 1 / shape.skew) / 2
    return float(shape.scale * sides * stdtrit(shape.degrees, 0.75) * 2 / _IQR)


def _spread(values: np.ndarray) -> float:
    """Return the deviation, or that of a normal distribution of as wide a middle half if less."""
    low, high = np.quantile(values, [0.25, 0.75])
    deviation, middle = float(np.std(values)), float(high - low) / _IQR
    return min(deviation, middle) if middle > 0 else deviation


def _density(y: np.ndarray) -> np.ndarray:
    """Return (n,) the density of each target among the others, by normal kernels."""
    from scipy.ndimage import gaussian_filter1d  # type: ignore[import-untyped]

    n, spread = len(y), _spread(y)
    low, middle, high = np.quantile(y, [0.005, 0.5, 0.995])
    width = max(0.9 * spread * n**-0.2, 1e-12 * (abs(middle) + spread))
    low, high = low - 4 * width, high + 4 * width
    cell = (high - low) / (_CELLS - 1)
    width = max(width, cell)
    place = (y - low) / cell
    inside = (place >= 0) & (place <= _CELLS - 1)
    left = np.clip(place.astype(np.int64), 0, _CELLS - 2)
    part = place - left
    counts = np.bincount(left[inside], 1 - part[inside], _CELLS)
    counts += np.bincount(left[inside] + 1, part[inside], _CELLS)
    smooth = gaussian_filter1d(counts, width / cell, mode="constant") / cell
    itself = 1 / (width * np.sqrt(2 * np.pi))
    near = (1 - part) * smooth[left] + part * smooth[left + 1] - itself
    near = np.where(inside, np.maximum(near, 0) / (n - 1), 0)
    reach = max(spread, width)
    far = 1 / (np.pi * reach * (1 + ((y - middle) / reach) ** 2))
    return (1 - _FAR) * near + _FAR * far


def _dealt(
    mixture: Mixture,
    honest: _Honest,
    z: np.ndarray,
    scale: np.ndarray,
    said: np.ndarray,
    varies: float,
    generator: np.random.Generator,
) -> float:
    """Return how often the ratio is as large where residuals are dealt anew to the rows.

    Of groups, what it has beyond the mean of these is as many times less sure.
    """
    n, middle = len(z), honest.middle(said)
    right, wrong = np.empty((DRAWS + 1, n)), np.empty((DRAWS + 1, n))
    right[0], wrong[0] = mixture.right[mixture.best], mixture.wrong[0]
    of_z = right[0] * scale
    for draw in range(1, DRAWS + 1):
        order = generator.permutation(n)
        right[draw] = of_z[order] / scale
        wrong[draw] = _density(middle + scale * z[order])
    flipped = likeliest(right, wrong, _MOST_WRONG, 10)
    gain = log_likelihood(right, wrong, flipped[:, None]) - log_likelihood(right, wrong, 0.0)
    usual = gain[1:].mean()
    return float((1 + (gain[1:] - usual >= (gain[0] - usual) / varies).sum()) / (DRAWS + 1))


def _evenness(mixture: Mixture, y: np.ndarray, said: np.ndarray, varies: float) -> float:
    """Return the chance of doubted rows that cluster as much at some predictions or targets."""
    from scipy.special import chdtrc  # type: ignore[import-untyped]

    right, wrong = mixture.right[mixture.best], mixture.wrong[0]
    flipped = float(mixture.flipped[mixture.best])
    ranks = np.argsort(np.argsort(said, kind="stable"))
    of_said = ranks * _PARTS // len(y)
    of_y = np.searchsorted(np.quantile(y, np.arange(1, _PARTS) / _PARTS), y)
    if _least(right, wrong, flipped, of_said, of_y) >= _RARER * flipped:
        return 1.0
    doubted = flipped * wrong / mixed(right, wrong, flipped)
    chances: list[float] = []
    for score, of in ((mixture.slope(), of_said), (doubted, of_y)):
        share = np.bincount(of, minlength=_PARTS) / len(of)
        away = np.bincount(of, score, _PARTS) - share * score.sum()
        square = away[share > 0] ** 2 / share[share > 0]
        statistic = float(square.sum()) / (varies * max(float(score @ score), SMALLEST))
        chances.append(float(chdtrc(max(1, int((share > 0).sum()) - 1), statistic)))
    return min(1.0, 2 * min(chances))


def _least(
    right: np.ndarray, wrong: np.ndarray, flipped: float, of_said: np.ndarray, of_y: np.ndarray
) -> float:
    """Return the likeliest share of wrong targets in the quarter that has the fewest."""
    share = np.bincount(of_y, minlength=_PARTS) / len(of_y)
    by_said, by_y = np.full(_PARTS, flipped), np.full(_PARTS, flipped)
    for _ in range(_PART_STEPS):
        among = by_said[of_said] * wrong
        doubted = among / np.maximum((1 - by_said[of_said]) * right + among, SMALLEST)
        by_said = np.bincount(of_said, doubted, _PARTS) / np.bincount(of_said, minlength=_PARTS)
        among = by_y[of_y] * wrong
        honest = max(0.0, 1 - float(by_y @ share))
        doubted = among / np.maximum(honest * right + among, SMALLEST)
        by_y = np.bincount(of_y, doubted, _PARTS) / len(of_y) / np.maximum(share, SMALLEST)
    return float(min(by_said.min(), by_y[share > 0].min()))
