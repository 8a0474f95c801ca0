"""Would more data help? The error against the number of train rows, and where it goes (G5).

Networks of one configuration are trained on parts of the rows; here their scores become a
forecast for twice as many rows, or a reason why there is none.

1. *How sure each mean is*: `_curve_means.py`.
2. *Well behaved?* A curve that rises by more than chance and by what matters is refused, as is one
   that no family comes near. About one learning curve in seven is of this kind (Yan, Mohr &
   Viering 2025, "LCDB 1.1").
3. *A forecast by all families* (`_curve_draws.py`): the median of curves drawn by how likely they
   are, at 2 n, and an interval that holds 95 % of them: it counts rows, seeds, dev rows, and the
   choice of the family. None is picked by hand or by best fit.
4. *Checked.* The same is done with the sizes up to half, and must foretell the largest: the same
   doubling as the one that is asked about. Where the measured mean lies outside by what matters,
   the forecast is refused.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Estimate, HeldOutSize

from ._curve_draws import draw_curves
from ._curve_means import CurveMeans, CurveScores, curve_means, mean_points, steepest_rise

LEAST_SIZES = 5
LEAST_RUNS = 3
ILL_BEHAVED = 0.01
MISFIT = 0.001
_MOST_FEWER = 4.0
_ENDS = (0.025, 0.5, 0.975)
_LIKELY = 0.1  # share of the draws from which on a family's own interval counts


@dataclass(frozen=True)
class Extrapolation:
    """Where a learning curve goes.

    Attributes:
        points: the mean score at each size, with its interval.
        twice, gain: at twice the largest size, and how much lower that is; None where refused.
        refusal: why, as the end of a sentence.
        families: share of each in the forecast; of those with 1 % or more.
        held_out: how the largest size was foretold.
        p_monotone: chance of a rise like the steepest one where more rows never harm.
        p_fit: chance of a curve as far from all families where one of them is right.
    """

    points: tuple[Estimate, ...]
    twice: Estimate | None = None
    gain: Estimate | None = None
    refusal: str = ""
    families: Mapping[str, float] | None = None
    held_out: HeldOutSize | None = None
    p_monotone: float = 1.0
    p_fit: float = 1.0


def extrapolate(measured: CurveScores, seed: int = 0) -> Extrapolation:
    """Return what a learning curve says about twice as many rows.

    Args:
        measured: scores of 3 or more runs at 5 or more sizes.
        seed: of the draws.

    Raises:
        ValueError: when there are fewer, or a score is not finite.
    """
    runs, sizes = measured.scores.shape
    if runs < LEAST_RUNS or sizes < LEAST_SIZES or not np.isfinite(measured.scores).all():
        raise ValueError(
            f"finite scores of {LEAST_RUNS} runs or more at {LEAST_SIZES} sizes or more, got "
            f"{runs} at {sizes}"
        )
    random = np.random.default_rng(seed)
    means = curve_means(measured)
    points = mean_points(means)
    p_monotone, rise = steepest_rise(means, random)
    if p_monotone <= ILL_BEHAVED and rise[2] >= measured.worth:
        return Extrapolation(
            points,
            refusal=f"it gets worse from {rise[0]:,} to {rise[1]:,} rows",
            p_monotone=p_monotone,
        )
    largest = float(means.sizes[-1])
    drawn = draw_curves(means, 2 * largest, random)
    if drawn is None:
        return Extrapolation(points, refusal="no curve describes it", p_monotone=p_monotone)
    p_fit = _p_of_misfit(drawn.misfit, len(means.sizes), means.freedom)
    off = float(np.abs(drawn.nearest - means.values).max())
    held = _held_out(means, random)
    found = Extrapolation(
        points,
        families={name: share for name, share in drawn.families.items() if share >= 0.01},
        held_out=held,
        p_monotone=p_monotone,
        p_fit=p_fit,
    )
    refusal = ""
    if p_fit <= MISFIT and off >= measured.worth:
        refusal = "no family of curves comes near it"
    elif held is None:
        refusal = "no curve describes its smaller sizes"
    elif not held.holds and _missed_by(held) >= measured.worth / 2:
        refusal = f"{held.rows:,} rows came out otherwise than half of them foretold"
    if refusal:
        return replace(found, refusal=refusal)
    now, then = drawn.inside[:, -1], drawn.beyond
    # Of fewer errors the same dev rows tell less: their luck is as a count's.
    fewer = np.sqrt(np.clip(now / np.maximum(then, 1e-300), 1.0, _MOST_FEWER))
    luck = means.shared * random.standard_normal(len(then))
    twice = _estimate(np.exp(fewer * luck) * then, drawn.family)
    gain = _estimate(np.exp(luck) * (now - then), drawn.family)
    return replace(found, twice=twice, gain=gain)


def _missed_by(held: HeldOutSize) -> float:
    end = held.foretold
    return max(end.low - held.measured, held.measured - end.high)


def _estimate(draws: np.ndarray, family: np.ndarray) -> Estimate:
    """Return the median, and an interval that holds 95 % of all draws and of each likely family's.

    Args:
        draws: (N,) numbers.
        family: (N,) of the curve that each is of.
    """
    low, middle, high = np.quantile(draws, _ENDS)
    counts = np.bincount(family)
    for likely in np.flatnonzero(counts >= _LIKELY * len(draws)):
        own_low, _, own_high = np.quantile(draws[family == likely], _ENDS)
        low, high = min(low, own_low), max(high, own_high)
    return Estimate(float(middle), float(low), float(high))


def _held_out(means: CurveMeans, random: np.random.Generator) -> HeldOutSize | None:
    """Return what the sizes up to half of the largest say about the mean measured there.

    What the small sizes' means are off by tells of the largest one's: they share dev rows.
    """
    half = means.upto(means.sizes[-1] / 2)
    if len(half.sizes) < LEAST_SIZES - 1:
        return None
    drawn = draw_curves(half, float(means.sizes[-1]), random)
    if drawn is None:
        return None
    known = len(half.sizes)
    shared = means.covariance[-1, :known]
    gain = np.linalg.solve(half.covariance, shared)
    left = float(max(means.covariance[-1, -1] - shared @ gain, 0.0))
    foretold = drawn.beyond + (half.values - drawn.inside) @ gain
    noise = random.standard_t(means.freedom, len(foretold))
    foretold = foretold + math.sqrt(left) * noise
    return HeldOutSize(
        int(means.sizes[-1]), _estimate(foretold, drawn.family), float(means.values[-1])
    )


def _p_of_misfit(misfit: float, sizes: int, freedom: float) -> float:
    """Return the chance of so large a distance from the nearest of curves with three numbers."""
    from scipy.special import fdtrc  # type: ignore[import-untyped]

    left = max(1, sizes - 3)
    return float(fdtrc(left, freedom, misfit / left))
