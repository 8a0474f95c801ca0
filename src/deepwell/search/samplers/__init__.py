"""Samplers: `propose(domain, history, n, key)` returns the configurations to try next."""

from ._registry import SAMPLERS as SAMPLERS
from ._sampler import Sampler as Sampler
