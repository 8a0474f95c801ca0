"""N6: batch normalization against its formulas, and the exact statistics of all train rows."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import correlate2d

from deepwell.networks import _forward
from deepwell.networks._architecture import Architecture
from deepwell.networks._batch_norm import averaged, batch_moments, normalized
from deepwell.networks._convolutions import Convolutions, pooled
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import ROWS_AT_ONCE, activations, before_norm, forward
from deepwell.networks._initializers import initial_parameters, initial_statistics

RNG = np.random.default_rng(6)


@pytest.mark.proves("N6", "formula", "independent")
def test_moments_are_numpys_weighted_ones() -> None:
    z, weight = RNG.normal(3, 2, (50, 4)), RNG.uniform(0, 2, 50)
    mean, variance = batch_moments(z, weight / weight.sum())
    np.testing.assert_allclose(mean, np.average(z, axis=0, weights=weight), rtol=1e-13)
    right = np.cov(z.T, aweights=weight, ddof=0)
    np.testing.assert_allclose(variance, np.diag(right), rtol=1e-13)


@pytest.mark.proves("N6", "formula")
def test_the_scale_and_shift_that_give_back_z() -> None:
    """gamma = sqrt(var + eps), beta = mu."""
    z = RNG.normal(-1, 5, (30, 3))
    moments = batch_moments(z, np.full(30, 1 / 30))
    scale = np.sqrt(moments[1] + 1e-5)
    np.testing.assert_allclose(normalized(z, moments, scale, moments[0], 1e-5, np), z, rtol=1e-12)


def test_normalized_rows_have_mean_beta_and_deviation_gamma() -> None:
    z = RNG.normal(-1, 5, (300, 2))
    moments = batch_moments(z, np.full(300, 1 / 300))
    got = normalized(z, moments, np.array([2.0, 3.0]), np.array([0.5, -0.5]), 1e-12, np)
    np.testing.assert_allclose(got.mean(axis=0), [0.5, -0.5], rtol=1e-9)
    np.testing.assert_allclose(got.std(axis=0), [2.0, 3.0], rtol=1e-9)


def test_a_row_of_weight_two_counts_as_two_rows_and_one_of_weight_zero_as_none() -> None:
    z = RNG.normal(size=(4, 3))
    twice = batch_moments(np.vstack([z, z[:1]]), np.full(5, 0.2))
    weighed = batch_moments(np.vstack([z, 1e3 * z[:1]]), np.array([2, 1, 1, 1, 0]) / 5)
    np.testing.assert_allclose(weighed, twice, rtol=1e-12)


@pytest.mark.proves("N6", "formula")
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=30), st.floats(0, 0.999))
def test_the_average_is_the_bias_corrected_one(values: list[float], momentum: float) -> None:
    running, raw = 123.0, 0.0  # what it starts from does not count
    for t, value in enumerate(values, 1):
        running = averaged(running, value, momentum, t)
        raw = momentum * raw + (1 - momentum) * value
        assert running == pytest.approx(raw / (1 - momentum**t), rel=1e-9, abs=1e-9)


def drawn(architecture: Architecture) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    parameters = initial_parameters(architecture, "he", 5, "float64")
    moved = {n: p + rng.normal(0, 0.2, p.shape) for n, p in parameters.items()}
    return moved | initial_statistics(architecture, "float64")


@pytest.mark.proves("N6", "independent")
@pytest.mark.parametrize("options", [
    {"batch_norm": "before"},
    {"batch_norm": "after", "activation": "sigmoid"},
    {"batch_norm": "before", "activation": "maxout", "pieces": 3, "residual": 1},
])  # fmt: skip
def test_exact_statistics_are_those_of_all_rows_layer_by_layer(options) -> None:
    network = dataclasses.replace(Architecture(5, (7, 4, 6), 2, "tanh"), **options)
    x = RNG.normal(size=(2 * ROWS_AT_ONCE + 11, 5)) + 100  # far from 0: squares would cancel
    weight = RNG.uniform(0, 2, len(x))
    weight[:ROWS_AT_ONCE] = 0  # a piece without weight
    found = with_exact_statistics(network, drawn(network), x, weight)
    for layer in range(3):
        z = before_norm(network, found, layer, activations(network, found, x, layer))
        mean = np.average(z, axis=0, weights=weight)
        np.testing.assert_allclose(found[f"means/{layer}"], mean, rtol=1e-10)
        variance = np.average((z - mean) ** 2, axis=0, weights=weight)
        np.testing.assert_allclose(found[f"variances/{layer}"], variance, rtol=1e-9, atol=1e-20)
    assert np.isfinite(forward(network, found, x)).all()


def test_a_network_without_normalization_has_no_statistics() -> None:
    network = Architecture(5, (7,), 2)
    p = drawn(network)
    assert with_exact_statistics(network, p, RNG.normal(size=(9, 5)), np.ones(9)) == p


@pytest.mark.proves("N6", "independent")
@pytest.mark.parametrize("batch_norm", ["before", "after"])
def test_exact_statistics_of_channels_are_those_of_all_places_of_all_rows(
    batch_norm, monkeypatch
) -> None:
    """Two convolutional layers and a dense one, by SciPy's correlation, in pieces of 16 rows."""
    front = Convolutions((7, 6, 2), (3, 4))
    network = Architecture(84, (5,), 2, "tanh", batch_norm=batch_norm, front=front)
    x, weight = RNG.normal(size=(50, 90)) + 10, RNG.uniform(0, 2, 50)  # padded rows
    weight[:16] = 0  # a piece without weight
    monkeypatch.setattr(_forward, "_NUMBERS_AT_ONCE", 1)
    found = with_exact_statistics(network, drawn(network), x, weight)
    a = x[:, :84].reshape(-1, 7, 6, 2)
    for layer in range(2):
        kernel = found[f"kernels/{layer}"]
        pairs = itertools.product(range(len(a)), range(kernel.shape[3]))
        z = np.array([
            sum(correlate2d(a[i, :, :, c], kernel[:, :, c, o], "same") for c in range(a.shape[3]))
            for i, o in pairs
        ])  # fmt: skip
        z = np.moveaxis(z.reshape(len(a), -1, *a.shape[1:3]), 1, -1)
        if batch_norm == "after":
            z = np.tanh(z + found[f"offsets/{layer}"])
        share = np.broadcast_to(weight[:, None, None], z.shape[:3])
        for channel in range(z.shape[3]):
            mean = np.average(z[..., channel], weights=share)
            variance = np.average((z[..., channel] - mean) ** 2, weights=share)
            assert found[f"channel_means/{layer}"][channel] == pytest.approx(mean, rel=1e-10)
            held = found[f"channel_variances/{layer}"][channel]
            assert held == pytest.approx(variance, rel=1e-9)
            z[..., channel] = (z[..., channel] - mean) / np.sqrt(variance + network.norm_epsilon)
        scale, shift = found[f"channel_scales/{layer}"], found[f"channel_shifts/{layer}"]
        z = scale * z + shift
        a = pooled(front, np.tanh(z) if batch_norm == "before" else z)
    dense = a.reshape(len(a), -1) @ found["weights/0"]
    if batch_norm == "after":
        dense = np.tanh(dense + found["biases/0"])
    mean = np.average(dense, axis=0, weights=weight)
    np.testing.assert_allclose(found["means/0"], mean, rtol=1e-9, atol=1e-12)
