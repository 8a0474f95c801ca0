"""The samplers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from . import _random
from ._sampler import Sampler

SAMPLERS: Registry[Sampler] = Registry(
    "search",
    {
        "random": Sampler(_random.propose),
    },
)
