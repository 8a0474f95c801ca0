import math

import numpy as np
import pytest

from deepwell.diagnosis._curves import Curves
from deepwell.diagnosis._paired_runs import agreeing, effect, helps, learning


def test_all_signs_by_hand() -> None:
    """Differences 3, 2, -1 sum to 4; of the 8 patterns of signs only 3+2+1 and 3+2-1 reach 4."""
    found = effect([3.0, 2.0, 0.0], [0.0, 0.0, 1.0], worst=9.0)
    assert found.gain == pytest.approx(4 / 3)
    assert found.p_value == 2 / 8
    assert (found.runs, found.without, found.with_it) == (3, 5 / 3, 1 / 3)


def test_eight_runs_can_be_significant_and_four_cannot() -> None:
    assert effect([1.0] * 8, [0.5] * 8, worst=1.0).p_value == 1 / 256
    assert effect([1.0] * 4, [0.5] * 4, worst=1.0).p_value == 1 / 16


def test_it_agrees_with_scipy() -> None:
    from scipy.stats import permutation_test

    generator = np.random.default_rng(1)
    a, b = generator.normal(size=8), generator.normal(size=8) - 0.4
    told = permutation_test(
        (a, b), lambda x, y: np.mean(x - y), permutation_type="samples", alternative="greater"
    )
    assert effect(a.tolist(), b.tolist(), worst=9.0).p_value == pytest.approx(told.pvalue)


def test_no_difference_is_no_evidence() -> None:
    assert effect([0.2] * 8, [0.2] * 8, worst=1.0).p_value == 1.0


def test_a_run_that_diverged_counts_as_the_worst() -> None:
    found = effect([math.inf, math.nan], [0.1, 0.1], worst=0.9)
    assert found.without == 0.9
    assert effect([math.inf, 2.0], [0.1, 0.1], worst=0.9).without == 2.0


def test_a_run_that_diverged_counts_as_no_better_than_any_other_of_both_sides() -> None:
    """A cost has no bound: without one, all runs that broke would count as the best ones."""
    found = effect([math.inf] * 8, [5.0, 6.0, *[0.1] * 6], worst=2.0)
    assert found.without == 6.0
    assert (found.gain > 0, found.p_value) == (True, 2 / 256)  # one run was as bad
    assert effect([math.inf] * 8, [1.0, *[0.1] * 7], worst=math.inf).gain > 0


def test_the_error_rate_holds_where_a_change_does_nothing() -> None:
    generator = np.random.default_rng(0)
    runs = [generator.exponential(size=(2, 8)) for _ in range(2_000)]
    p = np.array([effect(a.tolist(), b.tolist(), worst=9.0).p_value for a, b in runs])
    assert (p <= 0.01).mean() <= 0.01 + 3 * math.sqrt(0.01 / 2_000)


def test_a_gain_must_matter_be_sure_and_agree_with_the_cost() -> None:
    score = effect([0.5] * 8, [0.3] * 8, worst=1.0)
    assert helps(score, worth=0.1, significant=0.01)
    assert not helps(score, worth=0.3, significant=0.01)
    assert not helps(score, worth=0.1, significant=0.001)
    lucky = agreeing(score, effect([0.5] * 8, [0.6] * 8, worst=1.0))
    assert not helps(lucky, worth=0.1, significant=0.01)
    assert lucky.to_plain()["cost_agrees"] is False


def test_a_gain_of_what_has_learnt_nothing_is_luck() -> None:
    """Of 100 rows the guess's error of 50 % has a standard error of 5 points: two are asked for."""
    flat = np.full(20, 0.5)
    curves = Curves(flat, flat, flat, best_epoch=1, metric="error", constant=0.5, dev_rows=100)
    cost = effect([0.7] * 8, [0.6] * 8, worst=1.0)
    lucky, learnt = (effect([0.5] * 8, [score] * 8, worst=1.0) for score in (0.42, 0.38))
    assert not helps(learning(lucky, cost, curves, 0.5), 0.01, 0.01)
    assert helps(learning(learnt, cost, curves, 0.5), 0.01, 0.01)
    assert not learning(learnt, cost, curves, 0.45).learnt, "another guess is better there"
    rises = effect([0.6] * 8, [0.7] * 8, worst=1.0)
    assert not helps(learning(learnt, rises, curves, 0.5), 0.01, 0.01)


@pytest.mark.parametrize("runs", [0, 13])
def test_too_few_or_too_many_runs(runs: int) -> None:
    with pytest.raises(ValueError, match="as many runs"):
        effect([0.1] * runs, [0.1] * runs, worst=1.0)
