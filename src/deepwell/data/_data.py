"""The data of a study: what training may see, and where the rest is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from deepwell.records import DataFacts

from ._group_columns import GroupColumn
from ._human_labels import HumanLabels
from ._origin import Origin
from ._pool import Pool
from ._rows import Rows
from ._table_encoder import TableEncoder
from ._target import TargetEncoder
from ._task import Task
from ._vault import SealedTest
from ._weighting import Weighting


@dataclass(frozen=True, eq=False)
class Data:
    """Train and dev rows, ready to train on, with how they were made. Holds no test rows.

    Attributes:
        name: short name, fit for a folder.
        target: name of the target column.
        task: what is predicted.
        train, dev: the rows.
        table_encoder: from a table to inputs, fitted on the train rows.
        target_encoder: from the target column to outputs and back, fitted on the train rows.
        facts: what was read, assumed and split.
        vault: where the test rows are sealed; None when there are none, or none were sealed.
        fingerprint: sha256 hex of the data as read: content, order of rows, names.
        row_hashes: `train`, `dev`, `test` -> (n,) uint64 hashes of the rows' content, to find rows
            that come again in another study.
        origin: how to read the data again; None when they came from memory.
        memory: budget in bytes for these rows and all that trains on them; None when none was
            given and all rows are in memory.
        train_dev: rows cut from train to tell mismatch from variance, not trained on; None when
            none were asked for.
        weighting: how much each row counts.
        image: height, width and channels where each row is an image, its numbers the inputs, row
            by row with the channels side by side; empty where rows are no images.
        group_columns: that seem to name groups, and that the split does not go by.
        pool: train and dev rows as they came, for cross-validation; a text says why not.
        dev_frame: raw dev rows, all columns; None where the table was streamed.
        dev_numbers: (n,) of each dev row in its source, counted from 1.
        pool_numbers: the same of the rows of `pool`; empty where there is none.
        human: people's labels of train and dev rows, None where no column of theirs was named.
    """

    name: str
    target: str
    task: Task
    train: Rows
    dev: Rows
    table_encoder: TableEncoder
    target_encoder: TargetEncoder
    facts: DataFacts
    vault: SealedTest | None
    fingerprint: str
    row_hashes: Mapping[str, np.ndarray]
    origin: Origin | None = None
    memory: int | None = None
    train_dev: Rows | None = None
    weighting: Weighting = field(default_factory=Weighting)
    image: tuple[int, ...] = ()
    group_columns: tuple[GroupColumn, ...] = ()
    pool: Pool | str = "the rows as they came were not kept"
    dev_frame: pl.DataFrame | None = None
    dev_numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    pool_numbers: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    human: HumanLabels | None = None
