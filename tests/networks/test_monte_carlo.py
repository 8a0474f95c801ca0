"""N9: Monte Carlo dropout against all masks of a small network, and against its own draws."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell._base._hash import Purpose, fold, key, words
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import ROWS_AT_ONCE, predictions
from deepwell.networks._initializers import initial_parameters
from deepwell.networks._monte_carlo import sampled_predictions

NETWORK = Architecture(3, (4,), 1, "tanh", loss="squared", dropout=(0.4,))
RNG = np.random.default_rng(1)
X = RNG.normal(size=(6, 3))


def drawn(network: Architecture) -> dict[str, np.ndarray]:
    return initial_parameters(network, "he", 2, "float64")


@pytest.mark.proves("N9", "formula", "independent")
def test_mean_and_spread_of_all_masks() -> None:
    """16 masks in all: within 5 standard errors, right code fails once in 100,000 draws."""
    p = drawn(NETWORK)
    hidden = np.tanh(X @ p["weights/0"] + p["biases/0"])
    masks = np.array(list(itertools.product((0, 1), repeat=4)))
    chance = np.where(masks, 0.6, 0.4).prod(axis=1)
    values = np.array([(hidden * m / 0.6) @ p["weights/1"] for m in masks])[:, :, 0]
    mean = chance @ values
    spread = np.sqrt(chance @ (values - mean) ** 2)
    got = sampled_predictions(NETWORK, p, X, samples=4_000)
    assert np.all(np.abs(got.mean - mean) < 5 * spread / np.sqrt(4_000))
    np.testing.assert_allclose(got.spread, spread, rtol=0.1)


@pytest.mark.proves("N9", "formula")
@pytest.mark.parametrize("classic", [False, True])
def test_every_network_drops_by_the_words_at_its_coordinates(classic: bool) -> None:
    network = dataclasses.replace(NETWORK, input_dropout=0.2, classic_dropout=classic)
    p, each = drawn(network), []
    scales = (1.0, 1.0) if classic else (1 / 0.8, 1 / 0.6)
    for t in range(3):
        parent = fold(fold(key(9), Purpose.SAMPLES), t)
        seen = words(fold(parent, 2**32 - 1), X.shape) >= 0.2 * 2**32
        kept = words(fold(parent, 0), (6, 4)) >= 0.4 * 2**32
        hidden = np.tanh((X * seen * scales[0]) @ p["weights/0"]) * kept * scales[1]
        each.append((hidden @ p["weights/1"])[:, 0])
    got = sampled_predictions(network, p, X, samples=3, seed=9)
    np.testing.assert_allclose(got.mean, np.mean(each, axis=0), rtol=1e-12)
    np.testing.assert_allclose(got.spread, np.std(each, axis=0, ddof=1), rtol=1e-12)


def test_rows_in_pieces_draw_the_same_masks() -> None:
    p = drawn(NETWORK)
    x = RNG.normal(size=(ROWS_AT_ONCE + 5, 3))
    whole = sampled_predictions(NETWORK, p, x, samples=4)
    small = sampled_predictions(NETWORK, p, x[:7], samples=4)
    np.testing.assert_array_equal(whole.mean[:7], small.mean)
    assert len(np.unique(whole.spread)) > 0.99 * ROWS_AT_ONCE


def test_probabilities_stay_probabilities() -> None:
    network = Architecture(3, (8, 8), 4, "relu", dropout=(0.5, 0.5))
    got = sampled_predictions(network, drawn(network), X, samples=20)
    np.testing.assert_allclose(got.mean.sum(axis=1), 1, rtol=1e-12)
    assert got.spread.shape == (6, 4)
    assert np.all(got.spread > 0)
    once = predictions(network, drawn(network), X)
    assert not np.array_equal(once, got.mean)


@pytest.mark.parametrize(("samples", "rates", "wrong"), [
    (1, (0.4,), "`samples` must be at least 2, got 1"),
    (5, (0.0,), "without dropout"),
    (5, (), "without dropout"),
])  # fmt: skip
def test_what_cannot_be_sampled_is_refused(samples, rates, wrong) -> None:
    network = dataclasses.replace(NETWORK, dropout=rates)
    with pytest.raises(UsageError, match=wrong):
        sampled_predictions(network, drawn(network), X, samples)


def test_no_rows_give_no_predictions() -> None:
    got = sampled_predictions(NETWORK, drawn(NETWORK), X[:0], samples=3)
    assert got.mean.shape == got.spread.shape == (0,)
