"""Rows larger than memory: those of some steps, read from their file into a bounded window.

All members of a session share the order of the batches, so the rows of a call are read once for
all of them. They are the same numbers in the same places of the same batches as when all rows
are in memory, and so is everything that is computed from them.
"""

from __future__ import annotations

import numpy as np

from deepwell.data._mapped import read_rows

from ._program import Chunk, TrainingRows, Window


def windowed(chunk: Chunk, rows: TrainingRows) -> Chunk:
    """Return the chunk with its rows in a window, and its order counting in that window.

    Args:
        chunk: steps whose order counts in all train rows.
        rows: all rows; the train rows may lie in a memory-mapped file.
    """
    flat = chunk.order.ravel()
    real = flat < len(rows.y_train)
    wanted = flat[real].astype(np.int64)
    order = np.full(flat.shape, len(wanted), np.int32)
    order[real] = np.arange(len(wanted), dtype=np.int32)
    window = Window(
        read_rows(rows.x_train, wanted),
        np.asarray(rows.y_train[wanted]),
        np.asarray(rows.weight_train[wanted]),
    )
    return Chunk(order.reshape(chunk.order.shape), chunk.epoch, chunk.ends_epoch, window)


def window_steps(batch: int, inputs: int, window_bytes: int) -> int:
    """Return the update steps whose rows fit a window, at least 1.

    Args:
        batch: rows of a batch.
        inputs: features of a row.
        window_bytes: that the rows of a window may take.
    """
    return max(1, window_bytes // (batch * row_bytes(inputs)))


def row_bytes(inputs: int) -> int:
    """Return the bytes of an encoded row: its features, target and weight in float32."""
    return 4 * (inputs + 2)
