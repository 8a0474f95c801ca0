"""Shares of hyperparameters against Sobol indices that are known by formula."""

import math

import numpy as np
import pytest
from tests.search.importance.known_shares import (
    ISHIGAMI_SHARES,
    cube,
    g_function,
    g_shares,
    history,
    ishigami,
)

from deepwell.records import Observation, Status, Trial, TrialSpec
from deepwell.search import Axis, Domain, choice, integer, log, uniform, when
from deepwell.search.importance import measure_importance, needed_trials
from deepwell.search.importance._basis import axis_basis
from deepwell.search.importance._equal_epochs import at_equal_epochs


def shares(domain, tried):
    return {effect.name: effect.share for effect in measure_importance(domain, tried).effects}


def test_ishigami_and_g_have_their_sobol_indices():
    generator = np.random.default_rng(0)
    a = np.array([0.0, 1.0, 4.5, 9.0])
    cases = (
        (ishigami, 3, ISHIGAMI_SHARES, 0.01),
        (lambda u: g_function(u, a), 4, g_shares(a), 0.03),
    )
    for function, d, truth, tolerance in cases:
        units = generator.random((256, d))
        found = shares(cube(d), history(cube(d), units, function(units)))
        assert found.keys() == truth.keys()
        for name, share in found.items():
            assert share.value == pytest.approx(truth[name], abs=tolerance), name


def test_shares_of_a_mixed_domain_are_those_of_its_formula():
    domain = Domain(
        {
            "rate": log(1e-4, 1.0),
            "kind": choice("a", "b", "c"),
            "layers": integer(1, 4),
            "idle": uniform(-1, 1),
            "fixed": 3,
        }
    )
    level = {"a": 0.0, "b": 1.0, "c": 0.0}
    generator = np.random.default_rng(1)
    units = generator.random((200, 4))
    tried = []
    for u in units:
        values = domain.decode(u)
        score = math.log10(values["rate"]) + level[values["kind"]] + values["layers"]
        tried.append(Observation(values, score))
    found = shares(domain, tried)
    # Variances: 4^2 / 12 of the exponent, 2/9 of the kinds, (16 - 1) / 12 of the layers.
    variances = {"rate": 16 / 12, "kind": 2 / 9, "layers": 15 / 12, "idle": 0.0}
    for name, variance in variances.items():
        assert found[name].value == pytest.approx(variance / sum(variances.values()), abs=0.01)
    assert "fixed" not in found


def test_intervals_hold_known_shares_as_often_as_they_say():
    a, held, seen = np.array([0.0, 1.0, 4.5, 9.0]), 0, 0
    truth = g_shares(a)
    for seed in range(12):
        generator = np.random.default_rng(seed)
        units = generator.random((96, 4))
        scores = g_function(units, a)
        scores = scores + 0.3 * scores.std() * generator.standard_normal(96)
        found = shares(cube(4), history(cube(4), units, scores))
        held += sum(s.low - 0.01 <= truth[n] <= s.high + 0.01 for n, s in found.items())
        seen += len(found)
    # 95 % of 120 are 114; 102 or fewer come once in 10,000 times where the coverage is 95 %.
    assert held >= 103, f"{held} of {seen}"


def test_uneven_trials_give_the_shares_of_the_whole_range():
    generator = np.random.default_rng(3)
    units = generator.random((200, 2))
    units[60:, 0] = 0.2 + 0.1 * generator.random(140)  # most lie where x0 hardly varies
    scores = 2 * units[:, 0] + units[:, 1]
    found = shares(cube(2), history(cube(2), units, scores))
    assert found["x0"].value == pytest.approx(0.8, abs=0.02)
    assert found["x1"].value == pytest.approx(0.2, abs=0.02)


def test_diverged_trials_count_as_the_worst_and_pending_ones_not_at_all():
    generator = np.random.default_rng(4)
    units = generator.random((120, 2))
    scores = np.where(units[:, 0] > 0.8, np.inf, units[:, 0])
    scores[:5] = np.nan
    tried = history(cube(2), units, scores)
    found = measure_importance(cube(2), tried)
    assert found.worst == int(np.isinf(scores).sum())
    assert (found.trials, found.left_out) == (115, 5)
    assert found.main[0].name == "x0"
    assert found.main[0].share.low > 0.9
    far = [*tried, Observation({"x0": 0.1, "x1": 0.1}, 1e12)]  # one score must not outweigh all
    assert measure_importance(cube(2), far).main[0].share.value > 0.8


def test_trials_outside_of_a_narrowed_domain_are_left_out():
    generator = np.random.default_rng(5)
    units = generator.random((100, 2))
    tried = history(cube(2), units, units[:, 0])
    narrow = Domain({"x0": uniform(0, 0.5), "x1": uniform(0, 1)})
    found = measure_importance(narrow, tried)
    assert found.trials == int((units[:, 0] <= 0.5).sum())
    assert found.left_out == 100 - found.trials


def test_what_does_not_exist_has_no_effect_there():
    domain = Domain(
        {
            "kind": choice("plain", "fast"),
            "boost": when(uniform(0, 1), kind="fast"),
            "rate": uniform(0, 1),
        }
    )
    units = np.random.default_rng(9).random((160, 3))
    tried = []
    for u in units:
        values = domain.decode(u)
        tried.append(Observation(values, 2 * values.get("boost", 0.5) + values["rate"]))
    found = shares(domain, tried)
    # Half of the points have a boost, of variance 4 / 12 there; the rate has 1 / 12 everywhere.
    assert found["boost"].value + found["kind x boost"].value == pytest.approx(2 / 3, abs=0.05)
    assert found["rate"].value == pytest.approx(1 / 3, abs=0.05)


