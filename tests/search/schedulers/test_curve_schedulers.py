"""Schedulers that read curves: the median rule, patience with noise, extrapolation."""

import numpy as np
import pytest
from scipy import stats

from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS, Moment
from deepwell.search.schedulers import _extrapolate, _median, _patience
from deepwell.search.schedulers._across_folds import across_folds
from deepwell.search.schedulers._curve_fit import LEAST, forecast
from deepwell.search.schedulers._curves import curve_of, noise_of


def with_curve(number, curve, status=Status.PAUSED):
    curve = np.asarray(curve, np.float32)
    spec = TrialSpec({"epochs": 100}, seed=number)
    best = int(np.argmin(curve))
    kept = {"dev_score": curve}
    return Trial(number, spec, status, len(curve), best + 1, float(curve[best]), 0.0, "", kept)


def at_epoch(trials, epoch, last=100):
    return Moment(trials, (Rung(epoch, len(trials)), Rung(last, len(trials))))


@pytest.mark.parametrize("name", ["median", "patience", "extrapolate"])
def test_rungs_end_at_the_last_epoch_and_curves_are_asked_for(name):
    scheduler = SCHEDULERS[name]
    assert scheduler.curves
    for epochs in (1, 3, 10, 50, 333):
        ladder = scheduler.rungs(12, epochs)
        steps = [rung.epochs for rung in ladder]
        assert steps == sorted(set(steps))
        assert steps[-1] == epochs
        assert {rung.networks for rung in ladder} == {12}
    assert len(scheduler.rungs(12, 333)) < 25


@pytest.mark.parametrize("name", ["median", "patience", "extrapolate"])
def test_what_is_over_or_broken_is_neither_promoted_nor_judged(name):
    random = np.random.default_rng(3)
    falling = [0.5 / np.sqrt(np.arange(1, 41)) + 0.01 * random.normal(size=40) for _ in range(12)]
    trials = [with_curve(n, curve) for n, curve in enumerate(falling)]
    spec = TrialSpec({}, seed=0)
    trials += [
        with_curve(12, falling[0][:9], Status.EARLY_STOPPED),
        Trial(13, spec, Status.DIVERGED, epochs=2, curves={"dev_score": np.full(2, np.nan)}),
        Trial(14, spec, Status.PAUSED, epochs=40, curves={"dev_score": np.full(40, np.inf)}),
    ]
    decision = SCHEDULERS[name].decide(at_epoch(trials, 40))
    assert {12, 13}.isdisjoint(decision.promote + decision.prune)
    assert 14 in decision.prune
    assert sorted(decision.promote + decision.prune) == [*range(12), 14]
    again = SCHEDULERS[name].decide(at_epoch(trials, 40))
    assert again == decision


def test_the_median_rule_by_hand():
    """Averages 0.5, 0.5, 0.4, 0.4, 0.3, 0.7; bests 0.4, 0.2, 0.4, 0.4, 0.3, 0.6."""
    curves = [[0.6, 0.4], [0.8, 0.2], [0.4, 0.4], [0.4, 0.4], [0.3, 0.3], [0.8, 0.6]]
    decision = _median.decide(at_epoch([with_curve(n, c) for n, c in enumerate(curves)], 2))
    # medians of the others: 0.4 for the first, second and last, 0.5 for the rest
    assert decision.promote == (1, 4, 0, 2, 3)
    assert decision.prune == (5,)


def test_the_median_of_the_others_is_that_of_all_without_one():
    random = np.random.default_rng(2)
    for n in range(2, 12):
        values = sorted(random.integers(0, 6, n) / 7)
        assert _median.median_without(values, None) == np.median(values)
        for place, value in enumerate(values):
            others = values[:place] + values[place + 1 :]
            assert _median.median_without(values, value) == np.median(others)


def test_the_median_rule_needs_others():
    few = [with_curve(n, [0.9, 0.1 * n]) for n in range(_median.LEAST)]
    assert _median.decide(at_epoch(few, 2)).prune == ()
    more = [*few, with_curve(9, [0.9, 0.89])]
    assert _median.decide(at_epoch(more, 2)).prune == (9,)


@pytest.mark.parametrize("folds", [3, 5, 6, 7])
def test_the_median_rule_stops_nobody_where_all_are_equal_but_for_rounding(folds):
    """Networks that all say the most frequent class: their means over folds are one number."""
    random = np.random.default_rng(folds)
    scheduler = across_folds(SCHEDULERS["median"], folds)
    for _ in range(10):
        shares = random.integers(10, 50, folds) / 97
        trials = [
            with_curve(n, np.full(6, shares[n % folds]), Status.PAUSED) for n in range(8 * folds)
        ]
        assert scheduler.decide(at_epoch(trials, 6)).prune == ()


