"""Quasi-random search by a scrambled Sobol sequence (Sobol 1967; Owen 1998, J. Complexity 14).

The points of a random search leave gaps and form clusters; those of a sequence of low
discrepancy fill the space evenly, whatever the number of points, and each axis as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._domain import Domain

from ._fresh import fresh
from ._sequence import EvenPoints, sobol, unseen


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return the next `n` points of a Sobol sequence in the unit cube.

    A search goes through one sequence, whatever the sizes of its calls: the place of the next
    point is the length of the history, or behind it where points were passed over. Whole numbers
    and choices come equally often, for their shares of an axis are of equal length.

    Args:
        domain: what may be tried.
        history: all that was tried so far; its scores do not matter.
        n: how many configurations are wanted.
        key: of the call; the part that all calls share decides on the sequence.
    """
    points = EvenPoints(sobol, len(domain.searched), key, len(history))
    return fresh(domain, history, n, unseen(domain, history, points))
