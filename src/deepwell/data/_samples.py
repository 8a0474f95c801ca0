"""Real tables to try things on: five classic data sets that scikit-learn carries."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from deepwell._base._atomic_file import write_file
from deepwell._base._errors import UsageError
from deepwell._base._registry import Registry

from ._names import quoted


def write_sample(name: str, path: str | os.PathLike[str]) -> pl.DataFrame:
    """Write a sample table and return it.

    `digits` has 64 pixel columns and `label` (10 classes, 1,797 rows), `breast-cancer` (569),
    `wine` (178) and `iris` (150) have `label`, `diabetes` (442) has the number `target`.

    Args:
        name: of the sample.
        path: of the file; Parquet when it ends in `.parquet`, else CSV.

    Raises:
        UsageError: when there is no such sample or the file cannot be written.
    """
    frame = SAMPLES[name]()
    target = Path(path)
    buffer = io.BytesIO()
    if target.suffix.lower() in (".parquet", ".pq"):
        frame.write_parquet(buffer)
    else:
        frame.write_csv(buffer)
    try:
        write_file(target, buffer.getvalue())
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise UsageError(
            f"{quoted(path)} cannot be written ({reason}); choose a file in a folder that exists "
            "and that you may write to"
        ) from None
    return frame


def _digits() -> pl.DataFrame:
    return _frame(_datasets().load_digits(), "label")


def _breast_cancer() -> pl.DataFrame:
    return _frame(_datasets().load_breast_cancer(), "label", named=True)


def _wine() -> pl.DataFrame:
    return _frame(_datasets().load_wine(), "label", named=True)


def _iris() -> pl.DataFrame:
    return _frame(_datasets().load_iris(), "label", named=True)


def _diabetes() -> pl.DataFrame:
    return _frame(_datasets().load_diabetes(scaled=False), "target")


SAMPLES: Registry[Callable[[], pl.DataFrame]] = Registry(
    "sample",
    {
        "digits": _digits,
        "breast-cancer": _breast_cancer,
        "wine": _wine,
        "iris": _iris,
        "diabetes": _diabetes,
    },
)


def _datasets() -> Any:
    import sklearn.datasets

    return sklearn.datasets


def _frame(bunch: Any, target: str, named: bool = False) -> pl.DataFrame:
    """Return inputs and target with tidy names; whole numbers as integers."""
    names = [re.sub(r"[^0-9a-z]+", "_", n.lower()).strip("_") for n in bunch.feature_names]
    columns = [_tidy(name, bunch.data[:, j]) for j, name in enumerate(names)]
    labels = np.asarray(bunch.target_names)[bunch.target] if named else bunch.target
    last = pl.Series(target, labels.astype(str)) if named else _tidy(target, labels)
    return pl.DataFrame([*columns, last])


def _tidy(name: str, values: np.ndarray) -> pl.Series:
    whole = bool((values == np.round(values)).all())
    return pl.Series(name, values.astype(np.int64) if whole else values)
