"""The gate: what agrees passes at the stated rate, what does not agree fails."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.agreement import MARGIN, agreement, noise_spearman, spearman
from scipy.stats import spearmanr

NOISE = 0.01


def _draw(rng: np.random.Generator, means: np.ndarray, runs: int) -> np.ndarray:
    return means + NOISE * rng.standard_normal((runs, len(means)))


def test_spearman_is_scipys_with_ties() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        a, b = rng.integers(0, 6, (2, 15)).astype(float)
        assert spearman(a, b) == pytest.approx(spearmanr(a, b).statistic, abs=1e-12)
    assert spearman(np.ones(4), np.arange(4.0)) == 0.0


@pytest.mark.parametrize("configurations", [8, 32])
def test_tools_that_differ_by_seed_alone_pass(configurations: int) -> None:
    rng = np.random.default_rng(1)
    passed = 0
    for _ in range(40):
        means = rng.uniform(0.02, 0.1, configurations)
        passed += agreement(_draw(rng, means, 6), _draw(rng, means, 1)).passes
    # Without the margin 95 % would pass the first test; 99 % pass the second.
    assert passed >= 38


def test_a_shift_of_one_point_fails() -> None:
    rng = np.random.default_rng(2)
    means = rng.uniform(0.02, 0.3, 32)
    theirs = _draw(rng, means, 1) + MARGIN + 0.01
    told = agreement(_draw(rng, means, 6), theirs)
    assert not told.passes
    assert told.difference > told.allowed
    assert told.spearman >= told.spearman_needed


def test_the_same_mean_in_another_order_fails() -> None:
    rng = np.random.default_rng(3)
    means = np.linspace(0.02, 0.3, 32)
    theirs = rng.permutation(_draw(rng, means, 1)[0])[None]
    told = agreement(_draw(rng, means, 6), theirs)
    assert not told.passes
    assert abs(told.difference) <= told.allowed
    assert told.spearman < told.spearman_needed


def test_the_allowed_difference_is_the_formula() -> None:
    ours = np.array([[0.1, 0.4], [0.3, 0.2]])
    theirs = np.array([[0.2, 0.3], [0.4, 0.3], [0.3, 0.3]])
    told = agreement(ours, theirs)
    variances = np.array([0.02, 0.02]) * (1 / 2 + 1 / 3)
    assert told.allowed == pytest.approx(2 * np.sqrt(variances.sum()) / 2 + MARGIN)
    assert told.difference == pytest.approx((0.1 + 0.0) / 2)
    assert (told.configurations, told.ours, told.theirs) == (2, 2, 3)


def test_more_noise_asks_for_less_rank_correlation() -> None:
    rng = np.random.default_rng(4)
    means = np.linspace(0.02, 0.1, 16)
    clear, noisy = (means + s * rng.standard_normal((6, 16)) for s in (0.001, 0.05))
    assert noise_spearman(noisy, 1) < noise_spearman(noisy, 4) < noise_spearman(clear, 1)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match="S >= 2"):
        agreement(np.ones((1, 3)), np.ones((1, 3)))
    with pytest.raises(ValueError, match="S >= 2"):
        agreement(np.ones((2, 3)), np.ones((1, 4)))
