"""What every initializer must hold."""

from __future__ import annotations

import math
from collections.abc import Callable

from ._require import require

_SHAPES = ((1, 1), (5, 3), (64, 64), (784, 10), (3, 4096))


def check_initializer(standard_deviation: Callable[[int, int], float]) -> None:
    """Check a scheme `(n_in, n_out) -> standard deviation`; raises `AssertionError`.

    - it is a finite number of at least 0 for every shape of a layer;
    - the same shape gives the same number: what varies comes from the draws alone.

    >>> from deepwell.networks import INITIALIZERS
    >>> check_initializer(INITIALIZERS["he"])
    """
    for n_in, n_out in _SHAPES:
        std = standard_deviation(n_in, n_out)
        require(
            isinstance(std, int | float) and math.isfinite(std) and std >= 0,
            f"the standard deviation of a {n_in} x {n_out} layer must be a finite number of at "
            f"least 0, got {std!r}",
        )
        require(
            standard_deviation(n_in, n_out) == std,
            f"the standard deviation of a {n_in} x {n_out} layer must be the same each time",
        )
