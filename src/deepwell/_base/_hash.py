"""The coordinate hash: integers in, integers out, the source of every random draw.

A draw depends on what it is for, never on what lies beside it in memory: the word at
coordinates (i, j) under a key is the same in a 53-unit layer and in the 64-wide array that
holds it. Keys are pairs of 32-bit words. All arithmetic is modulo 2^32.

    mix(x)          x ^= x >> 16; x *= 0x7FEB352D; x ^= x >> 15; x *= 0x846CA68B; x ^= x >> 16
    key(s)          (mix(lo + G), mix(mix(hi + G) ^ lo)) folded once, for the 64-bit integer s
    fold(k, w)      a = mix(k0 + w * G + C0); b = mix(k1 ^ a);
                    k' = (mix(a + b * G), mix(b ^ a * C1))
    word(k, i, j)   (r0, r1) = fold(k, i); x = r0 + j * G; x ^= x >> 16; x *= 0x7FEB352D;
                    x ^= x >> 15; x += r1; x *= 0x846CA68B; x ^= x >> 16

with G = 0x9E3779B9 (2^32 over the golden ratio), C0 = 0x3C6EF372, C1 = 0x85EBCA6B. More
leading coordinates fold in one after another; the last one runs along the row. `mix` is the
two-round multiply-xorshift permutation found by C. Wellons' "hash-prospector" search
(https://nullprogram.com/blog/2018/07/31/).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

GOLDEN = 0x9E3779B9
FOLD_OFFSET = 0x3C6EF372
FOLD_FACTOR = 0x85EBCA6B
MIX_FIRST = 0x7FEB352D
MIX_SECOND = 0x846CA68B

Words = np.ndarray


class Purpose:
    """What a draw is for; draws of different purposes never share a key."""

    WEIGHTS = 1
    DROPOUT = 2
    ORDER = 3
    SPLIT = 4
    TRIALS = 5
    NOISE = 6
    SAMPLES = 7
    FOLDS = 10
    INPUT_NOISE = 11
    MIXUP = 12
    IMAGE = 13
    SUBSET = 20
    GROUPS = 21


class Key(NamedTuple):
    """A pair of 32-bit words, or of arrays of them."""

    first: Words
    second: Words


def _u32(value: object) -> Words:
    return np.asarray(value, dtype=np.uint32)


def mix(x: Words) -> Words:
    """Return the words permuted: each input bit flips each output bit about half of the time."""
    x = _u32(x)
    with np.errstate(over="ignore"):
        x = x ^ (x >> _u32(16))
        x = x * _u32(MIX_FIRST)
        x = x ^ (x >> _u32(15))
        x = x * _u32(MIX_SECOND)
        return x ^ (x >> _u32(16))


def key(seed: int | Words) -> Key:
    """Return the key of a seed, any integer (taken modulo 2^64); keys of an array of uint64."""
    with np.errstate(over="ignore"):
        low = _u32(seed & 0xFFFFFFFF)
        high = _u32((seed >> 32) & 0xFFFFFFFF)
        first = mix(low + _u32(GOLDEN))
        second = mix(mix(high + _u32(GOLDEN)) ^ low)
        return fold(Key(first, second), 0)


def fold(parent: Key, word: object) -> Key:
    """Return the child key for one 32-bit word, or an array of children for an array of words."""
    with np.errstate(over="ignore"):
        w = _u32(word)
        a = mix(parent.first + w * _u32(GOLDEN) + _u32(FOLD_OFFSET))
        b = mix(parent.second ^ a)
        return Key(mix(a + b * _u32(GOLDEN)), mix(b ^ (a * _u32(FOLD_FACTOR))))


def word(row: Key, place: object) -> Words:
    """Return the word at a 32-bit place of a row, or the words at an array of places.

    Args:
        row: key of the row, `fold(parent, i)`; or an array of keys, one a place.
        place: j, any word.
    """
    with np.errstate(over="ignore"):
        x = row.first + _u32(place) * _u32(GOLDEN)
        x = x ^ (x >> _u32(16))
        x = x * _u32(MIX_FIRST)
        x = x ^ (x >> _u32(15))
        x = x + row.second
        x = x * _u32(MIX_SECOND)
        return x ^ (x >> _u32(16))


def words(parent: Key, shape: tuple[int, ...]) -> Words:
    """Return the words at all coordinates of `shape`, an array of uint32.

    >>> wide = words(key(7), (3, 8))
    >>> bool((words(key(7), (2, 5)) == wide[:2, :5]).all())
    True
    """
    if not shape:
        return words(parent, (1,))[..., 0]
    with np.errstate(over="ignore"):
        row = Key(parent.first, parent.second)
        for size in shape[:-1]:
            row = Key(row.first[..., None], row.second[..., None])
            row = fold(row, np.arange(size, dtype=np.uint32))
        if len(shape) == 1:
            row = fold(row, 0)
        row = Key(row.first[..., None], row.second[..., None])
        return word(row, np.arange(shape[-1], dtype=np.uint32))


def permutation(parent: Key, n: int) -> np.ndarray:
    """Return a random order of `n` rows as int32: the rows sorted by their words, ties by row."""
    places = np.arange(n, dtype=np.uint64)
    # One sort of (word, row) pairs as whole numbers: faster than a stable sort of rows by words.
    ranked = np.sort((words(parent, (n,)).astype(np.uint64) << np.uint64(32)) | places)
    return (ranked & np.uint64(0xFFFFFFFF)).astype(np.int32)
