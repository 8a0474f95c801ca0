"""The learning-rate range test: many rates, each a network of its own, trained briefly (G7).

One network whose rate grows step by step (Smith 2017, "Cyclical learning rates", WACV, section
3.3) is at every rate where the rates before have left it, and a single spike decides. Here every
rate starts from the same weights and sees the same batches, and several seeds say how sure the
answer is. Of the mean train costs at the end:

- the *edge* is the lowest rate from which on training diverges: the cost is no longer finite or
  ends above where its own run began, in most runs, and at the next rate too, so that one spike is
  no edge;
- the *steepest* rate is the one around which the cost falls fastest with the logarithm of the
  rate;
- the *recommended* rate is the middle of the valley: of a running median of three rates, which no
  single rate can move, the rates around the lowest cost that are no more than a tenth of the fall
  above it, deeper ones counting more. Its interval comes from resampling the seeds, and is never
  narrower than the grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import Estimate

LEAST_RATES = 5
LEARNT = 0.02  # of the cost at the start: less is no fall to go by
_RESAMPLES = 500
_ROUNDED = 1e-4  # of the cost at the start: a network that stays there is not above it
_NEAR = 0.1  # of the fall: rates whose cost is so near to the lowest are worth searching


@dataclass(frozen=True)
class RangeReading:
    """What a range test says; as in `RateRange`."""

    costs: tuple[float, ...]
    recommended: Estimate | None = None
    low: float = 0.0
    high: float = 0.0
    steepest: float | None = None
    edge: float | None = None
    refusal: str = ""
    note: str = ""


def read_range(
    rates: np.ndarray, costs: np.ndarray, start: np.ndarray | float, seed: int = 0
) -> RangeReading:
    """Return what the costs at the end of short trainings say about the rate.

    Args:
        rates: (K,) rising, 5 or more, evenly spaced in their logarithms.
        costs: (R, K) train cost at the end of run r at rate k; not finite where it diverged.
        start: (R,) train cost of each run before the first step, or that of all.
        seed: of the resampling.

    Raises:
        ValueError: when the shapes do not belong together.
    """
    if len(rates) < LEAST_RATES or costs.ndim != 2 or costs.shape[1] != len(rates):
        raise ValueError(
            f"costs of (runs, rates) at {LEAST_RATES} rates or more, got {costs.shape} at "
            f"{len(rates)}"
        )
    logs = np.log(rates)
    starts: np.ndarray = np.broadcast_to(np.asarray(start, np.float64), len(costs))
    whole = float(starts.mean())
    diverged = ~np.isfinite(costs) | (costs > (1 + _ROUNDED) * starts[:, None])
    means = np.where(np.isfinite(costs).all(axis=0), _mean(costs), math.inf)
    found = RangeReading(
        costs=tuple(float(c) for c in means),
        steepest=_steepest(rates, _smooth(_capped(costs, starts))),
        edge=_edge(rates, diverged),
    )
    smooth = _smooth(_capped(costs, starts))
    if smooth.min() > (1 - LEARNT) * whole:
        return replace(found, refusal="no rate learned in so short a time")
    lowest = _bottom(logs, smooth, whole)
    random = np.random.default_rng(seed)
    runs = random.integers(len(costs), size=(_RESAMPLES, len(costs)))
    each = [
        _bottom(logs, _smooth(_capped(costs[drawn], starts[drawn])), float(starts[drawn].mean()))
        for drawn in runs
    ]
    step = float(logs[1] - logs[0])
    low, high = (float(q) for q in np.quantile(each, (0.025, 0.975)))
    low, high = min(low, lowest - step / 2), max(high, lowest + step / 2)
    near = rates[_valley(smooth, whole)]
    return replace(
        found,
        recommended=Estimate(*(float(np.exp(v)) for v in (lowest, low, high))),
        low=float(near[0]),
        high=float(near[-1]),
        note=_at_an_end(rates, smooth),
    )


def _at_an_end(rates: np.ndarray, smooth: np.ndarray) -> str:
    place = int(np.argmin(smooth))
    if place <= 1:
        return f"the lowest cost is at the lowest rates; try rates below {rates[0]:.3g} too"
    if place >= len(rates) - 2:
        return f"the lowest cost is at the highest rates; try rates above {rates[-1]:.3g} too"
    return ""


def _mean(costs: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        return costs.mean(axis=0)


def _capped(costs: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Return the mean over the runs, in which one that diverged counts as where it began."""
    began = starts[:, None]
    return np.where(np.isfinite(costs), np.minimum(costs, began), began).mean(axis=0)


def _smooth(costs: np.ndarray) -> np.ndarray:
    """Return the running median of three; the ends stay."""
    inside = np.median(np.stack([costs[:-2], costs[1:-1], costs[2:]]), axis=0)
    return np.concatenate([costs[:1], inside, costs[-1:]])


def _bottom(logs: np.ndarray, smooth: np.ndarray, start: float) -> float:
    """Return the logarithm of the rate in the middle of the valley, deeper rates counting more."""
    inside = _valley(smooth, start)
    rim = smooth.min() + _NEAR * (start - smooth.min())
    return float(np.average(logs[inside], weights=rim - smooth[inside] + 1e-9 * start))


def _valley(smooth: np.ndarray, start: float) -> slice:
    """Return the rates around the lowest cost that are lower than a tenth of the fall above it."""
    high = smooth > smooth.min() + _NEAR * (start - smooth.min())
    place = int(np.argmin(smooth))
    below, above = np.flatnonzero(high[:place]), np.flatnonzero(high[place:])
    first = int(below[-1]) + 1 if len(below) else 0
    last = place + int(above[0]) if len(above) else len(smooth)
    return slice(first, last)


def _steepest(rates: np.ndarray, smooth: np.ndarray) -> float | None:
    """Return the rate around which the cost falls fastest; None where it never falls."""
    slope = np.gradient(smooth)
    place = int(np.argmin(slope))
    return float(rates[place]) if slope[place] < 0 else None


def _edge(rates: np.ndarray, diverged: np.ndarray) -> float | None:
    """Return the lowest rate at which most runs diverge, as they do at the next one."""
    most = diverged.mean(axis=0) > 0.5
    last = np.append(most[1:], True)
    found = np.flatnonzero(most & last)
    return float(rates[found[0]]) if len(found) else None
