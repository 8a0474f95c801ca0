"""The samplers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from . import _bayesian, _coarse_to_fine, _grid, _halton, _quasi_random, _random, _tpe
from ._sampler import Sampler

SAMPLERS: Registry[Sampler] = Registry(
    "search",
    {
        "random": Sampler(_random.propose),
        "grid": Sampler(_grid.propose, sized=_grid.sized, size=_grid.size),
        "quasi-random": Sampler(_quasi_random.propose),
        "halton": Sampler(_halton.propose),
        "coarse-to-fine": Sampler(
            _coarse_to_fine.propose, learns=True, region=_coarse_to_fine.region
        ),
        "bayesian": Sampler(_bayesian.propose, learns=True),
        "tpe": Sampler(_tpe.propose, learns=True),
    },
)
