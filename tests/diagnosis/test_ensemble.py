"""Greedy ensembles: the choice as it is spelled out, and a comparison that fresh rows confirm."""

import math
from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._ensemble import (
    Candidates,
    _bag,  # pyright: ignore[reportPrivateUsage]
    averaged,
    ensemble_finding,
    measure_ensemble,
)
from deepwell.diagnosis._intervals import for_few
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import EnsembleFacts, Estimate


def candidates(predictions, y, metric="error"):
    trials = tuple(range(len(predictions)))
    return Candidates(METRICS[metric], trials, np.asarray(predictions), y, np.ones(len(y)))


def classifiers(generator, rows, networks, shared, noise):
    """Return labels and probabilities of networks that err on rows of their own and on shared."""
    y = generator.integers(0, 2, rows)
    signal = 2.0 * (2 * y - 1) + shared * generator.standard_normal(rows)
    z = signal + noise * generator.standard_normal((networks, rows))
    p = 1 / (1 + np.exp(-z))
    return y, np.stack([1 - p, p], axis=-1)


def greedy(seen, y, of_classes, most):
    """Caruana's rule, one candidate at a time."""
    members, best = [], math.inf
    while len(members) < most:
        costs = []
        for one in range(len(seen)):
            said = np.mean([seen[n] for n in (*members, one)], axis=0)
            costs.append((-np.log(said)).mean() if of_classes else ((said - y) ** 2).mean())
        if not min(costs) < best - 1e-12:
            break
        best = min(costs)
        members.append(int(np.argmin(costs)))
    return np.bincount(members, minlength=len(seen)) / len(members)


@pytest.mark.parametrize("of_classes", [True, False])
def test_members_are_added_as_the_rule_says(of_classes):
    generator = np.random.default_rng(0)
    if of_classes:
        y, said = classifiers(generator, 120, 7, 1.0, 2.0)
        held = candidates(said, y)
        seen = said[:, np.arange(120), y]
    else:
        y = generator.standard_normal(120)
        seen = y + generator.standard_normal((7, 120))
        held = candidates(seen, y, "rmse")
    np.testing.assert_allclose(_bag(held, seen), greedy(seen, y, of_classes, 10))


def test_equal_networks_are_no_better_together():
    y, said = classifiers(np.random.default_rng(1), 200, 1, 1.0, 1.0)
    found = measure_ensemble(candidates(np.repeat(said, 5, axis=0), y))
    assert found.change == Estimate(0.0, 0.0, 0.0)
    assert found.score == found.single == pytest.approx(METRICS["error"].loss(y, said[0]))
    assert sum(found.shares) == pytest.approx(1.0)


def test_one_network_is_no_ensemble():
    y, said = classifiers(np.random.default_rng(1), 50, 1, 1.0, 1.0)
    assert measure_ensemble(candidates(said, y)) is None


@pytest.mark.parametrize("metric", ["error", "log_loss", "rmse"])
def test_the_change_is_what_fresh_rows_show(metric):
    """Ensembles of noisy networks against the single best, each on 20,000 fresh rows."""
    inside, studies, better = 0, 60, 0
    for seed in range(studies):
        generator = np.random.default_rng(seed)
        if metric == "rmse":
            y = generator.standard_normal(20_300)
            shared = 0.5 * generator.standard_normal(20_300)
            said = y + shared + 0.6 * generator.standard_normal((8, 20_300))
        else:
            y, said = classifiers(generator, 20_300, 8, 1.5, 2.0)
        dev, fresh = slice(300), slice(300, None)
        held = candidates(said[:, dev], y[dev], metric)
        found = measure_ensemble(held, seed)
        shares = np.zeros(8)
        shares[list(found.trials)] = found.shares
        measured = METRICS[metric]
        best = min(range(8), key=lambda n: measured.loss(y[dev], said[n, dev]))
        true = measured.loss(y[fresh], averaged(said[:, fresh], shares)) - measured.loss(
            y[fresh], said[best, fresh]
        )
        inside += found.change.low <= true <= found.change.high
        better += found.change.high < 0
    assert inside >= 0.88 * studies
    assert better >= 0.5 * studies


@pytest.mark.parametrize(
    ("change", "level", "command"),
    [
        (Estimate(-0.02, -0.03, -0.01), "ok", "deepwell ensemble x"),
        (Estimate(-0.01, -0.03, 0.01), "unsure", ""),
        (Estimate(0.02, 0.01, 0.03), "ok", ""),
    ],
)
def test_an_ensemble_is_advised_where_it_is_clearly_better(change, level, command):
    facts = EnsembleFacts((3, 5), (0.6, 0.4), 9, change, 0.08, 0.10, 300)
    found = ensemble_finding(facts, "error", "deepwell ensemble x")
    assert (found.code, found.level, found.command) == ("DW611", level, command)
    assert "better" in found.claim
    assert ("not" in found.claim) == (not command)


def test_groups_of_rows_are_left_out_and_resampled_together():
    generator = np.random.default_rng(5)
    y, said = classifiers(generator, 150, 6, 1.0, 2.0)
    once = measure_ensemble(candidates(said, y, "log_loss"))
    group = np.repeat(np.arange(150) + 40, 4)
    times = candidates(np.repeat(said, 4, axis=1), np.repeat(y, 4), "log_loss")
    found = measure_ensemble(replace(times, group=group))
    assert found.shares == pytest.approx(once.shares)
    assert found.change.value == pytest.approx(once.change.value)
    width = once.change.high - once.change.low
    assert found.change.high - found.change.low == pytest.approx(for_few(150) * width)
    alone = measure_ensemble(times).change
    assert width > 1.6 * (alone.high - alone.low)
    assert measure_ensemble(replace(times, group=group // 400)) is None