def test_too_little_to_tell_is_said_and_how_much_is_needed():
    generator = np.random.default_rng(6)
    units = generator.random((31, 3))
    few = measure_importance(cube(3), history(cube(3), units, units[:, 0]))
    assert (few.effects, few.explained) == ((), None)
    assert few.why == "31 trials have a score to compare; 32 are needed"
    assert needed_trials(3) == 32
    assert needed_trials(10) == 80
    same = measure_importance(cube(3), history(cube(3), generator.random((40, 3)), np.ones(40)))
    assert same.why == "all 40 trials have the same score"
    nothing = measure_importance(Domain({"a": 1}), [Observation({"a": 1}, 1.0)])
    assert "nothing was searched" in nothing.why
    diverged = history(cube(3), generator.random((40, 3)), np.full(40, np.inf))
    assert measure_importance(cube(3), diverged).why.startswith("0 trials have a score")


def test_of_pure_noise_nothing_is_told():
    told = 0
    for seed in range(20):
        generator = np.random.default_rng(seed)
        noise = history(cube(3), generator.random((64, 3)), generator.standard_normal(64))
        found = measure_importance(cube(3), noise)
        told += not found.why
        assert found.why == "" or "luck of seeds" in found.why
    assert told <= 2  # of 1 %, 3 or more of 20 come once in 1,000 times


def test_more_axes_than_are_looked_at_in_pairs_keep_all_single_shares():
    generator = np.random.default_rng(7)
    units = generator.random((120, 12))
    scores = units[:, 11] + 0.5 * units[:, 3]
    found = measure_importance(cube(12), history(cube(12), units, scores))
    assert len(found.main) == 12
    assert [effect.name for effect in found.main[:2]] == ["x11", "x3"]
    assert {"x11", "x3"} <= {name for effect in found.interactions for name in effect.names}


def test_the_same_history_gives_the_same_shares():
    units = np.random.default_rng(8).random((60, 2))
    tried = history(cube(2), units, units[:, 0] * units[:, 1])
    assert measure_importance(cube(2), tried) == measure_importance(cube(2), list(tried))


@pytest.mark.parametrize("axis", [Axis("a", 2, False), Axis("b", 5, False), Axis("c", 9, True)])
def test_functions_of_discrete_axes_are_orthonormal(axis):
    middles = (np.arange(axis.count) + 0.5) / axis.count
    values, _ = axis_basis(axis, middles)
    assert np.abs(values.mean(axis=0)).max() < 1e-12
    gram = values.T @ values / axis.count
    assert np.abs(gram - np.eye(values.shape[1])).max() < 1e-12


def test_functions_of_a_continuum_are_orthonormal():
    nodes, weights = np.polynomial.legendre.leggauss(20)
    values, degrees = axis_basis(Axis("a", None, True), 0.5 * (nodes + 1))
    gram = values.T @ (values * (0.5 * weights)[:, None])
    assert np.abs(gram - np.eye(len(degrees))).max() < 1e-12
    assert np.abs((0.5 * weights) @ values).max() < 1e-12


def trial(number, status, curve):
    scores = np.array(curve, np.float32)
    return Trial(
        number,
        TrialSpec({}, seed=number),
        status=status,
        epochs=len(curve),
        best_epoch=int(scores.argmin()) + 1 if len(scores) else 0,
        score=float(scores.min()) if len(scores) else math.inf,
        curves={"dev_score": scores},
    )


def test_trials_are_compared_where_the_first_were_stopped():
    trials = [
        trial(0, Status.FINISHED, [0.5, 0.4, 0.3, 0.1]),
        trial(1, Status.PRUNED, [0.7, 0.6]),
        trial(2, Status.PRUNED, [0.5, 0.35, 0.2]),
        trial(3, Status.EARLY_STOPPED, [0.8]),
        trial(4, Status.DIVERGED, []),
        trial(5, Status.FAILED, [0.9, 0.9]),
        trial(6, Status.INTERRUPTED, [0.6]),
        trial(7, Status.WAITING, []),
    ]
    kept, epochs = at_equal_epochs(trials)
    assert epochs == 2
    assert [t.number for t in kept] == [0, 1, 2, 3, 4]
    expected = [0.4, 0.6, 0.35, 0.8, math.inf]
    assert [t.score for t in kept] == pytest.approx(expected)


def test_without_stopped_trials_each_counts_at_its_end():
    trials = [trial(0, Status.FINISHED, [0.5, 0.4]), trial(1, Status.EARLY_STOPPED, [0.6])]
    assert at_equal_epochs(trials) == (trials, 0)


def test_where_most_were_cut_short_they_are_compared_where_the_least_of_them_came_to():
    trials = [trial(n, Status.INTERRUPTED, [0.5, 0.4, 0.3][: 2 + n % 2]) for n in range(5)]
    kept, epochs = at_equal_epochs([*trials, trial(9, Status.FINISHED, [0.9, 0.8, 0.1])])
    assert (len(kept), epochs) == (6, 2)
    assert kept[-1].score == pytest.approx(0.8)


def test_epochs_without_a_score_are_passed_over():
    kept, _ = at_equal_epochs(
        [
            trial(0, Status.DIVERGED, [math.nan, 0.4, math.nan]),
            trial(1, Status.PRUNED, [0.5, 0.5]),
        ]
    )
    assert kept[0].score == pytest.approx(0.4)
