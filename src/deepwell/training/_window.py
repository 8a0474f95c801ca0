"""Rows larger than memory: those of some steps, read from their file into a bounded window.

All members of a session share the order of the batches, so the rows of a call are read once for
all of them. They are the same numbers in the same places of the same batches as when all rows
are in memory, and so is everything that is computed from them.
"""

from __future__ import annotations

import itertools
import mmap

import numpy as np

from ._program import Chunk, TrainingRows, Window

_PIECE_BYTES = 16 << 20  # of the file in memory at a time, beside the window itself


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


def read_rows(x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return `x[wanted]` as an array in memory.

    A memory-mapped file is read from front to back, piece by piece, and each piece is given back
    to the system, so that no more of it than a piece counts as this process's memory.

    Args:
        x: (n, D) rows.
        wanted: (m,) rows in any order.
    """
    file = getattr(x, "_mmap", None)
    if not isinstance(x, np.memmap) or file is None or not len(wanted):
        return np.asarray(x[wanted])
    out = np.empty((len(wanted), *x.shape[1:]), x.dtype)
    by_place = np.argsort(wanted, kind="stable")
    in_file = wanted[by_place]
    piece = max(1, _PIECE_BYTES // max(1, x.strides[0]))
    firsts = np.arange(in_file[0] // piece, in_file[-1] // piece + 1) * piece
    cuts = np.searchsorted(in_file, np.append(firsts, firsts[-1] + piece))
    for begin, end in itertools.pairwise(cuts):
        if begin < end:
            out[by_place[begin:end]] = x[in_file[begin:end]]
            give_back(file)
    return out


def give_back(file: mmap.mmap) -> None:
    """Take a mapped file's pages out of this process's memory; they are read anew when needed."""
    if hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)
