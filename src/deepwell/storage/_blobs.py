"""Named arrays in one safetensors file: weights, normalizations, checkpoints. Never pickle."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._files import read_error, shown_path, write_atomic

_METADATA = "__metadata__"
_LENGTH_BYTES = 8
_ALIGNMENT = 8
# The kinds and sizes that the format can hold and NumPy can read back.
_DTYPES = frozenset(
    np.dtype(name)
    for name in (
        *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        *("float16", "float32", "float64", "complex64"),
    )
)


@dataclass(frozen=True)
class StoredArrays:
    """What a file of arrays holds.

    Attributes:
        arrays: name -> array, in memory of its own.
        metadata: the texts stored beside them.
        sha256: hash of the file's bytes, in hexadecimal.
    """

    arrays: Mapping[str, np.ndarray]
    metadata: Mapping[str, str]
    sha256: str


def save_arrays(
    path: str | Path,
    arrays: Mapping[str, np.ndarray],
    metadata: Mapping[str, str] | None = None,
) -> str:
    """Write named arrays to a safetensors file, whole or not at all.

    Equal contents give equal bytes, so that the hash identifies the contents.

    Args:
        path: the file; its folder must exist.
        arrays: name -> array of booleans, integers, floats up to 64 bits, or complex64.
        metadata: short texts to keep beside them, by default none.

    Returns:
        The sha256 of the file's bytes, in hexadecimal.

    Raises:
        UsageError: when an array or a text cannot be held by the format, or the place is wrong.
        StudyError: when the disk is full or fails.
    """
    data = packed_arrays(arrays, metadata)
    write_atomic(path, data)
    return hashlib.sha256(data).hexdigest()


def packed_arrays(
    arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str] | None = None
) -> bytes:
    """Return the bytes of the file that `save_arrays` writes.

    Raises:
        UsageError: when an array or a text cannot be held by the format.
    """
    from safetensors.numpy import save

    texts = dict(metadata) if metadata else None  # no texts as {} would break an empty file
    plain = {name: _contiguous(name, array) for name, array in arrays.items()}
    try:
        return _sorted_header(save(plain, metadata=texts))
    except UnicodeEncodeError as error:
        raise UsageError(
            "names and metadata of stored arrays must be valid Unicode, "
            f'got "{safe_text(error.object)}"'
        ) from error


def load_arrays(path: str | Path) -> StoredArrays:
    """Read a file that `save_arrays` (or another safetensors writer) wrote.

    Raises:
        UsageError: when there is no such file, or it is damaged or of another kind.
        StudyError: when the disk fails.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        data = _read_if_plausible(Path(path))
    except OSError as error:
        raise read_error(error, path) from error
    except ValueError as error:
        raise _foreign(path) from error
    try:
        arrays = load(data)
        metadata: dict[str, str] | None = _header(data).get(_METADATA)
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _foreign(path) from error
    own = {k: a if a.flags.writeable else a.copy() for k, a in arrays.items()}
    return StoredArrays(own, metadata or {}, hashlib.sha256(data).hexdigest())


def _foreign(path: str | Path) -> UsageError:
    return UsageError(
        f"{shown_path(path)} is damaged or not a safetensors file; restore it or write it again"
    )


def _contiguous(name: str, array: np.ndarray) -> np.ndarray:
    if name == _METADATA:
        raise UsageError(f'an array must not be named "{_METADATA}", the format keeps that name')
    little = array.dtype.newbyteorder("<")
    if little not in _DTYPES:
        raise UsageError(
            f'array "{safe_text(name)}" must hold booleans, integers or floats of at most 64 bits, '
            f"got {array.dtype}"
        )
    # The writer copies memory as it lies, so strides and byte order must be plain.
    return np.asarray(array, dtype=little, order="C")


def _sorted_header(data: bytes) -> bytes:
    # The writer keeps metadata in a hash table and so in an order of chance.
    header = _header(data)
    if _METADATA in header:
        header[_METADATA] = dict(sorted(header[_METADATA].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    body = data[_LENGTH_BYTES + _header_length(data) :]
    return len(text).to_bytes(_LENGTH_BYTES, "little") + text + body


def _header(data: bytes) -> dict[str, Any]:
    return json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + _header_length(data)])


def _header_length(data: bytes) -> int:
    return int.from_bytes(data[:_LENGTH_BYTES], "little")


def _read_if_plausible(path: Path) -> bytes:
    # A wrong file may be of any size: look at its first bytes before reading it whole.
    with path.open("rb") as file:
        start = file.read(_LENGTH_BYTES + 1)
        if start[_LENGTH_BYTES:] != b"{" or _header_length(start) > path.stat().st_size:
            raise ValueError("not a safetensors header")
        return start + file.read()
