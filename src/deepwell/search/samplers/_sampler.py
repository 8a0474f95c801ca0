"""The contract of a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Trial
from deepwell.search.spaces._space import Space


class Sampler(Protocol):
    """A pure function from what is known to what is tried next."""

    def __call__(
        self, space: Space, history: Sequence[Trial], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        """Return `n` configurations: the real values of every hyperparameter that `space` names.

        The same arguments give the same configurations, bit for bit. In a finite space no
        configuration comes twice, within the batch or against the history, until all have come.

        Args:
            space: what may be tried.
            history: all trials so far, in the order of their numbers.
            n: how many configurations are wanted.
            key: where all randomness comes from; a new one for each call.
        """
        ...
