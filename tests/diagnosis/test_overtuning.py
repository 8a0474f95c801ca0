"""How much of a best dev score is luck: simulated studies with known truth, and plain cases."""

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from deepwell.diagnosis._intervals import for_few, wilson
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._overtuning import (
    Contest,
    _chosen,  # pyright: ignore[reportPrivateUsage]
    measure_overtuning,
    overtuning_finding,
)
from deepwell.diagnosis.metrics._tally import Tally
from deepwell.records import Estimate, Overtuning

ERROR = METRICS["error"]


def contest(wrong, cost=None, view=None, network=None, home=None, chosen=None):
    """Return the contest of networks that are wrong, (K, m), on rows."""
    wrong = np.asarray(wrong, float)
    k, m = wrong.shape
    home = np.zeros(m, int) if home is None else np.asarray(home)
    view = np.zeros(k, int) if view is None else np.asarray(view)
    network = np.arange(k) if network is None else np.asarray(network)
    inside = (home == view[:, None]).astype(float)
    cost = wrong if cost is None else np.asarray(cost, float)
    if chosen is None:
        score, last = (wrong * inside).sum(1), (cost * inside).sum(1)
        chosen = int(network[np.lexsort((last, score))[0]])
    return Contest(
        ERROR,
        network=network,
        view=view,
        sums=np.stack([wrong * inside, inside], axis=-1),
        cost=cost * inside,
        weight=np.ones(m),
        home=home,
        rows=m,
        alike=True,
        trials=k,
        chosen=chosen,
    )


def test_a_clear_winner_owes_nothing_to_luck():
    wrong = np.zeros((5, 300))
    wrong[0, :15] = 1
    wrong[1:, :120] = 1
    found = measure_overtuning(contest(wrong))
    assert found.dev == pytest.approx(0.05)
    assert found.luck == Estimate(0.0, 0.0, 0.0)
    assert found.expected.value == pytest.approx(0.05)
    assert found.networks == found.models == 5


def test_one_network_owes_nothing_to_luck():
    wrong = np.random.default_rng(0).random((1, 200)) < 0.1
    found = measure_overtuning(contest(wrong))
    assert found.luck.value == 0
    assert found.expected.value == found.dev == wrong.mean()


def test_the_choice_is_the_one_that_is_spelled_out():
    generator = np.random.default_rng(1)
    wrong = generator.random((7, 40)) < 0.2
    cost = generator.random((7, 40))
    counted = generator.integers(0, 2, (9, 40))
    for rows, chosen in zip(counted, _chosen(contest(wrong, cost), counted), strict=True):
        keys = [((w * rows).sum(), (c * rows).sum()) for w, c in zip(wrong, cost, strict=True)]
        assert chosen.tolist() == [min(range(7), key=keys.__getitem__)]


def test_with_folds_a_configuration_is_chosen_by_its_mean_at_its_best_epochs():
    generator = np.random.default_rng(2)
    home = np.repeat([0, 1, 2], 20)
    network = np.repeat(np.arange(4), 6)  # two epochs in each of three folds
    view = np.tile([0, 0, 1, 1, 2, 2], 4)
    wrong = generator.random((24, 60)) < 0.2
    cost = generator.random((24, 60))
    counted = generator.integers(0, 2, (6, 60))
    held = contest(wrong, cost, view, network, home, chosen=0)
    for rows, chosen in zip(counted, _chosen(held, counted), strict=True):
        best = []
        for number in range(4):
            each = []
            for fold in range(3):
                there = rows * (home == fold)
                places = np.flatnonzero((network == number) & (view == fold))
                keys = {
                    p: ((wrong[p] * there).sum() / there.sum(), (cost[p] * there).sum())
                    for p in places
                }
                place = min(places, key=keys.__getitem__)
                each.append((keys[place][0], place))
            best.append((np.mean([score for score, _ in each]), [place for _, place in each]))
        lowest = min(score for score, _ in best)
        assert chosen.tolist() in [places for score, places in best if score <= lowest + 1e-12]


def test_without_the_losses_of_what_was_chosen_nothing_is_said():
    wrong = np.random.default_rng(3).random((4, 100)) < 0.1
    assert measure_overtuning(contest(wrong, chosen=9)) is None


def simulated(seed, spread, networks=40, rows=250, epochs=4, base=0.05):
    """Return (wrong, cost, true risk) of networks at epochs that share what makes rows hard."""
    generator = np.random.default_rng(seed)
    floor = np.minimum(base + spread * generator.gamma(1.0, 1.0, networks), 0.9)
    risk = floor.repeat(epochs)
    hard, own = generator.standard_normal(rows), generator.standard_normal((networks, rows))
    noise = generator.standard_normal((networks * epochs, rows))
    z = math.sqrt(0.4) * hard + math.sqrt(0.4) * own.repeat(epochs, 0) + math.sqrt(0.2) * noise
    threshold = norm.isf(risk)[:, None]
    return z > threshold, np.logaddexp(0, 3 * (z - threshold)), risk


