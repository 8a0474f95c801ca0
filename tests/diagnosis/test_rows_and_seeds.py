"""The interval over rows and seeds: its formula, its coverage, and where one source is missing."""

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._rows_and_seeds import row_scores, rows_and_seeds

ROUNDS = 3_000


def simulated(seed, seeds, rows, spread, rounds=ROUNDS):
    rng = np.random.default_rng(seed)
    of_seed, of_row, rest = spread
    return (
        of_seed * rng.normal(size=(rounds, seeds, 1))
        + of_row * rng.normal(size=(rounds, 1, rows))
        + rest * rng.normal(size=(rounds, seeds, rows))
    )


@pytest.mark.parametrize("spread", [(0, 1, 0.3), (0.1, 1, 1), (0.05, 0.5, 1), (1, 1, 1)])
@pytest.mark.parametrize("seeds", [2, 3, 5, 10])
def test_95_of_100_intervals_hold_the_truth(seeds, spread):
    """At 3,000 rounds a true 95 % is seen as 93.8 to 96.2 % in 99.7 of 100 tests."""
    found = [rows_and_seeds(x) for x in simulated(seeds, seeds, 60, spread)]
    held = np.mean([e.low <= 0 <= e.high for e in found])
    assert 0.92 <= held <= 0.985


@pytest.mark.parametrize("spread", [(0.05, 1, 0.5), (0.3, 1, 1)])
def test_a_difference_on_other_rows_of_the_same_seeds_holds_too(spread):
    first = simulated(1, 4, 50, spread)
    second = simulated(2, 4, 90, spread)
    shared = np.random.default_rng(3).normal(size=(ROUNDS, 4, 1))  # of a seed on all rows
    pairs = zip(first + shared, second + shared, strict=True)
    found = [rows_and_seeds(a, b) for a, b in pairs]
    assert 0.92 <= np.mean([e.low <= 0 <= e.high for e in found]) <= 0.985
    assert np.mean([e.high for e in found]) < 2.5  # what the seeds share has cancelled


def test_counting_rows_alone_or_all_values_is_too_sure():
    """The fault that this interval mends shows in the same simulation."""
    rounds = simulated(5, 5, 60, (0.2, 1, 1))
    naive = [abs(x.mean()) <= 1.96 * x.std() / np.sqrt(x.size) for x in rounds]
    by_rows = [abs(x.mean()) <= 1.96 * x.mean(0).std() / np.sqrt(x.shape[1]) for x in rounds]
    assert np.mean(naive) < 0.8
    assert np.mean(by_rows) < 0.92


def test_one_seed_is_the_t_interval_of_the_rows():
    x = np.random.default_rng(0).normal(size=40)
    low, high = stats.t.interval(0.95, 39, x.mean(), stats.sem(x))
    found = rows_and_seeds(x)
    assert (found.low, found.high) == pytest.approx((low, high))


def test_rows_that_are_alike_leave_the_t_interval_of_the_seeds():
    by_seed = np.random.default_rng(0).normal(size=6)
    low, high = stats.t.interval(0.95, 5, by_seed.mean(), stats.sem(by_seed))
    found = rows_and_seeds(np.repeat(by_seed[:, None], 30, axis=1))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_single_row_tells_nothing():
    found = rows_and_seeds(np.array([[0.3], [0.4]]))
    assert (found.low, found.high) == (-np.inf, np.inf)


@pytest.mark.parametrize("name", ["error", "log_loss", "balanced_error", "f1", "auc"])
def test_row_scores_of_classes_have_the_score_as_mean(name):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, 200)
    p = np.clip(rng.normal(0.3 + 0.4 * y, 0.3), 0.01, 0.99)
    said = np.stack([1 - p, p], axis=1)
    scores = row_scores(METRICS[name], y, said)
    assert scores.mean() == pytest.approx(METRICS[name].loss(y, said))
    if name == "error":
        assert np.array_equal(scores, (said.argmax(1) != y).astype(float)) or np.allclose(
            scores, said.argmax(1) != y
        )
    if name == "auc":  # the jackknife's variance is DeLong's to the order of 1/n
        resampled = []
        for _ in range(300):
            rows = rng.integers(0, 200, 200)
            resampled.append(1 - sklearn_metrics.roc_auc_score(y[rows], p[rows]))
        assert scores.std() / np.sqrt(200) == pytest.approx(np.std(resampled), rel=0.15)


def test_row_scores_of_an_rmse_spread_as_its_resamples_do():
    rng = np.random.default_rng(1)
    y = rng.normal(size=300)
    said = y + rng.normal(size=300) * np.exp(rng.normal(size=300) / 2)
    scores = row_scores(METRICS["rmse"], y, said)
    assert scores.mean() == pytest.approx(np.sqrt(np.mean((said - y) ** 2)))
    squares = (said - y) ** 2
    resampled = [np.sqrt(squares[rng.integers(0, 300, 300)].mean()) for _ in range(1_000)]
    assert scores.std() / np.sqrt(300) == pytest.approx(np.std(resampled), rel=0.15)
