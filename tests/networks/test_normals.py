from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from deepwell._base._hash import fold, key, words
from deepwell._native._core_module import available
from deepwell.networks import _normals
from deepwell.networks._normals import fill_normals, quantile

EDGES = (np.array([0, 1, 2**31 - 1, 2**31, 2**32 - 2, 2**32 - 1]) + 0.5) * 2.0**-32


def drawn(shape, seed, folds, deviation=1.0, dtype="float64"):
    out = np.empty(shape, dtype)
    fill_normals(out, seed, folds, deviation)
    return out


def expected(shape, seed, folds):
    parent = key(seed)
    for word in folds:
        parent = fold(parent, word)
    return ndtri((words(parent, shape) + 0.5) * 2.0**-32)


def test_the_quantile_is_that_of_the_normal_distribution():
    p = np.concatenate([EDGES, np.linspace(1e-6, 1 - 1e-6, 20_001), [0.075, 0.925, 0.5]])
    np.testing.assert_allclose(quantile(p), ndtri(p), rtol=4e-15, atol=1e-16)


@given(
    seed=st.integers(-(2**70), 2**70),
    folds=st.lists(st.integers(0, 2**32 - 1), max_size=3),
    shape=st.tuples(st.integers(1, 9), st.integers(1, 40)),
)
def test_the_numbers_stand_at_their_coordinates(seed, folds, shape):
    np.testing.assert_allclose(
        drawn(shape, seed, folds), expected(shape, seed, folds), rtol=4e-15, atol=1e-16
    )


@pytest.mark.skipif(not available(), reason="needs the compiled core")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_core_and_numpy_draw_the_same(monkeypatch, dtype):
    compiled = drawn((300, 257), 12345, (1, 2), 0.3, dtype)
    monkeypatch.setattr(_normals, "available", lambda: False)
    plain = drawn((300, 257), 12345, (1, 2), 0.3, dtype)
    bits = np.finfo(dtype).eps
    np.testing.assert_allclose(compiled, plain, rtol=4 * bits, atol=0)
    same = (compiled == plain).mean()
    assert same > (0.9999 if dtype == "float32" else 0.9)
    middle = np.abs(plain) < 0.3 * 1.43  # where no logarithm is taken
    np.testing.assert_array_equal(compiled[middle], plain[middle])


def test_float32_is_float64_rounded_once():
    single = drawn((64, 64), 7, (1, 0), 0.1, "float32")
    np.testing.assert_array_equal(single, drawn((64, 64), 7, (1, 0), 0.1).astype(np.float32))


def test_a_wider_array_holds_the_same_numbers():
    wide = drawn((50, 90), 3, (1, 0))
    np.testing.assert_array_equal(wide[:20, :33], drawn((20, 33), 3, (1, 0)))
