"""The core's draws, word by word: against plain integers, NumPy's hash and JAX's."""

from __future__ import annotations

import functools

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base import _hash
from deepwell._jax import _generator
from deepwell._native import _core_module

MODULUS = 2**32
G, C0, C1, M0, M1 = 0x9E3779B9, 0x3C6EF372, 0x85EBCA6B, 0x7FEB352D, 0x846CA68B
EDGES = [0, 1, 2, 2**16, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]
SEEDS = [0, 1, 2**31, 2**32 - 1, 2**32, 2**63, 2**64 - 1, 2**64, 2**64 + 2**33 + 1, -1, -(2**40)]
LEVELS = ["plain", "avx2", "avx512"]
DTYPES = ["float32", "float64"]  # a vector of doubles takes half as many words

word = st.sampled_from(EDGES) | st.integers(0, MODULUS - 1)
seeds = st.sampled_from(SEEDS) | st.integers(-(2**65), 2**65)
steps = st.sampled_from([1, 2**31, 2**32 - 1]) | st.integers(1, 2**33)


def _mix(x: int) -> int:
    x = (x ^ (x >> 16)) * M0 % MODULUS
    x = (x ^ (x >> 15)) * M1 % MODULUS
    return x ^ (x >> 16)


def _fold(k: tuple[int, int], w: int) -> tuple[int, int]:
    a = _mix((k[0] + w * G + C0) % MODULUS)
    b = _mix(k[1] ^ a)
    return _mix((a + b * G) % MODULUS), _mix(b ^ (a * C1 % MODULUS))


def _word(k: tuple[int, int], i: int, j: int) -> int:
    r0, r1 = _fold(k, i)
    x = (r0 + j * G) % MODULUS
    x = (x ^ (x >> 16)) * M0 % MODULUS
    x = ((x ^ (x >> 15)) + r1) * M1 % MODULUS
    return x ^ (x >> 16)


def drawn(level, dtype, key, step, at, shape):
    """Return the core's words, or skip where this machine cannot run the level."""
    core = _core_module.core()
    if level not in core.levels():
        pytest.skip(f"this machine cannot run {level}")
    out = np.zeros(shape, np.uint32)
    core.mask_words(level, dtype, tuple(int(k) for k in key), step, at, out)
    return out


@functools.cache
def in_jax(shape: tuple[int, int]):
    """Return one compiled draw: key, step and layer -> words."""

    def draw(first, second, step, layer):
        masks = _generator.fold(_generator.Words(first, second), step)
        return _generator.words(_generator.fold(masks, layer), shape)

    return jax.jit(draw)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(
    key=st.tuples(word, word),
    step=steps,
    at=st.tuples(word, word, word),
    rows=st.integers(1, 35),
    units=st.integers(1, 4),
)
def test_every_word_is_the_formula_in_plain_integers(level, dtype, key, step, at, rows, units):
    got = drawn(level, dtype, key, step, at, (rows, units))
    layer, row, unit = at
    of_layer = _fold(_fold(key, step % MODULUS), layer)
    right = [
        [_word(of_layer, (row + r) % MODULUS, (unit + u) % MODULUS) for u in range(units)]
        for r in range(rows)
    ]
    assert got.tolist() == right


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", DTYPES)
@given(seed=seeds, step=st.sampled_from(EDGES) | word, layer=word)
def test_the_three_implementations_draw_the_same_words(level, dtype, seed, step, layer):
    member = _hash.fold(_hash.key(seed), _hash.Purpose.DROPOUT)
    right = _hash.words(_hash.fold(_hash.fold(member, step), layer), (37, 19))
    np.testing.assert_array_equal(drawn(level, dtype, member, step, (layer, 0, 0), (37, 19)), right)
    jitted = in_jax((37, 19))(*member, np.uint32(step), np.uint32(layer))
    np.testing.assert_array_equal(jitted, right)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(2, 300_007), (70_001, 3), (1, 1), (1025, 513)])
def test_they_agree_on_large_layers_and_batches(level, dtype, shape):
    member = _hash.fold(_hash.key(2**64 - 3), _hash.Purpose.DROPOUT)
    right = _hash.words(_hash.fold(_hash.fold(member, 7), 2), shape)
    np.testing.assert_array_equal(drawn(level, dtype, member, 7, (2, 0, 0), shape), right)
    jitted = in_jax(shape)(*member, np.uint32(7), np.uint32(2))
    np.testing.assert_array_equal(jitted, right)


def test_it_refuses_what_it_cannot_draw():
    core, out = _core_module.core(), np.zeros((2, 2), np.uint32)
    with pytest.raises(ValueError, match="level"):
        core.mask_words("sse9", "float32", (1, 2), 1, (0, 0, 0), out)
    with pytest.raises(ValueError, match="dtype"):
        core.mask_words("plain", "float16", (1, 2), 1, (0, 0, 0), out)
    with pytest.raises(TypeError):
        core.mask_words("plain", "float32", (1, 2**32), 1, (0, 0, 0), out)
    with pytest.raises(TypeError):
        core.mask_words("plain", "float32", (1, 2), 1, (0, 0, 0), out.astype(np.int64))
    assert not out.any()
