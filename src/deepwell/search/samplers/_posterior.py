"""What the Bayesian sampler believes of points: the picture of mean, band and acquisition."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._acquisition import log_expected_improvement
from ._cube import cube_of
from ._surrogate import surrogate


@dataclass(frozen=True)
class Posterior:
    """A belief about the scores of points, after the most epochs that there are.

    The scores are warped before a Gaussian process describes them, and come back for this: the
    mean becomes the median score, and the band is not symmetric.

    Attributes:
        mean: the score in the middle of the belief, (m,).
        low, high: two standard deviations below and above it, (m,); noise is not in it.
        sd: standard deviation of the warped function, over its own over the whole domain, (m,): 1
            where nothing is known.
        acquisition: expected improvement by its natural logarithm, (m,); the larger, the sooner a
            point is proposed.
    """

    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    sd: np.ndarray
    acquisition: np.ndarray


def posterior(
    domain: Domain, history: Sequence[Observation], points: Sequence[Mapping[str, Value]]
) -> Posterior:
    """Return what the Bayesian sampler believes of points.

    >>> from deepwell.search import Domain, uniform
    >>> domain = Domain({"x": uniform(0, 1)})
    >>> history = [Observation({"x": u}, score=(u - 0.3) ** 2) for u in (0.0, 0.25, 0.5, 1.0)]
    >>> belief = posterior(domain, history, [{"x": 0.25}, {"x": 0.35}, {"x": 0.75}])
    >>> belief.sd[0] < belief.sd[1] < belief.sd[2]
    np.True_

    Args:
        domain: what may be tried.
        history: what was tried; scores that are still out are passed over.
        points: values of every name of the domain, m times.

    Raises:
        UsageError: when no score of the history is known, or a point lies outside of the domain.
    """
    cube = cube_of(domain, history)
    if not np.isfinite(cube.scores).any():
        raise UsageError("a posterior needs a finite score in the domain; tell one first")
    units = [domain.encode(values) for values in points]
    inside = [unit for unit in units if unit is not None]
    if len(inside) < len(units):
        raise UsageError(f"point {units.index(None)} lies outside of the domain; leave it out")
    model = surrogate(cube)
    at = cube.snapped(np.array(inside).reshape(len(inside), cube.dimension))
    mean, sd = model.process.predict(cube.features.of(at))
    low, middle, high = (
        model.units.low + model.units.spread * model.process.warp.back(z)
        for z in (mean - 2 * sd, mean, mean + 2 * sd)
    )
    gain = log_expected_improvement(mean, sd, model.best)[0]
    return Posterior(middle, low, high, sd / model.process.sd, gain)
