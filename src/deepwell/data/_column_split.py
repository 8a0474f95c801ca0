"""Splits that a column of the table gives: each row says which part it belongs to."""

from __future__ import annotations

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError, did_you_mean

from ._column_values import as_labels
from ._names import count_of, name_list, quoted
from ._split import DEV, PARTS, TEST, TRAIN, TRAIN_DEV

NAMES = {
    "train": TRAIN,
    "training": TRAIN,
    "dev": DEV,
    "development": DEV,
    "val": DEV,
    "valid": DEV,
    "validation": DEV,
    "test": TEST,
    "testing": TEST,
    "train-dev": TRAIN_DEV,
    "train_dev": TRAIN_DEV,
}
EXPECTED = "train, dev (or valid, validation), test or train-dev"


def column_parts(column: pl.Series, *, needs_test: bool, cuts_train_dev: bool) -> np.ndarray:
    """Return (n,) int8: the part that each row names, in any case of letters.

    Args:
        column: the values, of any type.
        needs_test: whether there must be test rows; else there must be none.
        cuts_train_dev: whether a train-dev slice will be cut from train, so that none is given.

    Raises:
        UsageError: when a value is missing or none of the names, or a part is.
    """
    name = quoted(column.name)
    labels = as_labels(column).str.to_lowercase()
    missing = labels.null_count()
    if missing:
        raise UsageError(
            f"split column {name} must say {EXPECTED} in every row, got "
            f"{count_of(missing, 'blank')}; fill them, or remove those rows"
        )
    unknown = labels.filter(~labels.is_in(list(NAMES))).unique().sort().to_list()
    if unknown:
        hint = did_you_mean(unknown[0], NAMES) if len(unknown) == 1 else ""
        raise UsageError(
            f"split column {name} must say {EXPECTED} in every row, got {name_list(unknown, 5)}"
            f"{hint}"
        )
    parts = labels.replace_strict(NAMES, return_dtype=pl.Int8).to_numpy()
    _require(name, parts, needs_test=needs_test, cuts_train_dev=cuts_train_dev)
    return parts


def _require(name: str, parts: np.ndarray, *, needs_test: bool, cuts_train_dev: bool) -> None:
    counts = np.bincount(parts, minlength=len(PARTS) + 1)
    for part in (TRAIN, DEV):
        if not counts[part]:
            raise UsageError(f"split column {name} marks no row as {PARTS[part]}; mark some")
    if needs_test and not counts[TEST]:
        raise UsageError(
            f"split column {name} marks no row as test; mark some, or give --test 0 for no test set"
        )
    if counts[TEST] and not needs_test:
        raise UsageError(
            f"split column {name} marks {count_of(int(counts[TEST]), 'row')} as test, and `test` 0 "
            "wants none; leave `test` out"
        )
    if counts[TRAIN_DEV] and cuts_train_dev:
        raise UsageError(
            f"split column {name} marks {count_of(int(counts[TRAIN_DEV]), 'row')} as train-dev, "
            "and `train_dev` would cut others; leave `train_dev` out"
        )
