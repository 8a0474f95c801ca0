"""What a gradient check works on: a cost and a gradient of one float64 vector made of blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

_ALIKE = 1e3  # entries of a block are of one size where its norm is not far above the typical one


@dataclass(frozen=True)
class Block:
    """A part of the parameters that has a name, as one weight matrix."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def size(self) -> int:
        """Number of entries."""
        return math.prod(self.shape)

    @property
    def stop(self) -> int:
        """Where the next block starts in the vector."""
        return self.start + self.size

    @property
    def place(self) -> slice:
        """Its entries in the vector."""
        return slice(self.start, self.stop)


@dataclass(frozen=True)
class Form:
    """A gradient whose block had a wrong form.

    Attributes:
        got: the shape that came.
        summed: how its entries were made to fit (`summed over axis 0`), or an empty string where
            nothing fits and the block's gradient is not known.
    """

    got: tuple[int, ...]
    summed: str = ""


@dataclass(frozen=True)
class Problem:
    """A cost and its gradient at vectors of parameters.

    Attributes:
        blocks: of the vector, in order.
        start: (n,) float64, the parameters that were given.
        costs: (k, n) -> (k,) float64.
        gradient: (n,) -> (n,) float64, what is to be checked.
        resolution: relative rounding of the parameters that the cost sees.
        rounding: relative rounding of the gradient's numbers.
        forms: block -> how its gradient's form is wrong.
        counts: numbers that a factor may stand for -> what they count, as {32: "rows"}.
    """

    blocks: tuple[Block, ...]
    start: np.ndarray
    costs: Callable[[np.ndarray], np.ndarray]
    gradient: Callable[[np.ndarray], np.ndarray]
    resolution: float = 2.0**-53
    rounding: float = 2.0**-53
    forms: Mapping[str, Form] = field(default_factory=dict)
    counts: Mapping[int, str] = field(default_factory=dict)

    @cached_property
    def scales(self) -> np.ndarray:
        """(n,) what the change of an entry is measured by: the size of its block, or 1 where 0.

        A block whose entries differ by orders of magnitude, as one vector of all parameters may,
        goes by the size of each.
        """
        sizes = np.ones(len(self.start))
        for block in self.blocks:
            values = np.abs(self.start[block.place])
            present = values[values > 1e-100]
            if not len(present):
                continue
            typical = float(np.median(present))
            rms = _root_mean_square(values)
            own = np.where(values > 1e-100, values, typical)
            sizes[block.place] = rms if rms <= _ALIKE * typical else own
        return sizes


def _root_mean_square(values: np.ndarray) -> float:
    largest = float(values.max())
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))
