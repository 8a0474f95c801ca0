"""Random search (Bergstra and Bengio 2012, Journal of Machine Learning Research 13).

25 random trials try 25 values of the hyperparameter that matters; a 5 x 5 grid tries 5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._fresh import fresh


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return `n` configurations drawn independently, without repetition in a finite domain.

    Args:
        domain: what may be tried.
        history: all that was tried so far; it matters only for what is not proposed again.
        n: how many configurations are wanted.
        key: where all randomness comes from.

    Returns:
        One dictionary a configuration, with a real value for every name of `domain`.
    """
    generator = np.random.default_rng(key)
    axes = len(domain.searched)
    return fresh(domain, history, n, lambda count: generator.random((count, axes)))
