"""Arrays in memory-mapped files, read without letting the file fill the process's memory."""

from __future__ import annotations

import contextlib
import itertools
import mmap
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._jax._start import cache_folder

_PIECE_BYTES = 16 << 20  # of a file in memory at a time, beside what is read from it


def read_rows(x: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Return `x[wanted]` as an array in memory.

    A memory-mapped file is read from front to back, piece by piece, and each piece is given back
    to the system, so that no more of it than a piece counts as this process's memory.

    Args:
        x: (n, D) rows.
        wanted: (m,) rows in any order.
    """
    if not isinstance(x, np.memmap) or not len(wanted):
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
            give_back(x)
    return out


def read_columns(x: np.ndarray, columns: Sequence[int]) -> np.ndarray:
    """Return `x[:, columns]` of a (n, D) array, each column contiguous, read piece by piece."""
    out = np.empty((len(x), len(columns)), x.dtype, order="F")
    piece = max(1, _PIECE_BYTES // max(1, x.shape[1] * x.itemsize))
    for first in range(0, len(x), piece):
        out[first : first + piece] = x[first : first + piece, list(columns)]
        give_back(x)
    return out


def give_back(x: np.ndarray) -> None:
    """Take a mapped file's pages out of this process's memory; they are read anew when needed.

    Pages of a copy-on-write map stay: they may hold what is in no file.
    """
    file = getattr(x, "_mmap", None)
    shared = getattr(x, "mode", None) in ("r", "r+", "w+")
    if file is not None and shared and hasattr(mmap, "MADV_DONTNEED"):
        file.madvise(mmap.MADV_DONTNEED)


def temporary_file(folder: Path | None = None) -> Any:
    """Return an open file without a name, gone with the process, however that ends.

    Args:
        folder: where; None means the cache's folder, since the system's may lie in memory.

    Raises:
        OSError: when no folder can be written.
    """
    chosen = folder or cache_folder()
    with contextlib.suppress(OSError):
        chosen.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not os.access(chosen, os.W_OK):
        return tempfile.TemporaryFile(buffering=0)
    return tempfile.TemporaryFile(buffering=0, dir=chosen)


def write_all(file: Any, content: np.ndarray) -> None:
    """Write an array to a raw file, of which one call may take a part: at most 2 GiB on Linux.

    Raises:
        OSError: when the disk is full.
    """
    left = np.ascontiguousarray(content).reshape(-1).view(np.uint8).data
    while len(left):
        left = left[file.write(left) :]


def read_all(file: Any, into: np.ndarray) -> None:
    """Fill a contiguous array from a raw file, of which one call may give a part.

    Raises:
        EOFError: when the file ends before the array is full.
    """
    left = into.reshape(-1).view(np.uint8).data
    while len(left):
        count = file.readinto(left)
        if not count:
            raise EOFError("the file ends before the array is full")
        left = left[count:]
