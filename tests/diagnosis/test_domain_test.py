"""The mismatch test against its formula, other libraries, and simulation (D5)."""

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.linear_model import Ridge
from sklearn.metrics import roc_auc_score

from deepwell.diagnosis import _domain_test
from deepwell.diagnosis._domain_test import domain_test

RUNS = 400


def rows(generator, n, inputs):
    return generator.normal(size=(n, inputs)).astype(np.float32)


def alone(*sets):
    return tuple(np.arange(len(one)) for one in sets)


def p_values(make, runs=RUNS):
    return np.array([make(np.random.default_rng(seed), seed).p_value for seed in range(runs)])


def assert_uniform(p):
    """Each share of p-values is what it should be, within 4 standard errors (1 in 10,000)."""
    for level in (0.01, 0.05, 0.1, 0.25, 0.5):
        below = np.mean(p <= level)
        assert abs(below - level) < 4 * math.sqrt(level * (1 - level) / len(p)) + 0.01, level


def few_rows(generator, seed):
    train, other = rows(generator, 40, 5), rows(generator, 12, 5)
    return domain_test(train, other, alone(train, other), seed)


def more_columns_than_rows(generator, seed):
    train, other = rows(generator, 45, 90), rows(generator, 15, 90)
    return domain_test(train, other, alone(train, other), seed)


def one_in_twenty(generator, seed):
    train, other = rows(generator, 240, 6), rows(generator, 12, 6)
    return domain_test(train, other, alone(train, other), seed)


def two_values(generator, seed):
    train, other = (generator.integers(0, 2, (n, 3)).astype(np.float32) for n in (90, 30))
    return domain_test(train, other, alone(train, other), seed)


def wild_outliers(generator, seed):
    train, other = (generator.standard_cauchy((n, 6)).astype(np.float32) for n in (90, 30))
    return domain_test(train, other, alone(train, other), seed)


def grouped(generator, seed, told=True):
    """Rows of a group are much alike, and groups were dealt out, not rows."""
    who = np.repeat(np.arange(40), 6)
    x = 1.5 * rows(generator, 40, 6)[who] + rows(generator, 240, 6)
    units = (who[:180], who[180:]) if told else alone(x[:180], x[180:])
    return domain_test(x[:180], x[180:], units, seed)


def copied(generator, seed):
    times = generator.integers(1, 6, 80)
    who = np.repeat(np.arange(80), times)
    x, cut = rows(generator, 80, 20)[who], int(times[:60].sum())
    return domain_test(x[:cut], x[cut:], (who[:cut], who[cut:]), seed)


@pytest.mark.proves("D5", "formula")
@pytest.mark.parametrize(
    "make",
    [few_rows, more_columns_than_rows, one_in_twenty, two_values, wild_outliers, grouped, copied],
)
def test_p_values_are_uniform_where_nothing_differs(make):
    assert_uniform(p_values(make))


def test_rows_of_groups_that_are_dealt_out_one_by_one_would_be_called_unlike():
    taken_for_rows = p_values(lambda g, seed: grouped(g, seed, told=False), 60)
    assert np.mean(taken_for_rows <= 0.05) > 0.5


def test_the_interval_covers_half_where_nothing_differs():
    covered = [few_rows(np.random.default_rng(seed), seed) for seed in range(RUNS)]
    share = np.mean([one.low <= 0.5 <= one.high for one in covered])
    assert 0.89 < share <= 1.0


def test_the_interval_covers_the_mean_of_moved_rows():
    tested = []
    for seed in range(100):
        generator = np.random.default_rng(seed)
        train, other = rows(generator, 300, 8), rows(generator, 100, 8)
        other[:, :2] += 0.5
        tested.append(domain_test(train, other, alone(train, other), seed))
    middle = np.mean([one.auc for one in tested])
    assert np.mean([one.low <= middle <= one.high for one in tested]) > 0.88
    assert np.mean([one.p_value <= 0.01 for one in tested]) > 0.9