@pytest.mark.parametrize("spread", [0.0, 0.02, 0.2])
def test_the_corrected_score_is_unbiased_and_its_interval_holds(spread):
    studies = 240
    off, raw, inside = [], [], 0
    for seed in range(studies):
        wrong, cost, risk = simulated(seed, spread)
        network = np.repeat(np.arange(40), 4)
        best = np.lexsort((cost.mean(1), wrong.mean(1)))[0]
        held = contest(wrong, cost, network=network, chosen=int(network[best]))
        found = measure_overtuning(held, seed)
        off.append(found.expected.value - risk[best])
        raw.append(found.dev - risk[best])
        inside += found.expected.low <= risk[best] <= found.expected.high
    error = np.std(off) / math.sqrt(studies)
    assert abs(np.mean(off)) < 0.002 + 3 * error
    assert np.mean(raw) < -0.005  # the dev score itself is far too good
    assert 0.92 <= inside / studies <= 0.995  # within 3 errors of 0.95 and a little wide


@pytest.mark.parametrize("metric", ["log_loss", "auc", "rmse"])
def test_metrics_of_every_kind_are_corrected_upwards(metric):
    generator = np.random.default_rng(4)
    rows, networks = 200, 60
    measured = METRICS[metric]
    if metric == "rmse":
        y = generator.standard_normal(rows)
        said = [y + generator.standard_normal(rows) for _ in range(networks)]
        fresh = 1.0
    else:
        y = generator.integers(0, 2, rows)
        raw = [y + generator.standard_normal(rows) for _ in range(networks)]
        said = [np.stack([1 - p, p], -1) for p in (1 / (1 + np.exp(-r + 0.5)) for r in raw)]
        big = generator.integers(0, 2, 100_000)
        p = 1 / (1 + np.exp(-(big + generator.standard_normal(100_000)) + 0.5))
        fresh = measured.loss(big, np.stack([1 - p, p], -1))
    tally = Tally(np.ones(rows), np.arange(rows), rows)
    sums = np.stack([measured.sums(y, s, tally) for s in said])
    scores = [measured.loss(y, s) for s in said]
    held = Contest(
        measured,
        network=np.arange(networks),
        view=np.zeros(networks, int),
        sums=sums,
        cost=np.zeros((networks, rows)),
        weight=np.ones(rows),
        home=np.zeros(rows, int),
        rows=rows,
        alike=True,
        trials=networks,
        chosen=int(np.argmin(scores)),
    )
    found = measure_overtuning(held)
    assert found.dev == pytest.approx(min(scores))
    assert found.luck.low > 0
    assert found.expected.low < fresh < found.expected.high
    assert abs(found.expected.value - fresh) < abs(found.dev - fresh)


def measured(luck, low, high, dev=0.02):
    expected = Estimate(dev + luck, dev + luck - 0.01, dev + luck + 0.02)
    return Overtuning(dev, expected, Estimate(luck, low, high), 300, 20, 50, 64)


@pytest.mark.parametrize(
    ("luck", "level"),
    [((0.001, 0.0, 0.004), "ok"), ((0.02, 0.0, 0.04), "unsure"), ((0.03, 0.02, 0.04), "problem")],
)
def test_luck_matters_beside_the_material_size_and_the_interval(luck, level):
    dev = Estimate(0.02, 0.01, 0.035)
    found = overtuning_finding(measured(*luck), "error", dev, 0.05, None)
    assert (found.code, found.level) == ("DW120", level)
    assert found.evidence["threshold"] == pytest.approx(0.015)
    assert "expected on fresh rows" in found.detail


def test_a_lead_that_luck_swallows_is_not_clear():
    dev = Estimate(0.02, 0.01, 0.035)
    lead = Estimate(-0.02, -0.03, -0.005)
    found = overtuning_finding(measured(0.01, 0.0, 0.012), "error", dev, 0.05, lead)
    assert (found.level, found.claim[:8]) == ("unsure", "the lead")
    assert "not clear" in found.detail
    clear = Estimate(-0.04, -0.06, -0.02)
    found = overtuning_finding(measured(0.01, 0.0, 0.012), "error", dev, 0.05, clear)
    assert found.level == "ok"


def test_groups_of_rows_are_left_out_and_resampled_together():
    """Four rows a group that err alike tell as much as one: as many units as groups."""
    generator = np.random.default_rng(3)
    once = contest(generator.random((20, 90)) < 0.2)
    times = replace(
        once, sums=4 * once.sums, cost=4 * once.cost, weight=4 * once.weight, rows=360, alike=False
    )
    found, single = measure_overtuning(replace(times, units=90)), measure_overtuning(once)
    assert found.luck.value == pytest.approx(single.luck.value)
    assert found.expected.value == pytest.approx(single.expected.value)
    width = found.expected.high - found.expected.low
    assert width == pytest.approx(single.expected.high - single.expected.low, rel=0.2)
    wider = found.luck.high - found.luck.value
    assert wider == pytest.approx(for_few(90) * (single.luck.high - single.luck.value), rel=1e-6)
    perfect = contest(np.zeros((2, 90)))
    held = replace(perfect, sums=4 * perfect.sums, rows=360, alike=False, units=90)
    assert measure_overtuning(held).expected == wilson(0, 90)
