"""Which row goes to train, dev and test (D2): what every kind of split is given and returns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell._base._hash import Key, Purpose, fold, key

from ._split_sizes import Sizes

TRAIN, DEV, TEST = 0, 1, 2
TRAIN_DEV = 3  # cut from train after the split: like train, but not trained on (D4)
PARTS = ("train", "dev", "test")


@dataclass(frozen=True, eq=False)
class SplitInput:
    """What a split may look at; never the input columns themselves.

    Attributes:
        sizes: rows wanted in each part.
        seed: of all draws.
        units: (n,) number of the row's unit; rows with the same content are one unit, and a unit
            is never cut.
        strata: (n,) class number of the row; zeros for a regression.
        groups: (n,) number of the row's group, where a group column was given.
        times: (n,) float64 time of the row, where a time column was given.
    """

    sizes: Sizes
    seed: int
    units: np.ndarray
    strata: np.ndarray
    groups: np.ndarray | None = None
    times: np.ndarray | None = None

    @property
    def key(self) -> Key:
        """The key of the split's draws."""
        return fold(key(self.seed), Purpose.SPLIT)


@dataclass(frozen=True, eq=False)
class Split:
    """The outcome: (n,) int8 part of each row, and what a reader should know."""

    parts: np.ndarray
    notes: tuple[str, ...] = ()

    def rows(self, part: int) -> np.ndarray:
        """Return the rows of a part in the order of the table."""
        return np.flatnonzero(self.parts == part)
