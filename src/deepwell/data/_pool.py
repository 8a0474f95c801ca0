"""Train and dev rows as they came, kept for cross-validation, which encodes them fold by fold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from deepwell._base._hash import Key, Purpose, fold, key

from ._column_kinds import InputColumn
from ._divide import Divided, first_of_its_kind, group_numbers
from ._gather import Gathered
from ._group_split import joined_groups
from ._load_options import LoadOptions
from ._memory import gigabytes
from ._split import DEV, TRAIN
from ._split_kinds import COLUMN

LARGEST = 256 << 20  # bytes kept beside the encoded rows; folds are for tables far smaller


@dataclass(frozen=True, eq=False)
class Pool:
    """The rows that folds are made of, in the order of the table.

    Attributes:
        frame: raw train and dev rows.
        inputs: the columns that the network sees.
        together: (n,) rows with equal numbers may not be parted: copies, and members of a group.
        seed: of the split, and of folds.
        train: (n,) whether the split made it a train row.
        group: (n,) number of each row's group, None where no column of groups was named.
    """

    frame: pl.DataFrame
    inputs: tuple[InputColumn, ...]
    together: np.ndarray
    seed: int
    train: np.ndarray
    group: np.ndarray | None = None

    def draws(self, folds: int) -> Key:
        """Return the key of the draws that make so many folds."""
        return fold(fold(key(self.seed), Purpose.FOLDS), folds)


def pool_of(
    gathered: Gathered,
    divided: Divided,
    units: np.ndarray,
    inputs: tuple[InputColumn, ...],
    seed: int,
    options: LoadOptions,
) -> Pool | str:
    """Return the pool, or why folds cannot be made of these rows, as the end of a sentence.

    Args:
        gathered: all rows.
        divided: the part of each row.
        units: (n,) uint64 hashes; equal ones are copies.
        inputs: the columns that the network sees.
        seed: of the split.
        options: what the user said.
    """
    if divided.kind == "time":
        return "rows split by time have an order that folds would break; leave `folds` out"
    if divided.kind == COLUMN:
        return (
            "the split column says which rows are dev, and folds would mix them with train rows; "
            "leave one of the two out"
        )
    if options.dev_source is not None:
        return (
            "dev rows were given, which folds would mix with train rows; give one table, or leave "
            "`folds` out"
        )
    if options.train_dev is not None:
        return "`train_dev` holds rows out of train, and folds use all; leave one of the two out"
    size = gathered.frame.estimated_size()
    if size > LARGEST:
        return (
            f"the table takes {gigabytes(int(size))}, more than the {gigabytes(LARGEST)} up to "
            "which rows are kept for folds; its dev set is large enough to go by"
        )
    rows = np.flatnonzero((divided.parts == TRAIN) | (divided.parts == DEV))
    frame = gathered.frame[rows]
    together, group = first_of_its_kind(units[rows]), None
    if options.group is not None:
        group = group_numbers(frame[options.group])
        together = joined_groups(group, together)[0]
    return Pool(frame, inputs, together, seed, divided.parts[rows] == TRAIN, group)
