"""Quasi-random search by a scrambled Halton sequence (Halton 1960, Numerische Mathematik 2).

Axis j counts in the j-th prime: its points are the whole numbers with their digits mirrored at
the point. It is even after any number of points, where Sobol's is at its best after powers of two;
with many axes the primes get large, and Sobol's is the better one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._fresh import fresh
from ._sequence import EvenPoints, halton, unseen


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return the next `n` points of a Halton sequence in the unit cube.

    A search goes through one sequence, whatever the sizes of its calls.

    Args:
        domain: what may be tried.
        history: all that was tried so far; its scores do not matter.
        n: how many configurations are wanted.
        key: of the call; the part that all calls share decides on the sequence.
    """
    points = EvenPoints(halton, len(domain.searched), key, len(history))
    return fresh(domain, history, n, unseen(domain, history, points))
