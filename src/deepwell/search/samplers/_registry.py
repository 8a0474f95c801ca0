"""The samplers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from . import _bayesian, _random, _tpe
from ._sampler import Sampler

SAMPLERS: Registry[Sampler] = Registry(
    "search",
    {
        "random": Sampler(_random.propose),
        "bayesian": Sampler(_bayesian.propose, learns=True),
        "tpe": Sampler(_tpe.propose, learns=True),
    },
)
