import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from deepwell.diagnosis import (
    METRICS,
    bootstrap,
    estimate,
    paired_difference,
    unpaired_difference,
    wilson,
)
from deepwell.records import Estimate

ERROR, RMSE = METRICS["error"], METRICS["rmse"]


def answers(wrong: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Targets all 0 and predictions that are wrong where told."""
    return np.zeros(len(wrong), dtype=int), np.eye(2)[wrong.astype(int)]


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(case: tuple[int, int]) -> None:
    errors, n = case
    interval = stats.binomtest(errors, n).proportion_ci(method="wilson")
    found = wilson(errors, n)
    assert found.value == errors / n
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-12)
    assert 0 <= found.low <= found.value <= found.high <= 1


@pytest.mark.parametrize("n", [50, 360])
def test_wilson_covers_95_per_cent_on_average_over_error_rates(n: int) -> None:
    # exact, no sampling: the binomial chance of every count times whether its interval covers
    ends = [(e.low, e.high) for e in (wilson(k, n) for k in range(n + 1))]
    low, high = np.array(ends).T
    rates = np.linspace(0.01, 0.99, 197)[:, None]
    covered = (low <= rates) & (rates <= high)
    coverage = (stats.binom.pmf(np.arange(n + 1), n, rates) * covered).sum(axis=1)
    assert coverage.mean() == pytest.approx(0.95, abs=0.006)
    assert coverage.min() > 0.89


def test_estimate_is_wilson_for_rows_that_count_alike_and_bootstrap_else() -> None:
    y, p = answers(np.arange(200) < 22)
    assert estimate(ERROR, y, p) == wilson(22, 200)
    assert estimate(ERROR, y, p, np.full(200, 0.3)) == wilson(22, 200)
    weight = 1.0 + (np.arange(200) % 2)
    assert estimate(ERROR, y, p, weight, 3) == bootstrap(ERROR, y, p, weight, 3)


def test_an_estimate_of_a_broken_prediction_is_infinite() -> None:
    y, p = answers(np.zeros(9, dtype=bool))
    p[2] = np.nan
    assert estimate(ERROR, y, p) == Estimate(np.inf, np.inf, np.inf)


@pytest.mark.parametrize("name", ["log_loss", "mae"])
def test_the_bootstrap_of_a_mean_agrees_with_scipy(name: str) -> None:
    generator = np.random.default_rng(0)
    rows = generator.exponential(size=80)
    if name == "mae":
        y, p = np.zeros(80), rows
    else:
        y, p = np.zeros(80, dtype=int), np.stack([np.exp(-rows), 1 - np.exp(-rows)], axis=1)
    found = bootstrap(METRICS[name], y, p, seed=1)
    peer = stats.bootstrap((rows,), np.mean, n_resamples=9999, method="BCa", rng=2)
    low, high = peer.confidence_interval
    assert found.value == pytest.approx(rows.mean())
    # two seeds of 2,000 resamples differ by some 3 % of the width; the skew is 8 %
    assert found.low == pytest.approx(low, abs=0.08 * (high - low))
    assert found.high == pytest.approx(high, abs=0.08 * (high - low))


def test_the_spread_of_an_area_is_that_of_delong() -> None:
    generator = np.random.default_rng(4)
    y = (generator.random(300) < 0.3).astype(int)
    score = stats.norm.cdf(generator.standard_normal(300) + y)
    found = bootstrap(METRICS["auc"], y, np.stack([1 - score, score], axis=1))
    above = score[y == 1][:, None] > score[y == 0][None, :]
    v, u = above.mean(axis=1), above.mean(axis=0)
    deviation = np.sqrt(v.var(ddof=1) / len(v) + u.var(ddof=1) / len(u))
    assert found.value == pytest.approx(1 - above.mean())
    assert (found.high - found.low) / (2 * 1.96) == pytest.approx(deviation, rel=0.06)


@pytest.mark.parametrize("name", ["rmse", "r2", "auc", "f1"])
def test_many_rows_in_groups_give_the_interval_of_single_rows(name: str, monkeypatch) -> None:
    generator = np.random.default_rng(5)
    n = 4_000
    if name in ("rmse", "r2"):
        y = generator.standard_normal(n)
        p = y + generator.standard_normal(n)
    else:
        y = generator.integers(3, size=n)
        p = generator.random((n, 3)) + 0.3 * np.eye(3)[y]
    single = bootstrap(METRICS[name], y, p)
    monkeypatch.setattr("deepwell.diagnosis._intervals._GROUPS", 800)
    grouped = bootstrap(METRICS[name], y, p)
    assert grouped.value == pytest.approx(single.value)
    # a width from 800 groups varies by 1 / sqrt(1600) = 2.5 %, the resampling by as much
    assert grouped.high - grouped.low == pytest.approx(single.high - single.low, rel=0.15)


def covered(name: str, n: int, runs: int, truth: float) -> int:
    """How many of `runs` data sets of `n` rows have an interval that holds the true score."""
    count = 0
    for run in range(runs):
        generator = np.random.default_rng([17, run])
        if name == "rmse":
            y, p = np.zeros(n), generator.standard_normal(n)
        else:
            y = (generator.random(n) < 0.4).astype(int)
            score = stats.norm.cdf(generator.standard_normal(n) + y)
            p = np.stack([1 - score, score], axis=1)
        found = bootstrap(METRICS[name], y, p, seed=run)
        count += found.low <= truth <= found.high
    return count


@pytest.mark.parametrize(
    ("name", "truth"), [("rmse", 1.0), ("auc", 1 - stats.norm.cdf(1 / np.sqrt(2)))]
)
def test_bootstrap_intervals_cover_92_to_98_per_cent(name: str, truth: float) -> None:
    runs = 300
    count = covered(name, 100, runs, truth)
    # true coverage of 93 to 97 % leaves these bounds once in ten thousand sets of seeds
    assert stats.binom.ppf(5e-5, runs, 0.93) <= count <= stats.binom.ppf(1 - 5e-5, runs, 0.97)


def test_the_seed_decides_the_interval() -> None:
    generator = np.random.default_rng(0)
    y, p = np.zeros(50), generator.standard_normal(50)
    assert bootstrap(RMSE, y, p, seed=1) == bootstrap(RMSE, y, p, seed=1)
    assert bootstrap(RMSE, y, p, seed=1) != bootstrap(RMSE, y, p, seed=2)


@pytest.mark.parametrize("name", ["balanced_error", "f1", "auc"])
def test_a_perfect_score_on_few_rows_of_a_class_is_no_certainty(name: str) -> None:
    y = (np.arange(100) < 5).astype(int)
    found = bootstrap(METRICS[name], y, np.eye(2)[y])
    assert (found.value, found.low) == (0.0, 0.0)
    assert 0.3 < found.high < 0.5  # Wilson's 0 of 5 is 0.43
    worst = bootstrap(METRICS[name], y, np.eye(2)[1 - y])
    assert (worst.value, worst.high) == (1.0, 1.0)
    assert worst.low < 0.7


def test_a_constant_prediction_ranks_as_chance_for_certain() -> None:
    y = np.arange(40) % 2
    assert bootstrap(METRICS["auc"], y, np.full((40, 2), 0.5)) == Estimate(0.5, 0.5, 0.5)


def test_rows_that_do_not_define_the_metric_give_no_figure() -> None:
    found = bootstrap(METRICS["auc"], np.zeros(9, dtype=int), np.full((9, 2), 0.5))
    assert np.isnan([found.value, found.low, found.high]).all()


def test_a_resample_without_a_rare_class_is_left_out() -> None:
    y = (np.arange(60) == 7).astype(int)
    score = np.linspace(0, 1, 60)
    found = bootstrap(METRICS["auc"], y, np.stack([1 - score, score], axis=1))
    assert 0 <= found.low < found.value < found.high <= 1


def test_matched_errors_by_hand() -> None:
    # b = 12 only the first wrong, c = 5 only the second, n = 100: Agresti and Min's adjusted Wald
    first, second = np.zeros(100, dtype=bool), np.zeros(100, dtype=bool)
    first[:12], second[12:17] = True, True
    first[20:30] = second[20:30] = True
    y, a = answers(first)
    found = paired_difference(ERROR, y, a, answers(second)[1])
    half = 1.959964 * np.sqrt(18 - 49 / 102) / 102
    assert found.value == pytest.approx(0.07)
    assert (found.low, found.high) == pytest.approx((7 / 102 - half, 7 / 102 + half), abs=1e-6)


def test_paired_error_intervals_cover_95_per_cent() -> None:
    n = 40
    counts = np.array([(b, c) for b in range(n + 1) for c in range(n + 1 - b)])
    place = np.arange(n)
    ends = []
    for b, c in counts:
        y, first = answers(place < b)
        found = paired_difference(ERROR, y, first, answers((place >= b) & (place < b + c))[1])
        ends.append((found.low, found.high))
    low, high = np.array(ends).T
    for only_first, only_second in [(0.05, 0.05), (0.2, 0.1), (0.3, 0.3), (0.1, 0.02)]:
        rest = 1 - only_first - only_second
        chances = stats.multinomial.pmf(
            np.column_stack([counts, n - counts.sum(axis=1)]), n, [only_first, only_second, rest]
        )
        truth = only_first - only_second
        coverage = chances[(low <= truth) & (truth <= high)].sum()  # exact
        assert 0.935 < coverage < 0.995


def test_models_that_never_differ_are_not_told_apart_on_few_rows() -> None:
    y, p = answers(np.arange(20) < 3)
    found = paired_difference(ERROR, y, p, p)
    assert found.value == 0
    assert found.low < -0.05 < 0.05 < found.high


def test_a_paired_difference_is_narrower_than_an_unpaired_one() -> None:
    generator = np.random.default_rng(0)
    y = generator.standard_normal(400)
    shared = generator.standard_normal(400)
    a, b = y + shared, y + shared + 0.1 * generator.standard_normal(400) + 0.1
    paired = paired_difference(RMSE, y, a, b)
    unpaired = unpaired_difference(estimate(RMSE, y, a), estimate(RMSE, y, b))
    assert paired.value == pytest.approx(unpaired.value)
    assert paired.high - paired.low < 0.3 * (unpaired.high - unpaired.low)


def test_a_weighted_paired_difference_is_the_difference_of_weighted_scores() -> None:
    generator = np.random.default_rng(1)
    weight = generator.random(300) + 0.5
    y, a = answers(generator.random(300) < 0.2)
    b = answers(generator.random(300) < 0.3)[1]
    found = paired_difference(ERROR, y, a, b, weight)
    assert found.value == pytest.approx(ERROR.loss(y, a, weight) - ERROR.loss(y, b, weight))
    assert found.low < found.value < found.high
    flipped = paired_difference(ERROR, y, b, a, weight)
    assert flipped.value == pytest.approx(-found.value)


def test_unpaired_error_intervals_cover_95_per_cent() -> None:
    n, m = 60, 40
    gaps = [
        [unpaired_difference(wilson(i, n), wilson(j, m)) for j in range(m + 1)]
        for i in range(n + 1)
    ]
    low = np.array([[g.low for g in row] for row in gaps])
    high = np.array([[g.high for g in row] for row in gaps])
    for p, q in [(0.1, 0.1), (0.3, 0.15), (0.05, 0.01), (0.5, 0.5)]:
        chances = np.outer(
            stats.binom.pmf(np.arange(n + 1), n, p), stats.binom.pmf(np.arange(m + 1), m, q)
        )
        coverage = chances[(low <= p - q) & (p - q <= high)].sum()  # exact
        assert 0.935 < coverage < 0.995


@pytest.mark.parametrize("name", ["error", "log_loss"])
def test_copies_of_one_group_tell_no_more_than_one_row(name: str) -> None:
    """Five copies of each row, under numbers with gaps: the interval of the rows once, widened."""
    generator = np.random.default_rng(0)
    y, p = generator.integers(0, 2, 120), generator.dirichlet(np.ones(2), 120)
    other = generator.dirichlet(np.ones(2), 120)
    group = np.repeat(1_000 - 7 * np.arange(120), 5)[generator.permutation(600)]
    rows = (1_000 - group) // 7
    metric = METRICS[name]
    once = bootstrap(metric, y, p), paired_difference(metric, y, p, other)
    several = (
        estimate(metric, y[rows], p[rows], group=group),
        paired_difference(metric, y[rows], p[rows], other[rows], group=group),
    )
    for one, found in zip(once, several, strict=True):
        assert found.value == pytest.approx(one.value)
        assert found.high - found.low == pytest.approx(one.high - one.low, rel=0.1)
    alone = estimate(metric, y[rows], p[rows])
    assert several[0].high - several[0].low > 2 * (alone.high - alone.low)  # sqrt(5)


@pytest.mark.parametrize("groups", [6, 15])
def test_few_groups_are_covered_as_stated(groups: int) -> None:
    """Error rates that vary from group to group, 8 rows each: 94 to 96 % in the long run."""
    generator = np.random.default_rng(1)
    held = 0
    group = np.repeat(np.arange(groups), 8)
    for seed in range(300):
        rate = generator.beta(2.0, 3.0, groups)
        y, p = answers(generator.random(8 * groups) < rate[group])
        found = estimate(ERROR, y, p, seed=seed, group=group)
        held += found.low <= 0.4 <= found.high
    assert 0.91 <= held / 300 <= 0.985


def test_rows_of_their_own_are_no_groups_and_one_group_tells_nothing() -> None:
    y, p = answers(np.arange(60) < 12)
    assert estimate(ERROR, y, p, group=np.arange(60) + 5) == wilson(12, 60)
    other = np.eye(2)[(np.arange(60) < 20).astype(int)]
    assert paired_difference(ERROR, y, p, other, group=np.arange(60)) == paired_difference(
        ERROR, y, p, other
    )
    one = np.full(60, 3)
    assert estimate(ERROR, y, p, group=one) == Estimate(0.2, 0.0, 1.0)
    found = paired_difference(ERROR, y, p, other, group=one)
    assert (found.low, found.high) == (-1.0, 1.0)
    squares = estimate(RMSE, np.zeros(9), np.ones(9), group=one[:9])
    assert (squares.low, squares.high) == (0.0, np.inf)
    perfect = estimate(ERROR, *answers(np.zeros(60, bool)), group=np.arange(60) // 6)
    assert perfect == wilson(0, 10)
