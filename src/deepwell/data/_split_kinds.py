"""The kinds of split by name."""

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