@pytest.mark.proves("D5", "independent")
def test_the_auc_is_that_of_other_libraries_fit_by_fit():
    generator = np.random.default_rng(3)
    x = _domain_test._prepared(rows(generator, 200, 4), generator)
    label = np.repeat(np.array([0.0, 1.0], np.float32), (150, 50))
    case = _domain_test._case(x, np.arange(200), label, (150, 50), generator)
    score = _domain_test._scores(case, case.label[:, None])[:, 0]
    n, width = x.shape
    won = pairs = 0.0
    for part in case.folds():
        inside = np.ones(n, bool)
        inside[part] = False
        ridge = Ridge(alpha=n * (0.1 + width / n), fit_intercept=False)
        ridge.fit(case.x[inside], case.label[inside] - label.mean())
        np.testing.assert_allclose(score[part], ridge.predict(case.x[part]), atol=2e-6)
        ones = case.label[part].sum()
        count = ones * (len(score[part]) - ones)
        won += count * roc_auc_score(case.label[part], score[part])
        pairs += count
    auc, _ = _domain_test._auc_with_deviation(case, score)
    assert auc == pytest.approx(won / pairs)


@pytest.mark.proves("D5", "independent")
def test_the_deviation_is_that_of_mann_whitney_where_nothing_differs():
    """Of fixed scores of like rows: sqrt((n + m + 1) / (12 n m))."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(50):
        label = np.repeat(np.array([0.0, 1.0], np.float32), (120, 60))
        case = _domain_test._case(
            rows(generator, 180, 2), np.arange(180), label, (120, 60), generator
        )
        found.append(_domain_test._auc_with_deviation(case, generator.normal(size=180))[1])
    expected = math.sqrt((120 + 60 + 1) / (12 * 120 * 60))
    assert np.mean(found) == pytest.approx(expected, rel=0.1)


def test_moved_rows_are_told_apart_for_certain():
    generator = np.random.default_rng(0)
    train, other = rows(generator, 300, 10), rows(generator, 100, 10)
    found = domain_test(train, other + 2, alone(train, other), 0)
    assert found.low > 0.95
    assert found.p_value == 1 / 400


def test_a_wider_spread_is_seen_through_the_squares():
    generator = np.random.default_rng(0)
    train, other = rows(generator, 300, 4), 2 * rows(generator, 100, 4)
    assert domain_test(train, other, alone(train, other), 0).low > 0.7


def test_more_columns_than_are_fitted_are_summed_up():
    generator = np.random.default_rng(0)
    train, other = rows(generator, 300, 1500), rows(generator, 100, 1500)
    assert domain_test(train, other + 0.5, alone(train, other), 0).low > 0.9
    like = domain_test(train, other, alone(train, other), 0)
    assert like.low < 0.5 < like.high


def test_many_rows_are_sampled(monkeypatch):
    monkeypatch.setattr(_domain_test, "_MOST_ROWS", 200)
    generator = np.random.default_rng(0)
    train, other = rows(generator, 1000, 3), rows(generator, 60, 3)
    found = domain_test(train, other, alone(train, other), 0)
    assert found.rows == (140, 60)
    assert found == domain_test(train, other, alone(train, other), 0)


@pytest.mark.parametrize("n", [0, 3, 7])
def test_too_few_rows_tell_nothing(n):
    generator = np.random.default_rng(0)
    train, other = rows(generator, 50, 3), rows(generator, n, 3)
    assert domain_test(train, other, alone(train, other), 0) is None


def test_too_few_groups_tell_nothing():
    generator = np.random.default_rng(0)
    train, other = rows(generator, 90, 3), rows(generator, 30, 3)
    assert domain_test(train, other, (np.arange(90) // 9, np.arange(30) // 10), 0) is None


def test_constant_columns_tell_nothing():
    same = np.zeros((60, 4), np.float32)
    assert domain_test(same[:40], same[40:], alone(same[:40], same[40:]), 0) is None


def test_the_gap_is_that_of_scipy():
    from deepwell.diagnosis._shifted_columns import gap_p_value, largest_gaps

    generator = np.random.default_rng(0)
    for one, other in (
        (generator.normal(size=(120, 3)), generator.normal(0.3, 1, (70, 3))),
        (generator.integers(0, 4, (90, 3)), generator.integers(0, 5, (80, 3))),
    ):
        gaps = largest_gaps(one.astype(float), other.astype(float))
        for column, gap in enumerate(gaps):
            expected = stats.ks_2samp(one[:, column], other[:, column], method="asymp")
            assert gap == pytest.approx(expected.statistic)
    assert gap_p_value(0.25, (120, 70)) == pytest.approx(
        stats.kstwo.sf(0.25, round(120 * 70 / 190)), rel=0.1
    )
