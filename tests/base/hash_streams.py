"""The coordinate hash as endless streams of words, for programs that test random numbers.

    python tests/base/hash_streams.py units 1 | dieharder -g 200 -a

Each stream runs along another coordinate, so that words which lie side by side in it are those of
neighbouring units, rows, steps, layers, members or purposes. The number starts it elsewhere.
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable, Iterator

import numpy as np

from deepwell._base._hash import Key, Purpose, fold, key, words

PURPOSES = (Purpose.WEIGHTS, Purpose.DROPOUT, Purpose.ORDER, Purpose.SPLIT, Purpose.TRIALS)


def _along(first: int, count: int) -> np.ndarray:
    return np.arange(first, first + count, dtype=np.uint64)


def _masks(start: int) -> Key:
    return fold(key(start), Purpose.DROPOUT)


def _each(parents: Key, numbers: object) -> Key:
    """Return children with a new last axis: every number folded into every parent."""
    return fold(Key(parents.first[..., None], parents.second[..., None]), numbers)


def _units(start: int, block: int) -> np.ndarray:
    """Rows of a mask, 256 rows of 4,096 units a layer."""
    return words(fold(fold(_masks(start), block), 1), (256, 4096))


def _rows(start: int, block: int) -> np.ndarray:
    """Columns of a mask: the place in the batch runs fastest."""
    return words(fold(fold(_masks(start), block), 1), (4096, 64)).T


def _steps(start: int, block: int) -> np.ndarray:
    """One place of one layer over 16,384 steps, for 16 places, then for the next network."""
    keys = fold(fold(_masks((start << 40) + block), _along(1, 1 << 14)), 0)
    return np.moveaxis(words(keys, (2, 8)), 0, -1)


def _layers(start: int, block: int) -> np.ndarray:
    """One place from layer to layer (8 of them), then the next place, then the next step."""
    keys = _each(fold(_masks(start), _along(block * 256, 256)), np.arange(8))
    return np.moveaxis(words(keys, (4, 64)), 1, -1)


def _members(start: int, block: int) -> np.ndarray:
    """The first weights of networks whose seeds follow one another."""
    seeds = _along((start << 40) + (block << 14), 1 << 14)
    return np.moveaxis(words(fold(fold(key(seeds), Purpose.WEIGHTS), 0), (2, 8)), 0, -1)


def _studies(start: int, block: int) -> np.ndarray:
    """Seeds that differ in their upper 32 bits alone."""
    seeds = (_along(block << 14, 1 << 14) << np.uint64(32)) + np.uint64(start)
    return np.moveaxis(words(fold(key(seeds), Purpose.ORDER), (16,)), 0, -1)


def _purposes(start: int, block: int) -> np.ndarray:
    """All five purposes at one place, then the next place, then the next seed."""
    seeds = _along((start << 40) + (block << 8), 1 << 8)
    return np.moveaxis(words(_each(key(seeds), PURPOSES), (2, 64)), 1, -1)


def _interleaved(start: int, block: int) -> np.ndarray:
    """Two neighbours of each kind at a time: members, purposes, steps, layers, rows, units."""
    seeds = _along((start << 40) + (block << 9), 1 << 9)
    keys = _each(_each(_each(key(seeds), PURPOSES[:2]), np.arange(1, 9)), np.arange(2))
    drawn = words(keys, (8, 8))  # (members, purposes, steps, layers, rows, units)
    members, *others = drawn.shape
    return np.moveaxis(drawn.reshape(members // 2, 2, *others), 0, 3)


STREAMS: dict[str, Callable[[int, int], np.ndarray]] = {
    "units": _units,
    "rows": _rows,
    "steps": _steps,
    "layers": _layers,
    "members": _members,
    "studies": _studies,
    "purposes": _purposes,
    "interleaved": _interleaved,
}


def blocks(name: str, start: int) -> Iterator[np.ndarray]:
    """Yield the words of a stream, block by block; none of them comes twice."""
    for block in itertools.count():
        yield np.ascontiguousarray(STREAMS[name](start, block), np.uint32)


def main() -> None:
    """Write a stream to standard output until nobody reads any more."""
    name, start = sys.argv[1], int(sys.argv[2])
    try:
        for block in blocks(name, start):
            sys.stdout.buffer.write(block.data)
    except BrokenPipeError:
        # Nothing is left to be flushed when the interpreter ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
