"""Columns that seem to name groups: patients, users, machines, with several rows each.

Rows of one group are often alike beyond what their inputs say, and a split that parts them makes
dev scores too good. Which columns these are is told by their name and by how often values come
again, never from the target.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import polars as pl

from ._column_kinds import ID_CAMEL, ID_NAME
from ._column_values import as_labels
from ._split import DEV, TRAIN

LEAST_GROUPS = 10
LEAST_ROWS = 2.0  # a group, in the mean
_WHO = (
    "patient|subject|person|user|customer|client|member|household|family|participant|donor|animal|"
    "speaker|writer|author|rater|session|visit|device|machine|sensor|vehicle|group|cluster"
)
GROUP_NAME = re.compile(rf"(?:^|[_\s.-])(?:{_WHO})s?(?:$|[_\s.-])", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class GroupColumn:
    """A column that seems to name groups.

    Attributes:
        name: of the column.
        codes: (n,) number of the group of each train and dev row, in the order of the table; -1
            where it is blank.
        dev: (n,) whether the split made it a dev row.
    """

    name: str
    codes: np.ndarray
    dev: np.ndarray


def group_columns(
    frame: pl.DataFrame, parts: np.ndarray, aside: Iterable[str]
) -> tuple[GroupColumn, ...]:
    """Return the columns that seem to name groups.

    Args:
        frame: the table.
        parts: (n,) the part of each row.
        aside: columns that are not looked at, such as the target.
    """
    left = [name for name in frame.columns if name not in set(aside) and _names_groups(name)]
    found: list[GroupColumn] = []
    rows = np.flatnonzero((parts == TRAIN) | (parts == DEV))
    for name in left:
        series = frame[name]
        if not (series.dtype.is_integer() or series.dtype == pl.String):
            continue
        labels = as_labels(series[rows])
        distinct = labels.drop_nulls().n_unique()
        if distinct < LEAST_GROUPS or len(rows) < LEAST_ROWS * distinct:
            continue
        codes = labels.rank("dense").cast(pl.Int64).fill_null(0).to_numpy() - 1
        found.append(GroupColumn(name, codes, parts[rows] == DEV))
    return tuple(found)


def _names_groups(name: str) -> bool:
    return any(pattern.search(name) for pattern in (GROUP_NAME, ID_NAME, ID_CAMEL))
