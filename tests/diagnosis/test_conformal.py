"""Conformal prediction: the rank by hand, coverage on fresh rows by simulation."""

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.diagnosis._conformal import (
    ClassScores,
    adaptive_half_width,
    adaptive_sets,
    checked_coverage,
    class_scores,
    coverage_range,
    half_width,
    limit,
    smallest_sets,
    value_scores,
)


def rows(n: int, classes: int, generator):
    """Labels and the probabilities of an overconfident model."""
    truth = generator.dirichlet(np.full(classes, 0.5), n)
    y = (generator.random((n, 1)) > np.cumsum(truth, axis=1)[:, :-1]).sum(axis=1)
    said = truth**2 + 1e-6
    return y, said / said.sum(axis=1, keepdims=True)


def test_scores_by_hand():
    p = np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3]])
    found = class_scores(np.array([2, 1]), p)
    np.testing.assert_allclose(found.smallest, [0.9, 0.5], atol=1e-6)
    np.testing.assert_allclose(found.adaptive, [0.9, 0.0], atol=1e-6)
    assert limit([0.3, 0.1, 0.2], 0.75) == 0.3
    assert limit([0.3, 0.1, 0.2], 0.76) == np.inf
    assert limit(np.arange(1, 100), 0.95) == 95


@pytest.mark.parametrize("sets", [smallest_sets, adaptive_sets])
@pytest.mark.parametrize("n", [60, 500])
def test_sets_hold_the_truth_as_often_as_asked(sets, n):
    """Mean coverage over many dev sets lies in [c, c + 1 / (n + 1)], but for the class said."""
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(300):
        y, p = rows(n, 4, generator)
        new_y, new_p = rows(400, 4, generator)
        inside = sets(class_scores(y, p), new_p, 0.9)
        covered.append(inside[np.arange(400), new_y].mean())
        assert inside.any(axis=1).all()
    assert 0.9 - 0.005 <= np.mean(covered) <= 0.9 + 1 / (n + 1) + 0.01


def test_sets_grow_with_coverage_and_with_doubt():
    generator = np.random.default_rng(1)
    y, p = rows(1_000, 5, generator)
    scores = class_scores(y, p)
    for sets in (smallest_sets, adaptive_sets):
        small, large = (sets(scores, p, c) for c in (0.8, 0.95))
        assert (small <= large).all()
        assert small.sum() < large.sum()
    unsure = p.max(axis=1) < 0.5
    sizes = adaptive_sets(scores, p, 0.9).sum(axis=1)
    assert sizes[unsure].mean() > sizes[~unsure].mean() + 0.5


@pytest.mark.parametrize("width", [half_width, adaptive_half_width])
def test_intervals_hold_the_truth_as_often_as_asked(width):
    generator = np.random.default_rng(2)
    covered = []
    for _ in range(200):
        said = generator.uniform(1, 5, 900)
        y = said + said * generator.standard_t(4, 900)
        new = generator.uniform(1, 5, 400)
        truth = new + new * generator.standard_t(4, 400)
        reach = width(value_scores(y, said), new, 0.9)
        covered.append((np.abs(truth - new) <= reach).mean())
    assert 0.895 <= np.mean(covered) <= 0.915


def test_adaptive_intervals_hold_for_small_and_large_predictions_alike():
    generator = np.random.default_rng(3)
    said = generator.uniform(1, 5, 1_000)
    scores = value_scores(said + said * generator.normal(size=1_000), said)
    new = generator.uniform(1, 5, 50_000)
    error = np.abs(new * generator.normal(size=50_000))
    high = new > 4
    for width, spread in ((half_width, 0.1), (adaptive_half_width, 0.04)):
        inside = error <= width(scores, new, 0.9)
        gap = inside[~high].mean() - inside[high].mean()
        assert (abs(gap) > spread) == (width is half_width)


def test_many_rows_are_sampled_and_few_are_kept():
    generator = np.random.default_rng(4)
    y, p = rows(5_000, 3, generator)
    scores = class_scores(y, p, seed=1)
    assert len(scores.smallest) == len(scores.adaptive) == 1_000
    assert scores == class_scores(y, p, seed=1) != class_scores(y, p, seed=2)
    assert len(value_scores(np.zeros(7), np.ones(7)).residuals) == 7


def test_the_range_of_the_true_coverage_covers():
    generator = np.random.default_rng(5)
    low, high = coverage_range(200, 0.9)
    # the limit of uniform scores is the coverage itself
    true = np.array([limit(generator.random(200), 0.9) for _ in range(2_000)])
    inside = np.mean((true >= low) & (true <= high))
    assert 0.935 <= inside <= 0.965
    assert coverage_range(5, 0.95) == (1.0, 1.0)


@pytest.mark.parametrize("wrong", [0, 1, 1.5, -0.1, float("nan"), "0.9", None])
def test_a_coverage_is_a_share(wrong):
    with pytest.raises(UsageError, match="above 0 and below 1"):
        checked_coverage(wrong)
    assert checked_coverage(0.9) == 0.9


def test_too_few_rows_put_every_class_into_the_set():
    scores = ClassScores((0.1, 0.2), (0.0, 0.0))
    assert smallest_sets(scores, np.array([[0.9, 0.1]]), 0.95).all()
