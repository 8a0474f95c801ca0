"""The kinds of split by name: those that draw or cut, and the one that is read from a column."""

from __future__ import annotations

from collections.abc import Callable

from deepwell._base._registry import Registry

from ._group_split import group_split
from ._split import Split, SplitInput
from ._stratified_split import random_split, stratified_split
from ._time_split import time_split

SPLITS: Registry[Callable[[SplitInput], Split]] = Registry(
    "split",
    {
        "stratified": stratified_split,
        "random": random_split,
        "group": group_split,
        "time": time_split,
    },
)
COLUMN = "column"  # each row says its part itself
KINDS = (*SPLITS, COLUMN)
