"""The coordinate hash in JAX against the host's, and `jax.random` on top of it."""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import chisquare, kstest

from deepwell._base import _hash
from deepwell._jax._generator import Words, coordinate_key, fold, implementation, words

SEEDS = [0, 1, 7, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 5, 2**63, 2**64 - 1, -1, -(2**40)]
SHAPES = [(), (1,), (9,), (3, 5), (2, 4, 6)]


@functools.cache
def drawer(kind: str, shape: tuple[int, ...]):
    """Return one compiled draw, shared by the tests."""
    draw = {
        "uniform": lambda k: jax.random.uniform(k, shape),
        "normal": lambda k: jax.random.normal(k, shape),
        "bernoulli": lambda k: jax.random.bernoulli(k, 0.3, shape),
    }[kind]
    return jax.jit(draw)


def host_pair(key: jax.Array) -> _hash.Key:
    first, second = np.asarray(jax.random.key_data(key))
    return _hash.Key(first, second)


@pytest.mark.parametrize("shape", SHAPES)
def test_words_equal_the_hosts_at_random_coordinates(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(len(shape))
    seeds = [int(s) for s in rng.integers(-(2**63), 2**63 - 1, 100)] + SEEDS
    keys = [_hash.key(seed) for seed in seeds]
    parents = _hash.Key(*(np.array(column, np.uint32) for column in zip(*keys, strict=True)))
    folds = rng.integers(0, 2**32, (2, len(seeds)), np.uint32)
    folds[:, :3] = [[0, 1, 2**32 - 1]] * 2

    def draw(parents, folds):
        child = fold(fold(Words(*parents), folds[0]), folds[1])
        return child, words(child, shape)

    child, drawn = jax.jit(draw)(tuple(parents), folds)
    for n in range(len(seeds)):
        right = _hash.fold(_hash.fold(keys[n], folds[0, n]), folds[1, n])
        assert (int(child.first[n]), int(child.second[n])) == (int(right.first), int(right.second))
        np.testing.assert_array_equal(drawn[n], _hash.words(right, shape))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_key_is_the_hosts_for_any_integer(seed: int) -> None:
    assert host_pair(coordinate_key(seed)) == _hash.key(seed)
    assert host_pair(coordinate_key(np.int64(5))) == _hash.key(5)


def test_a_key_needs_a_whole_number() -> None:
    with pytest.raises(TypeError):
        coordinate_key(1.5)  # type: ignore[arg-type]


def test_jaxs_own_seeding_agrees_where_it_has_64_bits() -> None:
    with jax.enable_x64(True):
        for seed in (5, 2**32 + 5, 2**62, -1):
            assert host_pair(jax.random.key(seed, impl=implementation())) == _hash.key(seed)


def test_a_folded_key_is_the_hosts() -> None:
    key = coordinate_key(11)
    for word in (0, 1, 2**31, 2**32 - 1):
        folded = host_pair(jax.random.fold_in(key, np.uint32(word)))
        assert folded == _hash.fold(_hash.key(11), word)


def test_splits_are_distinct_and_do_not_depend_on_their_number() -> None:
    @jax.jit
    def children(key):
        splits = [jax.random.split(key, shape) for shape in (10, 4, (3, 2))]
        folded = [jax.random.fold_in(key, n) for n in range(10)]
        return *(jax.random.key_data(k) for k in splits), [jax.random.key_data(k) for k in folded]

    ten, four, block, folded = children(coordinate_key(2))
    assert block.shape == (3, 2, 2)
    np.testing.assert_array_equal(four, ten[:4])
    everyone = np.concatenate([ten, block.reshape(6, 2)[2:], folded])
    assert len({tuple(k) for k in everyone.tolist()}) == len(everyone)


@pytest.mark.parametrize("bits", [8, 16, 32])
def test_narrow_bits_are_the_top_of_the_words(bits: int) -> None:
    kind = {8: jnp.uint8, 16: jnp.uint16, 32: jnp.uint32}[bits]
    drawn = np.asarray(jax.random.bits(coordinate_key(4), (3, 7), kind))
    assert drawn.dtype == kind
    np.testing.assert_array_equal(drawn, _hash.words(_hash.key(4), (3, 7)) >> (32 - bits))


def test_wide_bits_are_two_words() -> None:
    with jax.enable_x64(True):
        drawn = np.asarray(jax.random.bits(coordinate_key(4), (64, 64), jnp.uint64))
    assert drawn.dtype == np.uint64
    np.testing.assert_array_equal(drawn >> 32, _hash.words(_hash.key(4), (64, 64)))
    low = (drawn & 0xFFFFFFFF) / 2.0**32
    assert kstest(low.ravel(), "uniform").pvalue > 1e-6
    r = np.corrcoef(low.ravel(), (drawn >> 32).ravel())[0, 1]
    assert abs(r) < 5 / 64  # 5 standard errors


def test_uniform_numbers_are_the_top_23_bits_of_the_words() -> None:
    drawn = drawer("uniform", (4, 64))(coordinate_key(3))
    right = (_hash.words(_hash.key(3), (4, 64)) >> 9) * 2.0**-23
    np.testing.assert_array_equal(drawn, right)


@pytest.mark.parametrize("kind", ["uniform", "normal", "bernoulli"])
def test_draws_do_not_depend_on_the_padding(kind: str) -> None:
    for seed in (3, 2**40):
        key = coordinate_key(seed)
        wide = np.asarray(drawer(kind, (4, 64))(key))
        np.testing.assert_array_equal(drawer(kind, (4, 53))(key), wide[:, :53])
        np.testing.assert_array_equal(drawer(kind, (2, 64))(key), wide[:2])


@pytest.mark.parametrize("kind", ["uniform", "normal", "bernoulli"])
def test_draws_have_their_distribution(kind: str) -> None:
    """Right code fails once in a million draws (KS) or in 1.7 million (5 standard errors)."""
    drawn = np.asarray(drawer(kind, (300, 200))(coordinate_key(1))).ravel()
    if kind == "bernoulli":
        assert abs(drawn.mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / drawn.size)
    else:
        cdf = {"uniform": "uniform", "normal": "norm"}[kind]
        assert kstest(drawn, cdf).pvalue > 1e-6


def test_permutations_are_permutations_of_all_kinds() -> None:
    @jax.jit
    def shuffle(keys):
        return jax.vmap(lambda k: jax.random.permutation(k, 4))(keys)

    orders = np.asarray(shuffle(jax.random.split(coordinate_key(5), 2_400)))
    assert (np.sort(orders, axis=1) == np.arange(4)).all()
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    assert chisquare(counts).pvalue > 1e-6


def test_a_batch_of_keys_draws_as_each_key_alone() -> None:
    keys = jax.random.split(coordinate_key(6), 5)
    together = jax.jit(jax.vmap(lambda k: jax.random.normal(k, (3, 4))))(keys)
    alone = drawer("normal", (3, 4))
    for key, drawn in zip(keys, together, strict=True):
        np.testing.assert_array_equal(alone(key), drawn)