def test_patience_takes_rounding_for_no_improvement():
    flat = np.full(20, 0.7, np.float32)
    flat[12:] = np.nextafter(np.float32(0.7), np.float32(0.0))
    assert not _patience.improves(with_curve(0, flat), 10)
    flat[12:] = 0.69
    assert _patience.improves(with_curve(0, flat), 10)


def test_noise_is_measured_around_a_bent_course():
    t = np.arange(1, 201)
    random = np.random.default_rng(4)
    for sigma in (0.003, 0.05):
        curve = 0.1 + 0.8 * t**-0.7 + sigma * random.normal(size=200)
        assert noise_of(curve) == pytest.approx(sigma, rel=0.2)
    assert noise_of(np.linspace(1.0, 0.0, 50)) == pytest.approx(0.0, abs=1e-12)
    counts = np.zeros(60)
    counts[[10, 30]] = 0.01  # more than half of its bends are 0
    assert noise_of(counts) == pytest.approx(np.sqrt(12e-4 / 58 / 6))
    assert noise_of(np.array([0.3, 0.1, 0.2])) == 0.0


def test_patience_sees_through_noise():
    t, random = np.arange(1, 61), np.random.default_rng(5)
    noise = 0.02 * random.normal(size=(2, 60))
    flat = 0.3 + 0.5 * np.exp(-t / 4) + noise[0]  # at its end after 20 epochs
    falling = 0.8 - 0.005 * t + noise[1]
    assert not _patience.improves(with_curve(0, flat), 20)
    assert _patience.improves(with_curve(1, falling), 20)
    decision = _patience.decide(at_epoch([with_curve(0, flat), with_curve(1, falling)], 60))
    assert (decision.promote, decision.prune) == ((1,), (0,))
    # a lucky epoch: raw patience would count 20 epochs without a better score
    lucky = falling.copy()
    lucky[35] = 0.2
    smooth = lucky.copy()
    smooth[33:40] = falling[33:40]
    assert _patience.improves(with_curve(2, smooth), 20)


def test_patience_waits_a_fifth_of_the_epochs_as_they_are_by_now():
    """A person who gives networks three times the epochs gives them three times the time."""
    curve = np.concatenate([np.linspace(0.9, 0.3, 30), np.full(15, 0.3)])
    trials = [with_curve(0, curve)]
    assert _patience.decide(at_epoch(trials, 45, last=50)).prune == (0,)
    assert _patience.decide(at_epoch(trials, 45, last=150)).promote == (0,)


@pytest.mark.parametrize("folds", [1, 4])
@pytest.mark.parametrize("name", list(SCHEDULERS))
def test_the_last_rung_can_be_made_longer(name, folds):
    scheduler = SCHEDULERS[name]
    if folds > 1 and not scheduler.forks:
        scheduler = across_folds(scheduler, folds)
    ladder = scheduler.rungs(12, 50)
    assert scheduler.longer(ladder, 50) == scheduler.longer(ladder, 40) == ladder
    longer = scheduler.longer(ladder, 150)
    assert longer[: len(ladder) - 1] == ladder[:-1]
    assert longer[-1] == Rung(150, ladder[-1].networks)
    further = longer[len(ladder) - 1 :]
    if name not in ("median", "patience", "extrapolate", "pbt"):
        assert len(further) == 1
        return
    assert set(further) <= set(scheduler.rungs(12, 150))
    steps = np.diff([rung.epochs for rung in longer[len(ladder) - 2 :]])
    assert all(0 < step <= 20 for step in steps)
    once = (Rung(8, 12),)  # nobody looks at them on the way
    assert scheduler.longer(once, 50) == (Rung(50, 12),)


def test_patience_waits_for_enough_epochs():
    assert _patience.improves(with_curve(0, np.full(24, 0.5)), 20)
    assert not _patience.improves(with_curve(0, np.full(25, 0.5)), 20)


def test_patience_by_hand():
    """Means of 5 of a line that falls, then stays: there is no noise, so any fall counts."""
    curve = np.concatenate([1.0 - 0.01 * np.arange(20), np.full(12, 0.81)])
    trial = with_curve(0, curve)
    # the smoothed curve falls up to epoch 24: the last mean with the last higher score in it
    assert _patience.improves(trial, 9)
    assert not _patience.improves(trial, 8)


