import hashlib

import numpy as np
import polars as pl

from deepwell.data._stable_hash import MISSING, hash_text, hash_texts, mix64


def test_mixing_agrees_with_the_published_numbers() -> None:
    # SplitMix64 from seed 0: Vigna's reference, state advanced by the golden ratio each time.
    with np.errstate(over="ignore"):
        states = np.uint64(0x9E3779B97F4A7C15) * np.arange(1, 4, dtype=np.uint64)
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert mix64(states).tolist() == expected


def test_texts_hash_by_blake2b() -> None:
    digest = hashlib.blake2b("Zürich".encode(), digest_size=8).digest()
    assert hash_text("Zürich") == int.from_bytes(digest, "little")
    words = hash_texts(pl.Series(["a", None, "b", "a"]))
    assert words.tolist() == [hash_text("a"), int(MISSING), hash_text("b"), hash_text("a")]
    assert hash_texts(pl.Series([None], dtype=pl.String)).tolist() == [int(MISSING)]
