"""The coordinate hash against its page of specification and against plain integers."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base import _hash
from deepwell._base._hash import Key, Purpose, fold, key, mix, permutation, words

PAGE = (Path(__file__).parents[2] / "docs" / "hash.md").read_text("utf-8")
MODULUS = 2**32
G, C0, C1, M0, M1 = 0x9E3779B9, 0x3C6EF372, 0x85EBCA6B, 0x7FEB352D, 0x846CA68B

word = st.integers(0, MODULUS - 1)
seeds = st.integers(-(2**63), 2**64 - 1)
sizes = st.integers(1, 9)


def _table(header: str) -> list[list[str]]:
    """Return the cells of the page's table with this header."""
    lines = PAGE.split(header, 1)[1].splitlines()[2:]
    rows = [line for line in lines if line.startswith("|")]
    rows = rows[: next((n for n, line in enumerate(lines) if not line.startswith("|")), None)]
    return [[cell.strip(" `") for cell in row.strip("|").split("|")] for row in rows]


def _hex(numbers: object) -> str:
    return " ".join(f"{int(n):08x}" for n in np.ravel(numbers))


def _folded(seed: str, folds: str) -> Key:
    folded = key(int(seed))
    for number in folds.split():
        folded = fold(folded, int(number))
    return folded


def _mix(x: int) -> int:
    x = (x ^ (x >> 16)) * M0 % MODULUS
    x = (x ^ (x >> 15)) * M1 % MODULUS
    return x ^ (x >> 16)


def _fold(k: tuple[int, int], w: int) -> tuple[int, int]:
    a = _mix((k[0] + w * G + C0) % MODULUS)
    b = _mix(k[1] ^ a)
    return _mix((a + b * G) % MODULUS), _mix(b ^ (a * C1 % MODULUS))


def _key(seed: int) -> tuple[int, int]:
    high, low = divmod(seed % 2**64, MODULUS)
    return _fold((_mix((low + G) % MODULUS), _mix(_mix((high + G) % MODULUS) ^ low)), 0)


def _word(k: tuple[int, int], i: int, j: int) -> int:
    r0, r1 = _fold(k, i)
    x = (r0 + j * G) % MODULUS
    x = (x ^ (x >> 16)) * M0 % MODULUS
    x = ((x ^ (x >> 15)) + r1) * M1 % MODULUS
    return x ^ (x >> 16)


def test_the_page_states_the_constants() -> None:
    stated = {name: int(value, 16) for name, value in _table("| constant | value |")}
    names = {"G": "GOLDEN", "C0": "FOLD_OFFSET", "C1": "FOLD_FACTOR"}
    names |= {"M0": "MIX_FIRST", "M1": "MIX_SECOND"}
    assert stated == {letter: getattr(_hash, name) for letter, name in names.items()}


def test_the_page_states_the_purposes() -> None:
    stated = [int(p) for p in re.findall(r"key\([a-z ]*seed\), (\d)\)", PAGE)]
    dropout = [Purpose.DROPOUT] * 2
    order = [Purpose.WEIGHTS, *dropout, Purpose.ORDER, Purpose.SPLIT, Purpose.SAMPLES]
    assert stated == order


@pytest.mark.parametrize(("x", "mixed"), _table("| x | mix(x) |"))
def test_reference_vectors_of_mix(x: str, mixed: str) -> None:
    assert _hex(mix(np.uint32(int(x, 16)))) == mixed


@pytest.mark.parametrize(("seed", "folds", "k", "drawn"), _table("| key | folds | k | words |"))
def test_reference_vectors_of_words(seed: str, folds: str, k: str, drawn: str) -> None:
    folded = _folded(seed, folds)
    block = words(folded, (2, 3))
    assert _hex(folded) == k
    assert _hex([*block[0], block[1, 0]]) == drawn


@pytest.mark.parametrize(
    ("seed", "folds", "n", "order"), _table("| key | folds | n | permutation |")
)
def test_reference_vectors_of_permutations(seed: str, folds: str, n: str, order: str) -> None:
    drawn = permutation(_folded(seed, folds), int(n))
    assert " ".join(map(str, drawn)) == order
    assert drawn.dtype == np.int32


def test_the_page_has_vectors_of_every_kind() -> None:
    headers = ["| x | mix(x) |", "| key | folds | k | words |", "| key | folds | n | permutation |"]
    assert [len(_table(header)) for header in headers] == [5, 11, 2]


@given(seeds, st.lists(word, max_size=3), word, word)
def test_it_is_the_formula_in_plain_integers(seed: int, folds: list[int], i: int, j: int) -> None:
    plain, arrays = _key(seed), key(seed)
    assert (int(arrays.first), int(arrays.second)) == plain
    for w in folds:
        plain, arrays = _fold(plain, w), fold(arrays, w)
    assert (int(arrays.first), int(arrays.second)) == plain
    i, j = i % 50, j % 50
    assert int(words(arrays, (i + 1, j + 1))[i, j]) == _word(plain, i, j)
    assert int(words(arrays, (j + 1,))[j]) == _word(plain, 0, j)
    assert int(words(arrays, ())) == _word(plain, 0, 0)


@given(seeds, st.tuples(sizes, sizes, sizes), st.tuples(sizes, sizes, sizes))
def test_words_do_not_depend_on_padding(seed: int, shape: tuple, padding: tuple) -> None:
    for n in (1, 2, 3):
        wide = words(key(seed), tuple(a + b for a, b in zip(shape[:n], padding[:n], strict=True)))
        corner = wide[tuple(slice(size) for size in shape[:n])]
        np.testing.assert_array_equal(words(key(seed), shape[:n]), corner)


@given(seeds, st.tuples(sizes, sizes, sizes))
def test_leading_coordinates_are_folds(seed: int, shape: tuple[int, int, int]) -> None:
    block = words(key(seed), shape)
    for h in range(shape[0]):
        np.testing.assert_array_equal(block[h], words(fold(key(seed), h), shape[1:]))


@given(seeds, st.lists(word, min_size=1, max_size=5), st.tuples(sizes, sizes))
def test_an_array_of_keys_draws_for_each(seed: int, folds: list[int], shape: tuple) -> None:
    children = fold(key(seed), np.array(folds, np.uint32))
    together = words(children, shape)
    assert together.shape == (len(folds), *shape)
    for n, w in enumerate(folds):
        np.testing.assert_array_equal(together[n], words(fold(key(seed), w), shape))


def test_seeds_are_taken_modulo_two_to_the_64() -> None:
    assert key(-1) == key(2**64 - 1)
    assert key(2**64 + 5) == key(5)
    assert key(2**32) != key(0)


@given(seeds, st.integers(0, 300))
def test_a_permutation_has_every_row_once(seed: int, n: int) -> None:
    assert sorted(permutation(key(seed), n)) == list(range(n))


def test_rows_with_equal_words_stay_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hash, "words", lambda parent, shape: np.array([5, 1, 5, 1], np.uint32))
    assert permutation(key(0), 4).tolist() == [1, 3, 0, 2]


@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0)])
def test_empty_shapes_draw_nothing(shape: tuple[int, ...]) -> None:
    assert words(key(0), shape).shape == shape
