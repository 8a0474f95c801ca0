"""64-bit hashes of values and texts that are the same in every process, machine and version."""

from __future__ import annotations

import hashlib

import numpy as np
import polars as pl

MISSING = np.uint64(0x9AE16A3B2F90404F)  # an arbitrary odd word for "no value"


def mix64(words: np.ndarray) -> np.ndarray:
    """Return uint64 words permuted so that each input bit moves each output bit.

    The finalizer of SplitMix64 (Steele, Lea and Flood 2014, "Fast splittable pseudorandom
    number generators", figure 16).
    """
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def hash_text(text: str) -> int:
    """Return the first 64 bits of a text's BLAKE2b digest, as an integer.

    >>> hash_text("Paris") == hash_text("Paris")
    True
    """
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def hash_texts(texts: pl.Series) -> np.ndarray:
    """Return (n,) uint64, `MISSING` where missing; each different text is hashed once."""
    different = texts.drop_nulls().unique()
    if different.is_empty():
        return np.full(len(texts), MISSING)
    hashes = np.fromiter((hash_text(text) for text in different), np.uint64, len(different))
    words = texts.replace_strict(different, pl.Series(hashes), default=None, return_dtype=pl.UInt64)
    return words.fill_null(int(MISSING)).to_numpy()
