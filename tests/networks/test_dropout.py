"""N7 and N8: dropout against the host's hash, its worked example and its statistics."""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base import _hash
from deepwell._jax._generator import Words
from deepwell.networks._architecture import Architecture
from deepwell.networks._dropout import dropped as scaled
from deepwell.networks._dropout import kept_units
from deepwell.networks._dropout_rate import drop_of, drop_threshold
from deepwell.networks._forward import forward


def drop(a, key, layer, threshold, scale):
    return scaled(a, kept_units(key, layer, a.shape, threshold), scale)


apply = jax.jit(drop, static_argnums=2)


def dropped(a: np.ndarray, seed: int, rate: float, layer: int = 0) -> np.ndarray:
    key = _hash.key(seed)
    scale = a.dtype.type(1 / (1 - rate))
    return np.asarray(
        apply(
            jnp.asarray(a),
            Words(jnp.asarray(key.first), jnp.asarray(key.second)),
            layer,
            jnp.uint32(drop_threshold(rate)),
            scale,
        )
    )


def host_mask(seed: int, layer: int, shape: tuple[int, ...], rate: float) -> np.ndarray:
    drawn = _hash.words(_hash.fold(_hash.key(seed), layer), shape)
    return drawn >= rate * 2.0**32


@pytest.mark.proves("N7", "formula")
def test_worked_example() -> None:
    wanted = [[True, True, False, True, True]]
    seed = next(s for s in range(1_000) if host_mask(s, 0, (1, 5), 0.2).tolist() == wanted)
    a = np.array([[0.5, 0.6, 0.9, 0.3, 0.5]], np.float32)
    np.testing.assert_allclose(
        dropped(a, seed, 0.2), [[0.625, 0.75, 0, 0.375, 0.625]], rtol=1e-6, atol=0
    )


@pytest.mark.proves("N7", "independent")
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_the_mask_is_the_hosts_and_the_rest_is_divided_by_keep(rate: float) -> None:
    a = np.random.default_rng(1).normal(size=(32, 48)).astype(np.float32)
    for layer in (0, 1):
        mask = host_mask(9, layer, a.shape, rate)
        right = np.where(mask, a / np.float32(1 - rate), 0)
        np.testing.assert_allclose(dropped(a, 9, rate, layer), right, rtol=1e-6)


@pytest.mark.proves("N7", "population")
def test_a_wider_layer_drops_the_same_units() -> None:
    wide = dropped(np.ones((32, 48), np.float32), 3, 0.4)
    narrow = dropped(np.ones((20, 37), np.float32), 3, 0.4)
    np.testing.assert_array_equal(narrow, wide[:20, :37])


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.8])
def test_the_mean_is_preserved(rate: float) -> None:
    """At 5 standard errors, right code fails once in 1.7 million draws."""
    got = dropped(np.ones((1_000, 400), np.float32), 21, rate).astype(np.float64)
    error = np.sqrt(rate / (1 - rate) / got.size)
    assert abs(got.mean() - 1) < 5 * error + 1e-7
    assert abs((got == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / got.size)


@pytest.mark.proves("N8", "formula")
def test_classic_worked_example() -> None:
    """A weight of 1 under a unit that is dropped half of the time counts 0.5 at prediction."""
    network = Architecture(1, (1,), 1, "identity", dropout=(0.5,), classic_dropout=True)
    p = {"weights/0": np.ones((1, 1)), "biases/0": np.zeros(1)}
    p |= {"weights/1": np.ones((1, 1)), "biases/1": np.zeros(1)}
    assert forward(network, p, np.ones((1, 1))) == 0.5
    assert drop_of(network, 0).train_scale == 1.0


@pytest.mark.proves("N8", "independent")
def test_classic_is_the_mean_over_all_masks_where_the_network_is_linear() -> None:
    rng = np.random.default_rng(8)
    network = Architecture(3, (4,), 2, "identity", dropout=(0.3,), classic_dropout=True)
    network = dataclasses.replace(network, input_dropout=0.1)
    p = {"weights/0": rng.normal(size=(3, 4)), "biases/0": rng.normal(size=4)}
    p |= {"weights/1": rng.normal(size=(4, 2)), "biases/1": rng.normal(size=2)}
    x, mean = rng.normal(size=(5, 3)), 0.0
    for bits in itertools.product((0, 1), repeat=7):
        seen, kept = np.array(bits[:3]), np.array(bits[3:])
        chance = np.where(seen, 0.9, 0.1).prod() * np.where(kept, 0.7, 0.3).prod()
        hidden = ((x * seen) @ p["weights/0"] + p["biases/0"]) * kept
        mean = mean + chance * (hidden @ p["weights/1"] + p["biases/1"])
    np.testing.assert_allclose(forward(network, p, x), mean, rtol=1e-12)


def test_rate_zero_changes_nothing() -> None:
    a = np.random.default_rng(2).normal(size=(32, 48)).astype(np.float32)
    np.testing.assert_array_equal(dropped(a, 4, 0.0), a)


def test_layers_and_seeds_drop_independently() -> None:
    ones = np.ones((1_000, 400), np.float32)
    masks = [dropped(ones, seed, 0.5, layer) > 0 for seed, layer in [(1, 0), (1, 1), (2, 0)]]
    for i, j in [(0, 1), (0, 2), (1, 2)]:
        agree = (masks[i] == masks[j]).mean()
        assert abs(agree - 0.5) < 5 * 0.5 / np.sqrt(ones.size)


def test_gradients_pass_where_units_are_kept() -> None:
    key = _hash.key(6)
    pair = Words(jnp.asarray(key.first), jnp.asarray(key.second))
    slope = jax.grad(lambda a: drop(a, pair, 0, jnp.uint32(drop_threshold(0.25)), 4 / 3).sum())
    got = jax.jit(slope)(np.ones((32, 48), np.float32))
    np.testing.assert_allclose(got, host_mask(6, 0, (32, 48), 0.25) * np.float32(4 / 3), rtol=1e-6)


def test_a_word_at_the_threshold_is_kept_and_one_below_is_dropped() -> None:
    word = int(_hash.words(_hash.fold(_hash.key(8), 0), (1, 1))[0, 0])
    key = Words(*(jnp.asarray(k) for k in _hash.key(8)))
    a = jnp.full((1, 1), 3.0)
    for threshold, right in [(word, 6.0), (word + 1, 0.0)]:
        assert float(apply(a, key, 0, jnp.uint32(threshold), jnp.float32(2))[0, 0]) == right


def test_thresholds_are_exact() -> None:
    quarters = {0.0: 0, 0.25: 2**30, 0.5: 2**31, 0.75: 3 * 2**30}
    assert {rate: drop_threshold(rate) for rate in quarters} == quarters
    assert drop_threshold(0.2) == 858_993_459  # 0.2 * 2^32 = 858,993,459.2
    assert drop_threshold(np.nextafter(1.0, 0.0)) == 2**32 - 1


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_thresholds_are_the_nearest_and_grow_with_the_rate(one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert 0 <= drop_threshold(low) <= drop_threshold(high) <= 2**32 - 1
    nearest = abs(drop_threshold(low) - low * 2.0**32) <= 0.5
    assert nearest or drop_threshold(low) == 2**32 - 1
