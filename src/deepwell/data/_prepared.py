"""Rows understood, divided and encoded: what loading makes of a table before it is sealed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from ._divide import Divided
from ._gather import Gathered
from ._pool import Pool
from ._rows import Rows
from ._table_encoder import TableEncoder
from ._target import TargetEncoder
from ._task import Task
from ._weighting import Weighting


@dataclass(frozen=True, eq=False)
class Prepared:
    """The outcome, the same whether the table was in memory or was streamed.

    Attributes:
        gathered: where the rows came from; of a streamed table only the columns that split it.
        task: what is predicted.
        divided: the part of each row.
        hashes: (n,) uint64 hashes of the rows, identifiers left out.
        comparable: names of the columns that those hashes count.
        fingerprint: of the data as read; seed: of the split.
        train, dev: encoded rows.
        test: raw rows, to be sealed.
        table_encoder, target_encoder: fitted on the train rows.
        notes: what a reader should know.
        weighting: how much rows count, fitted on the train rows.
        train_dev: encoded rows cut from train, or None.
        image: height, width and channels of a row, empty where it is no image.
        pool: rows to make folds of, or why there are none.
        dev_frame: raw dev rows, where the table was in memory.
    """

    gathered: Gathered
    task: Task
    divided: Divided
    hashes: np.ndarray
    comparable: set[str]
    fingerprint: str
    seed: int
    train: Rows
    dev: Rows
    test: pl.DataFrame
    table_encoder: TableEncoder
    target_encoder: TargetEncoder
    notes: tuple[str, ...]
    weighting: Weighting
    train_dev: Rows | None = None
    image: tuple[int, ...] = ()
    dev_frame: pl.DataFrame | None = None
    pool: Pool | str = "the table is streamed, and folds need all rows in memory; leave `folds` out"
