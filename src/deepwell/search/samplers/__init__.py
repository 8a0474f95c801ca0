"""Samplers: `propose(domain, history, n, key)` returns the configurations to try next."""

from ._posterior import Posterior as Posterior
from ._posterior import posterior as posterior
from ._registry import SAMPLERS as SAMPLERS
from ._sampler import Sampler as Sampler
