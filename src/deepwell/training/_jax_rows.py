"""The rows of the JAX program: padded, on every device, all of them or those of a window."""

from __future__ import annotations

import dataclasses
import math
import threading
from typing import Any
from weakref import WeakValueDictionary

import jax
import numpy as np
from jax.sharding import NamedSharding

from ._jax_step import Rows
from ._program import Chunk, Structure, TrainingRows, Window
from ._state import padded


class DeviceRows:
    """Rows on the devices: each array of a size and type once, as long as a program holds it."""

    def __init__(self) -> None:
        self._arrays: WeakValueDictionary[tuple[Any, ...], jax.Array] = WeakValueDictionary()
        self._lock = threading.Lock()  # several programs are made at a time

    def of(self, structure: Structure, rows: TrainingRows, sharding: NamedSharding) -> Rows:
        """Return the rows as a structure takes them; of streamed train rows the shapes alone.

        Where data views have rows of their own, every array has a leading axis for them; parts of
        the same rows share one array.
        """
        if structure.views != len(rows.views):
            raise ValueError(
                f"a structure of {structure.views} data views does not fit rows of "
                f"{len(rows.views)}"
            )
        views = (len(rows.held),) if len(rows.held) > 1 else ()
        kind, label = _row_types(structure)
        arrays: dict[str, Any] = {}
        for part, count in (("train", structure.train_rows), ("dev", structure.dev_rows)):
            described = {
                f"x_{part}": ((count, structure.inputs), kind),
                f"y_{part}": ((count,), label),
                f"weight_{part}": ((count,), kind),
            }
            for name, (shape, dtype) in described.items():
                if rows.streamed and part == "train":
                    arrays[name] = jax.ShapeDtypeStruct((*views, *shape), dtype)
                else:
                    arrays[name] = self._put(rows, name, shape, dtype, sharding)
        return Rows(**arrays)

    def _put(
        self,
        rows: TrainingRows,
        name: str,
        shape: tuple[int, ...],
        dtype: type,
        sharding: NamedSharding,
    ) -> jax.Array:
        key = rows, name, shape, dtype, sharding
        with self._lock:
            array = self._arrays.get(key)
            if array is None:
                each = [
                    padded(getattr(view, name).astype(dtype, copy=False), shape)
                    for view in rows.held
                ]
                host = each[0] if len(each) == 1 else np.stack(each)
                array = self._arrays[key] = jax.device_put(host, sharding)
            return array


def bytes_of(rows: Rows) -> int:
    """Return the bytes of rows on a device."""
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(rows))


def rows_of(
    chunk: Chunk, held: Rows, structure: Structure, sharding: NamedSharding, *, streamed: bool
) -> Rows:
    """Return the rows of a call: those held, or its window with the dev rows that are held.

    Raises:
        ValueError: when the window does not fit, or there is none and the train rows are streamed.
    """
    window = chunk.window
    if window is None:
        if not streamed:
            return held
        if len(chunk.order):
            raise ValueError("the train rows are streamed; give the chunk its window")
        window = Window(np.zeros((0, structure.inputs)), np.zeros(0), np.zeros(0))
    if len(window.y) >= structure.train_rows:
        raise ValueError(
            f"a window of {len(window.y)} rows does not fit a program of {structure.train_rows - 1}"
        )
    order = chunk.order
    if order.size and not 0 <= order.min() <= order.max() <= len(window.y):
        raise ValueError(f"order must hold rows from 0 to {len(window.y)} of the window")
    train = _padded_train(structure, window)
    if held.y_train.ndim == 2:  # every view gets the same rows
        views = held.y_train.shape[0]
        train = {name: np.repeat(part[None], views, 0) for name, part in train.items()}
    return dataclasses.replace(held, **jax.device_put(train, sharding))


def _row_types(structure: Structure) -> tuple[type, type]:
    kind = np.float32 if structure.dtype == "float32" else np.float64
    return kind, kind if structure.loss != "softmax" else np.int32


def _padded_train(structure: Structure, window: Window) -> dict[str, np.ndarray]:
    kind, label = _row_types(structure)
    n = structure.train_rows
    return {
        "x_train": padded(window.x.astype(kind, copy=False), (n, structure.inputs)),
        "y_train": padded(window.y.astype(label, copy=False), (n,)),
        "weight_train": padded(window.weight.astype(kind, copy=False), (n,)),
    }