def test_a_forecast_is_the_bayesian_linear_regression_of_each_shape():
    random = np.random.default_rng(6)
    n, last = 12, 50
    t = np.arange(1, n + 1)
    curves = np.stack([0.2 + 0.6 * t**-0.5, 0.5 - 0.1 * np.log(t)]) + 0.01 * random.normal(
        size=(2, n)
    )
    found = forecast(curves, np.array([50, 40]), last)
    shape = 3  # t^-0.5
    x = np.stack([np.ones(n), t**-0.5], axis=1)
    for row, (curve, at) in enumerate(zip(curves, (50, 40), strict=True)):
        coefficients, residual, _, _ = np.linalg.lstsq(x, curve, rcond=None)
        new = np.array([1.0, at**-0.5])
        variance = residual[0] / (n - 2)
        scale = np.sqrt(variance * (1 + new @ np.linalg.inv(x.T @ x) @ new))
        assert found.mean[row, shape] == pytest.approx(new @ coefficients)
        assert found.scale[row, shape] == pytest.approx(scale)
    np.testing.assert_allclose(found.weight.sum(axis=1), 1.0)
    assert found.weight[0].argmax() == shape
    limit = np.array([0.28, 0.1])
    by_hand = [
        sum(w * stats.t(found.degrees).cdf((at - m) / s)
            for w, m, s in zip(found.weight[row], found.mean[row], found.scale[row], strict=True))
        for row, at in enumerate(limit)
    ]  # fmt: skip
    np.testing.assert_allclose(found.below(limit), by_hand, rtol=1e-9)


def test_intervals_of_forecasts_hold_what_comes_of_their_own_curves():
    """4,000 power laws: the middle 80 % holds 80 % of the scores at the last epoch, within 5."""
    random = np.random.default_rng(7)
    t = np.arange(1, 101)
    floor, height = random.uniform(0, 0.3, (4000, 1)), random.uniform(0.2, 0.8, (4000, 1))
    curves = floor + height * t**-0.5 + 0.02 * random.normal(size=(4000, 100))
    ahead = forecast(curves[:, :25], np.full(4000, 100), 100)
    levels = ahead.below(curves[:, -1])
    held = np.mean((levels > 0.1) & (levels < 0.9))
    assert held == pytest.approx(0.8, abs=0.05)


def test_extrapolation_stops_the_hopeless_and_nobody_else():
    t, random = np.arange(1, 31), np.random.default_rng(8)
    good = [0.05 + 0.9 * np.exp(-(t - 1) / 5.0) for _ in range(6)]
    late = [0.9 * t**-0.75 for _ in range(6)]  # higher now, 0.03 at the end
    lost = [0.5 + 0.4 * np.exp(-(t - 1) / 3.0) for _ in range(6)]
    curves = [c + 0.004 * random.normal(size=30) for c in (*good, *late, *lost)]
    trials = [with_curve(n, curve) for n, curve in enumerate(curves)]
    decision = _extrapolate.decide(at_epoch(trials, 30))
    assert set(decision.prune) == set(range(12, 18))
    chances = _extrapolate.chances_to_beat(trials, min(t.score for t in trials), 100)
    assert chances[:6].min() > chances[12:].max()


def test_with_few_points_or_few_curves_nobody_stops():
    t = np.arange(1, 101)
    curves = [level + 0.4 / t for level in np.linspace(0.1, 0.6, 14)]
    early = [with_curve(n, c[: 2 * LEAST - 1]) for n, c in enumerate(curves)]
    assert _extrapolate.decide(at_epoch(early, 2 * LEAST - 1)).prune == ()
    few = [with_curve(n, c[:40]) for n, c in enumerate(curves[: _extrapolate.ENOUGH - 1])]
    assert _extrapolate.decide(at_epoch(few, 40)).prune == ()
    enough = [with_curve(n, c[:40]) for n, c in enumerate(curves)]
    assert _extrapolate.decide(at_epoch(enough, 40)).prune != ()


def test_intervals_widen_where_the_past_was_foretold_badly():
    t, random = np.arange(1, 41), np.random.default_rng(9)
    noise = 0.01 * random.normal(size=(30, 40))
    smooth = 0.1 + 0.8 * t**-0.5 + noise
    steps = smooth - 0.4 * (t > 20)  # a drop in the second half, as when the rate is lowered
    assert _extrapolate.widening(smooth, 100) < 2.0
    assert _extrapolate.widening(steps, 100) > 3.0


def test_curves_end_before_the_first_broken_score():
    assert curve_of(with_curve(0, [0.5, 0.4, np.nan, 0.3])).tolist() == pytest.approx([0.5, 0.4])
    assert len(curve_of(Trial(0, TrialSpec({}, seed=0)))) == 0
