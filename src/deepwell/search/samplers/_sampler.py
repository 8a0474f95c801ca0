"""The contract of a sampler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain


class Propose(Protocol):
    """A pure function from what is known to what is tried next."""

    def __call__(
        self, domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        """Return `n` configurations: the real values of every name of `domain`.

        The same arguments give the same configurations, bit for bit. Each is allowed by the
        domain. In a finite domain no configuration comes twice, within the batch or against the
        history, until all have come.

        Args:
            domain: what may be tried.
            history: all that was tried so far, in the order of proposal; points outside of the
                domain may be among it, from before it was narrowed.
            n: how many configurations are wanted.
            key: where all randomness comes from; a new one for each call. The first word of its
                entropy is the same for all calls of a search, as in `SeedSequence([seed, call])`.
        """
        ...


@dataclass(frozen=True)
class Sampler:
    """A way to propose, and what a study has to know about it. It is called as `propose` is.

    Attributes:
        propose: `(domain, history, n, key) -> configurations`.
        learns: whether scores change what it proposes; such a sampler is asked for a part of the
            trials at a time, any other one for all of them at once.
        sized: `points -> propose`: the same for a search of so many points in all, None where
            nobody said how many; None for a sampler that does not care.
    """

    propose: Propose
    learns: bool = False
    sized: Callable[[int | None], Propose] | None = None

    def __call__(
        self, domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        """Return `n` configurations; see `Propose`."""
        return self.propose(domain, history, n, key)

    def planned(self, points: int | None) -> Propose:
        """Return how to propose in a search of so many points in all; None when nobody knows."""
        return self.propose if self.sized is None else self.sized(points)
