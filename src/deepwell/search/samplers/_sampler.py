"""The contract of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain


class Sampler(Protocol):
    """A pure function from what is known to what is tried next."""

    def __call__(
        self, domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        """Return `n` configurations: the real values of every name of `domain`.

        The same arguments give the same configurations, bit for bit. In a finite domain no
        configuration comes twice, within the batch or against the history, until all have come.

        Args:
            domain: what may be tried.
            history: all that was tried so far, in the order of proposal; points outside of the
                domain may be among it, from before it was narrowed.
            n: how many configurations are wanted.
            key: where all randomness comes from; a new one for each call.
        """
        ...
