"""Decision thresholds: the best one by brute force, the gain on rows that did not choose it."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from deepwell._base._errors import UsageError
from deepwell.diagnosis._threshold import best_threshold, decided, decision_threshold, objective


def rare(n: int, seed: int, share: float = 0.1):
    """Few rows of the second class, with right probabilities."""
    generator = np.random.default_rng(seed)
    x = generator.normal(np.log(share / (1 - share)), 1.5, n)
    p = 1 / (1 + np.exp(-x))
    return (generator.random(n) < p).astype(int), p


def loss(name: str, y, said, weight):
    if name == "f1":
        return 1 - f1_score(y, said, sample_weight=weight)
    if name == "balanced_error":
        return 1 - balanced_accuracy_score(y, said, sample_weight=weight)
    return np.average(np.where(y == 1, 5.0, 1.0) * (said != y), weights=weight)


@pytest.mark.parametrize("name", ["f1", "balanced_error", "cost=5"])
@pytest.mark.parametrize("seed", range(5))
def test_no_other_threshold_is_better(name, seed):
    y, p = rare(120, seed)
    p = np.round(p, 2)  # with equal probabilities
    weight = np.random.default_rng(seed).random(120)
    chosen = best_threshold(objective(name), y, p, weight)
    reached = loss(name, y, (p > chosen).astype(int), weight)
    others = [loss(name, y, (p > t).astype(int), weight) for t in np.linspace(0.001, 0.999, 1500)]
    assert reached == pytest.approx(min(others))
    said = decided(p, chosen)
    assert objective(name).metric.loss(y, said, weight) == pytest.approx(reached)


def test_half_stays_where_nothing_is_better():
    y = np.array([0, 0, 1, 1])
    assert best_threshold(objective("f1"), y, np.array([0.1, 0.2, 0.8, 0.9])) == 0.5


def test_a_cost_of_five_leads_to_a_sixth_where_probabilities_are_right():
    y, p = rare(20_000, 0)
    found = decision_threshold(objective("cost=5"), y, p)
    assert found.value == pytest.approx(1 / 6, abs=0.04)
    assert found.change.high < 0


def test_the_gain_is_measured_on_rows_that_did_not_choose():
    """Where half is best on the whole, the best threshold of few rows still looks better there."""
    changes, flattering = [], []
    goal = objective("cost=1")
    for seed in range(150):
        y, p = rare(60, seed, share=0.5)
        found = decision_threshold(goal, y, p, seed=seed)
        changes.append(found.change)
        flattering.append(goal.metric.loss(y, decided(p, found.value)) - found.half.value)
    assert np.mean(flattering) < -0.01
    assert np.mean([one.value for one in changes]) > 0
    assert np.mean([one.high < 0 for one in changes]) <= 0.05


@pytest.mark.parametrize("name", ["accuracy", "cost", "cost=", "cost=0", "cost=-1", "cost=nan"])
def test_other_objectives_are_refused(name):
    with pytest.raises(UsageError, match="f1, balanced_error or cost=R"):
        objective(name)
