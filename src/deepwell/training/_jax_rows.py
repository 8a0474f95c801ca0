"""The rows of the JAX program: padded, on every device, all of them or those of a window."""

from __future__ import annotations

import dataclasses

import jax
import numpy as np
from jax.sharding import NamedSharding

from ._jax_step import Rows
from ._program import Chunk, Structure, TrainingRows
from ._state import padded


def device_rows(structure: Structure, rows: TrainingRows, sharding: NamedSharding) -> Rows:
    """Return the rows on the devices; of streamed ones the dev rows alone.

    Where data views have rows of their own, every array has a leading axis for them; parts of the
    same rows share one array.
    """
    if structure.views != len(rows.views):
        raise ValueError(
            f"a structure of {structure.views} data views does not fit rows of {len(rows.views)}"
        )
    each = [_view_rows(structure, view) for view in rows.held]
    host = each[0] if len(each) == 1 else jax.tree.map(lambda *parts: np.stack(parts), *each)
    return jax.device_put(host, sharding)


def _view_rows(structure: Structure, rows: TrainingRows) -> Rows:
    k, width = structure.dev_rows, structure.inputs
    kind, label = _row_types(structure)
    held = slice(0) if rows.streamed else slice(None)
    return Rows(
        **_padded_train(structure, rows.x_train[held], rows.y_train[held], rows.weight_train[held]),
        x_dev=padded(rows.x_dev.astype(kind), (k, width)),
        y_dev=padded(rows.y_dev.astype(label), (k,)),
        weight_dev=padded(rows.weight_dev.astype(kind), (k,)),
    )


def rows_of(
    chunk: Chunk, held: Rows, structure: Structure, sharding: NamedSharding, *, streamed: bool
) -> Rows:
    """Return the rows of a call: those held, or its window with the dev rows that are held.

    Raises:
        ValueError: when the window does not fit, or there is none and the train rows are streamed.
    """
    if chunk.window is None:
        if streamed and len(chunk.order):
            raise ValueError("the train rows are streamed; give the chunk its window")
        return held
    window = chunk.window
    if len(window.y) >= structure.train_rows:
        raise ValueError(
            f"a window of {len(window.y)} rows does not fit a program of {structure.train_rows - 1}"
        )
    order = chunk.order
    if order.size and not 0 <= order.min() <= order.max() <= len(window.y):
        raise ValueError(f"order must hold rows from 0 to {len(window.y)} of the window")
    train = _padded_train(structure, window.x, window.y, window.weight)
    if held.y_train.ndim == 2:  # every view gets the same rows
        views = len(held.y_train)
        train = {name: np.repeat(part[None], views, 0) for name, part in train.items()}
    return dataclasses.replace(held, **jax.device_put(train, sharding))


def _row_types(structure: Structure) -> tuple[type, type]:
    kind = np.float32 if structure.dtype == "float32" else np.float64
    return kind, kind if structure.loss != "softmax" else np.int32


def _padded_train(
    structure: Structure, x: np.ndarray, y: np.ndarray, weight: np.ndarray
) -> dict[str, np.ndarray]:
    kind, label = _row_types(structure)
    n = structure.train_rows
    return {
        "x_train": padded(x.astype(kind, copy=False), (n, structure.inputs)),
        "y_train": padded(y.astype(label, copy=False), (n,)),
        "weight_train": padded(weight.astype(kind, copy=False), (n,)),
    }
