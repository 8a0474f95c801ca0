"""Rates, inputs, outputs, modes, plateaus, and which of several findings is the cause."""

import math
from dataclasses import replace

import numpy as np
import pytest

from deepwell.diagnosis._causes import (
    causes_first,
    gaps_after,
    measured_cause,
    most_urgent_first,
    of_best,
    starts_first,
)
from deepwell.diagnosis._changes import change_for, healthy
from deepwell.diagnosis._check_finding import Check, check_finding
from deepwell.diagnosis._curve_reading import read_curve
from deepwell.diagnosis._curves import Curves
from deepwell.diagnosis._input_findings import SLOW, InputScales, input_finding, input_scales
from deepwell.diagnosis._mode_findings import ModeCosts, averages_off, mode_finding
from deepwell.diagnosis._output_findings import CONSTANT, output_finding, output_spread
from deepwell.diagnosis._paired_runs import Effect
from deepwell.diagnosis._plateau_findings import plateau_finding, stands_still
from deepwell.diagnosis._rate_findings import (
    Rates,
    diagnose_rate,
    factors_to_try,
    further_factor,
    searched,
    untried,
)
from deepwell.records import Estimate, Finding, Trial, TrialSpec

HELPS = Effect(0.2, 1 / 256, 8, 0.4, 0.2)
NOTHING = Effect(0.0, 0.6, 8, 0.4, 0.4)
GENERATOR = np.random.default_rng(0)


def _curves(train: np.ndarray, **others: object) -> Curves:
    given = {
        "best_epoch": len(train) // 2,
        "metric": "error",
        "constant": 0.9,
        "dev_rows": 1_000,
        **others,
    }
    return Curves(train, train, train, **given)  # type: ignore[arg-type]


GOOD = 0.1 + 2 * np.exp(-np.arange(40) / 5)


class TestRates:
    def test_a_good_curve_gives_no_reason_to_try_another_rate(self) -> None:
        assert factors_to_try(_curves(GOOD), constant_cost=2.3) == ()

    def test_what_has_not_learnt_gives_every_reason(self) -> None:
        assert factors_to_try(_curves(np.full(40, 2.3)), 2.3) == (0.01, 0.1, 10.0, 100.0)
        assert factors_to_try(_curves(np.full(40, np.nan)), 2.3) == (0.01, 0.1, 10.0, 100.0)
        assert factors_to_try(_curves(GOOD, diverged=True), 2.3) == (0.01, 0.1, 10.0, 100.0)

    def test_a_rough_curve_asks_for_a_lower_rate(self) -> None:
        rough = 0.6 + 0.4 * np.random.default_rng(1).normal(size=40)
        assert factors_to_try(_curves(rough), 5.0) == (0.1,)

    def test_one_that_still_falls_asks_for_a_higher_rate(self) -> None:
        falling = np.linspace(2.0, 0.5, 40) + 1e-3 * GENERATOR.normal(size=40)
        assert factors_to_try(_curves(falling, best_epoch=40), 2.3) == (10.0,)
        assert factors_to_try(_curves(falling, best_epoch=40, stopped_early=True), 2.3) == ()

    def test_what_the_search_has_answered_and_a_hundredth_of_a_low_rate_are_not_tried(self) -> None:
        every = (0.01, 0.1, 10.0, 100.0)
        assert untried(every, 1e-2) == untried(every, 1e-3) == every
        assert untried(every, 9e-4) == (0.1, 10.0, 100.0)
        assert untried(every, 1e-2, frozenset({0.1})) == (10.0, 100.0)
        assert untried(every, 1e-2, frozenset({0.1, 10.0})) == ()

    def test_beyond_the_last_rate_that_helps_most_the_next_is_tried(self) -> None:
        more = Effect(0.3, 1 / 256, 8, 0.4, 0.1)
        assert further_factor(1e-5, {0.1: NOTHING, 10.0: HELPS, 100.0: more}, 0.01, 3) == 1_000
        assert further_factor(1e-5, {0.1: NOTHING, 10.0: more, 100.0: HELPS}, 0.01, 3) is None
        assert further_factor(1e-5, {10.0: NOTHING}, 0.01, 1) is None
        assert further_factor(0.3, {0.1: HELPS, 10.0: NOTHING}, 0.01, 2) == pytest.approx(0.01)
        assert further_factor(5e-4, {0.1: HELPS}, 0.01, 1) is None, "lower than any search"
        assert further_factor(0.02, {10.0: HELPS}, 0.01, 1) is None, "above 1"

    def test_a_rate_so_low_that_a_hundred_times_has_not_learnt_is_no_end(self) -> None:
        """At 1e-6 the last rate is better for sure, and has not beaten the constant guess yet."""
        barely = replace(HELPS, learnt=False)
        effects = {10.0: NOTHING, 100.0: barely}
        assert further_factor(1e-6, effects, 0.01, 2) == 1_000
        high = diagnose_rate(Rates(1e-6, effects, 40, True), "error", 0.01)[1]
        assert (high.level, high.claim) == ("unsure", "learning rate perhaps too low")
        unlearnable = {10.0: NOTHING, 100.0: replace(barely, agrees=False)}
        assert further_factor(1e-6, unlearnable, 0.01, 2) is None
        assert diagnose_rate(Rates(1e-6, unlearnable, 40, True), "error", 0.01)[1].level == "ok"

    def test_what_is_tried_for_what_another_rate_did_costs_no_chance(self) -> None:
        more = Effect(0.3, 1 / 256, 8, 0.4, 0.1)
        effects = {0.1: NOTHING, 10.0: HELPS, 100.0: HELPS, 1_000.0: HELPS, 10_000.0: more}
        found = diagnose_rate(Rates(1e-5, effects, 40, True), "error", 0.01)[1]
        assert found.level == "ok" or found.evidence["p_value"] == 5 / 256
        found = diagnose_rate(Rates(1e-5, effects, 40, True, first=3), "error", 0.01)[1]
        assert (found.level, found.evidence["p_value"]) == ("problem", 3 / 256)
        assert found.evidence["values"] == {"learning_rate": 0.1}

    def test_a_search_around_the_best_has_answered(self) -> None:
        def trial(number: int, rate: float) -> Trial:
            return Trial(number, TrialSpec({"learning_rate": rate}, 0))

        best = trial(0, 0.01)
        lower = [trial(n, 0.003) for n in range(1, 5)]
        higher = [trial(n, 0.05) for n in range(5, 9)]
        assert searched([best, *lower, *higher], best) == {0.1, 10.0}
        assert searched([best, *lower, *higher[:3]], best) == {0.1}
        assert searched([best, *(trial(n, 0.01) for n in range(1, 99))], best) == frozenset()

    def test_a_tenth_that_does_better_means_too_high(self) -> None:
        low, high = diagnose_rate(Rates(0.3, {0.1: HELPS, 10.0: NOTHING}, 20, True), "error", 0.01)
        assert (low.code, low.level, high.level) == ("DW405", "problem", "ok")
        assert low.evidence["values"] == {"learning_rate": 0.03}
        assert low.detail.startswith("dev error 40.0 % at 0.3, 20.0 % at 0.03: 8 pairs")

    def test_ten_times_as_much_that_does_better_means_too_low(self) -> None:
        low, high = diagnose_rate(Rates(1e-4, {10.0: HELPS}, 40, True), "error", 0.01)
        assert (high.code, high.level, low.level) == ("DW406", "problem", "ok")

    def test_in_fewer_epochs_a_higher_rate_must_beat_all_that_the_network_got(self) -> None:
        short = Rates(1e-4, {10.0: HELPS}, 5, False)
        assert diagnose_rate(short, "error", 0.01)[1].level == "ok"
        beats = Rates(1e-4, {10.0: HELPS}, 5, False, frozenset({10.0}))
        assert diagnose_rate(beats, "error", 0.01)[1].level == "problem"

    def test_a_sure_gain_is_told_before_a_larger_one_that_is_not_sure(self) -> None:
        """Of ten times the rate all eight runs gain, of a hundred times the mean of them more."""
        chance = Effect(0.26, 2 / 256, 8, 0.4, 0.14)
        rates = Rates(1e-5, {0.1: NOTHING, 10.0: HELPS, 100.0: chance}, 40, True)
        high = diagnose_rate(rates, "error", 0.01)[1]
        assert (high.level, high.evidence["values"]) == ("problem", {"learning_rate": 1e-4})
        disagrees = replace(chance, p_value=1 / 256, agrees=False)
        rates = replace(rates, effects={**rates.effects, 100.0: disagrees})
        assert diagnose_rate(rates, "error", 0.01)[1].level == "problem"

    def test_of_a_rate_far_too_high_what_gains_most_is_told(self) -> None:
        most = Effect(0.35, 1 / 256, 8, 0.4, 0.05)
        rates = Rates(0.3, {0.01: most, 0.1: HELPS, 10.0: NOTHING, 100.0: NOTHING}, 20, True)
        low = diagnose_rate(rates, "error", 0.01)[0]
        assert (low.level, low.evidence["values"]) == ("problem", {"learning_rate": 0.003})
        assert low.evidence["p_value"] == 4 / 256

    def test_a_gain_that_may_be_chance_is_not_denied(self) -> None:
        perhaps = Effect(0.2, 0.06, 8, 0.4, 0.2)
        low, high = diagnose_rate(Rates(0.3, {0.1: perhaps}, 20, True), "error", 0.01)
        assert (low.level, low.claim) == ("unsure", "learning rate perhaps too high")
        assert high.level == "ok"
        both = Rates(0.3, {0.1: replace(perhaps, p_value=0.02), 10.0: HELPS}, 20, True)
        low, high = diagnose_rate(both, "error", 0.01)
        assert (low.level, low.claim) == ("ok", "learning rate not too high")
        assert high.level == "problem"
        less = Rates(0.3, {0.1: replace(perhaps, p_value=0.2)}, 20, True)
        assert diagnose_rate(less, "error", 0.01)[0].level == "ok"

    def test_of_two_directions_the_better_one_is_told(self) -> None:
        much = Effect(0.3, 1 / 256, 8, 0.4, 0.1)
        low, high = diagnose_rate(Rates(0.1, {0.1: HELPS, 10.0: much}, 20, True), "error", 0.01)
        assert (low.level, high.level) == ("ok", "problem")


class TestInputs:
    def test_normalized_inputs_cost_nothing(self) -> None:
        x = GENERATOR.normal(size=(300, 5))
        x = (x - x.mean(0)) / x.std(0)
        assert input_scales(x) == InputScales(1.0, 1.0, pytest.approx(0.0), pytest.approx(1.0))

    def test_the_slowdown_is_that_of_the_eigenvalues(self) -> None:
        x = GENERATOR.normal(size=(1_000, 4)) * [1.0, 2.0, 4.0, 50.0] + [0.0, 3.0, 0.0, 10.0]
        normal = (x - x.mean(0)) / x.std(0)

        def largest(rows: np.ndarray) -> float:
            rows = np.column_stack([rows, np.ones(len(rows))])
            return float(np.linalg.eigvalsh(rows.T @ rows / len(rows))[-1])

        expected = largest(x) / np.median(x.std(0)) ** 2 / largest(normal)
        assert input_scales(x).slowdown == pytest.approx(expected, rel=0.02)

    def test_one_scale_for_all_slows_nothing_but_moves_the_rates(self) -> None:
        x = GENERATOR.normal(size=(500, 6))
        for factor in (100.0, 0.01):
            found = input_scales(factor * (x - x.mean(0)) / x.std(0))
            assert found.slowdown == pytest.approx(1.0, rel=1e-6) or found.shift < 1
            assert found.off >= 50

    def test_constant_columns_and_no_column_are_no_scale(self) -> None:
        x = np.ones((50, 2))
        assert input_scales(x).slowdown == 1.0
        varied = np.column_stack([x, GENERATOR.normal(size=50)])
        assert input_scales(varied).slowdown == 1.0

    @pytest.mark.parametrize(
        ("slowdown", "cure", "level"),
        [
            (1.0, None, "ok"),
            (SLOW * 5, HELPS, "problem"),
            (SLOW * 5, NOTHING, "ok"),  # learnt all the same, as through batch norm
            (SLOW * 5, None, "unsure"),
        ],
    )
    def test_the_verdict(self, slowdown: float, cure: Effect | None, level: str) -> None:
        found = input_finding(InputScales(slowdown, 1.0, 3.0, 9.0), cure, "error", 0.01)
        assert (found.code, found.level) == ("DW407", level)


class TestOutputs:
    def test_spread_of_probabilities_and_of_values(self) -> None:
        y = np.array([0, 1, 2] * 20)
        assert output_spread(np.eye(3)[y], y) == pytest.approx(1.0)
        assert output_spread(np.tile([0.2, 0.3, 0.5], (60, 1)), y) == pytest.approx(0.0, abs=1e-7)
        values = GENERATOR.normal(size=100)
        assert output_spread(0.25 * values, values) == pytest.approx(0.25)

    def test_what_cannot_be_measured(self) -> None:
        assert math.isnan(output_spread(np.array([1.0, np.inf]), np.array([0.0, 1.0])))
        assert math.isnan(output_spread(np.ones(3), np.ones(3)))

    def test_the_bound_that_the_threshold_comes_from(self) -> None:
        """No prediction of spread s explains more than 2 s - s^2 of the target's variance."""
        y = GENERATOR.normal(size=4_000)
        y = (y - y.mean()) / y.std()
        explained = 1 - np.mean((y - CONSTANT * y) ** 2)
        assert explained == pytest.approx(2 * CONSTANT - CONSTANT**2)
        assert explained <= 0.01

    @pytest.mark.parametrize(
        ("spread", "versus", "harm", "level"),
        [
            (0.9, Estimate(0.3, 0.2, 0.4), HELPS, "ok"),
            (0.001, Estimate(0.3, 0.2, 0.4), None, "problem"),
            (0.001, None, HELPS, "problem"),
            (0.001, Estimate(-0.01, -0.05, 0.02), NOTHING, "ok"),  # nothing to be predicted
            (0.001, None, None, "ok"),
            (math.nan, Estimate(0.3, 0.2, 0.4), HELPS, "unsure"),  # nothing to go by
        ],
    )
    def test_the_verdict(
        self, spread: float, versus: Estimate | None, harm: Effect | None, level: str
    ) -> None:
        named = None if versus is None else ("logistic regression", versus)
        twin: tuple[str, dict[str, object]] = ("another network", {"learning_rate": 0.1})
        found = output_finding(spread, "error", 0.01, named, harm, twin)
        assert (found.code, found.level) == ("DW409", level)
        assert ("values" in found.evidence) == (level != "unsure"), "a change for no finding"


class TestModes:
    AGREE = ModeCosts(*(1 + 0.1 * GENERATOR.normal(size=12) for _ in range(3)))
    OFF = ModeCosts(np.ones(12), 1.1 + 0.1 * GENERATOR.random(12), 3 + GENERATOR.random(12))

    def test_averages_that_do_no_worse_than_another_batch_are_fine(self) -> None:
        assert not averages_off(self.AGREE)
        assert mode_finding(self.AGREE, None, "error", 0.01).level == "ok"

    @pytest.mark.parametrize(
        ("gain", "level"),
        [
            (Estimate(0.2, 0.1, 0.3), "problem"),
            (Estimate(0.005, 0.001, 0.01), "ok"),
            (Estimate(0.1, -0.1, 0.3), "ok"),
            (None, "ok"),
        ],
    )
    def test_averages_that_are_off_must_also_cost_score(
        self, gain: Estimate | None, level: str
    ) -> None:
        assert averages_off(self.OFF)
        found = mode_finding(self.OFF, gain, "error", 0.01)
        assert (found.code, found.level) == ("DW411", level)

    def test_without_batch_norm_there_is_nothing_to_compare(self) -> None:
        assert mode_finding(None, None, "error", 0.01).level == "ok"


class TestPlateau:
    STUCK = 2.29 + 1e-4 * GENERATOR.normal(size=40)

    def test_flat_and_high_is_a_reason_to_train_twins(self) -> None:
        assert stands_still(_curves(self.STUCK), 2.3)
        assert not stands_still(_curves(GOOD), 2.3)  # flat and low
        assert not stands_still(_curves(np.linspace(2.3, 1.5, 40)), 2.3)  # high and falling

    @pytest.mark.parametrize(
        ("harm", "level"), [(HELPS, "problem"), (NOTHING, "ok"), (None, "unsure")]
    )
    def test_twins_tell_whether_the_rows_allow_more(self, harm: Effect | None, level: str) -> None:
        found = plateau_finding(_curves(self.STUCK), 2.3, 0.01, harm, ("", {}))
        assert (found.code, found.level) == ("DW410", level)


def _finding(code: str, gain: float, level: str = "problem") -> Finding:
    more = {"change_effect": {"gain": gain}}
    return check_finding(code, level, "claim", "detail", Check(1.0, 1.0, "source", more=more))


def test_a_cause_whose_change_brings_less_is_a_consequence() -> None:
    found = causes_first(
        [_finding("DW410", 0.3), _finding("DW401", 0.1), _finding("DW403", 0.3)], worth=0.01
    )
    assert [(f.code, f.level) for f in found] == [
        ("DW401", "ok"),
        ("DW403", "problem"),
        ("DW410", "ok"),
    ]
    assert found[0].evidence["consequence_of"] == "DW403"
    assert found[2].claim.endswith(", a consequence of DW403")


_RESTART = {"initializer": "auto", "initializer_scale": 1.0}


def _asks(code: str, values: dict[str, object], gain: float = 0.3) -> Finding:
    found = _finding(code, gain)
    return replace(found, evidence={**found.evidence, "values": values})


def test_symptoms_that_one_change_mends_are_one_thing() -> None:
    three = [_asks(code, _RESTART) for code in ("DW401", "DW403", "DW404")]
    found = {f.code: f for f in causes_first(three, worth=0.01)}
    assert {code: f.level for code, f in found.items()} == {
        "DW401": "ok",
        "DW403": "ok",
        "DW404": "problem",
    }
    assert found["DW403"].evidence["consequence_of"] == "DW404"
    others = [_asks("DW401", _RESTART), _asks("DW403", {"learning_rate": 1e-3})]
    assert [f.level for f in causes_first(others, worth=0.01)] == ["problem", "problem"]
    untried = [replace(f, evidence={**f.evidence, "change_effect": None}) for f in three]
    assert {f.level for f in causes_first(untried, worth=0.01)} == {"problem"}


def test_what_makes_the_twin_is_no_one_change_of_a_symptom() -> None:
    twin = _asks("DW401", {"activation": "relu"})
    twin = replace(twin, evidence={**twin.evidence, "cause_gain": None})
    own = _asks("DW403", {"activation": "relu"})
    own = replace(own, evidence={**own.evidence, "cause_gain": 0.28})
    found = {f.code: f for f in causes_first([twin, own, _finding("DW405", 0.1)], worth=0.01)}
    assert found["DW403"].level == "problem"
    assert {found[code].evidence["consequence_of"] for code in ("DW401", "DW405")} == {"DW403"}


@pytest.mark.parametrize("rate", [0.295, 0.305])
def test_a_rate_too_low_that_stays_a_problem_explains_what_learns_on(rate: float) -> None:
    late = Finding("DW412", "problem", "still learning at the end", "", {"measured": 0.02})
    found = causes_first([_finding("DW406", rate), _finding("DW403", 0.3), late], worth=0.01)
    assert [f.level for f in found] == ["problem", "problem", "ok"]
    assert found[2].evidence["consequence_of"] == "DW406"


def test_what_the_start_explains_is_its_consequence() -> None:
    start = Finding("DW305", "problem", "alike", "", {"change": "--initializer auto"})
    other = Finding("DW302", "problem", "lost", "", {"change": "--learning-rate 0.001"})
    passed = replace(start, level="ok")
    late = Finding("DW412", "problem", "still learning at the end", "", {"measured": 0.02})
    training = [_asks("DW401", _RESTART), _asks("DW403", {"learning_rate": 1e-3}), late]
    assert starts_first(training, [other, passed]) == training
    found = starts_first(training, [other, start])
    assert [f.level for f in found] == ["ok", "problem", "ok"]
    assert found[0].evidence["consequence_of"] == "DW305"
    assert read_curve(found) == "still falling at the end, a consequence of DW305"
    measured = _finding("DW412", 0.1)
    assert starts_first([measured], [start]) == [measured]
    assert measured_cause(found) == "DW305"
    twin = _asks("DW403", {**_RESTART, "learning_rate": 1e-3})
    for alone, level in ((None, "problem"), (0.2, "ok")):
        own = replace(twin, evidence={**twin.evidence, "cause_gain": alone})
        assert starts_first([own], [start])[0].level == level, "the start alone must have helped"
    elsewhere = of_best([start], {"initializer": "zeros"}, {"initializer": "he"})
    assert starts_first(training, elsewhere) == training


def test_a_search_checks_the_start_of_one_network_for_those_that_share_it() -> None:
    zeros = {"initializer": "zeros", "initializer_scale": 1.0, "activation": "relu",
             "batch_norm": "none", "hidden_layers": 12, "optimizer": "sgd",
             "learning_rate": 1e-9}  # fmt: skip

    def told(code: str, change: str, **best: object) -> object:
        finding = Finding(code, "problem", "", "slow", {"change": change, "trial": 3})
        found = of_best([finding], zeros, {**zeros, **best})[0]
        words = "slow; in trial 3, the best network is set up otherwise"
        assert found.detail == ("slow" if found.evidence["of_best"] else words)
        return found.evidence["of_best"]

    assert told("DW305", "--initializer auto", learning_rate=0.1, activation="tanh") is True
    assert told("DW305", "--initializer auto", initializer="he") is False
    assert told("DW301", "--initializer-scale 1", activation="tanh") is False
    assert told("DW302", "another optimizer, or fewer layers", hidden_layers=1) is False
    assert told("DW302", "--activation relu --batch-norm before", learning_rate=0.1) is True
    assert told("DW302", "--learning-rate 0.001", learning_rate=0.1) is False
    assert told("DW303", "--hidden-layers 1 --initializer auto", hidden_layers=1) is False
    assert told("DW303", "other columns as inputs (--keep, --ignore)", hidden_layers=1) is True
    assert told("DW304", "--program jax, and deepwell doctor", initializer="he") is True
    passed = Finding("DW302", "ok", "", "")
    assert of_best([passed], zeros, {}) == [passed]


def test_a_large_gap_names_what_is_to_be_mended_first() -> None:
    gaps = [
        Finding("DW102", "problem", "high bias", "train 27 %"),
        Finding("DW103", "ok", "no high variance", "gap 1 %"),
        Finding("DW105", "problem", "worse than logistic regression", "by 4 %"),
    ]
    passed = _finding("DW401", 0.0, "ok")
    copies, rising = _finding("DW201", 0.0), _finding("DW414", 0.0)
    assert gaps_after(gaps, [passed, copies, rising]) == gaps, "train knows nothing of them"
    elsewhere = [Finding(code, "problem", "", "") for code in ("DW213", "DW408")]
    variance = Finding("DW101", "problem", "high variance", "")
    assert gaps_after([variance, *gaps], elsewhere) == [variance, *gaps]
    other = Finding("DW305", "problem", "alike", "", {"of_best": False})
    assert gaps_after(gaps, [other]) == gaps, "of another network"
    variance_high = Finding("DW101", "problem", "high variance", "")
    [variance] = gaps_after([variance_high], [copies, rising])
    assert variance.evidence["after"] == ["DW201", "DW414"]
    twice = [_finding("DW206", 0.0), _finding("DW206", 0.0), _finding("DW405", 0.1)]
    bias, variance, worse = gaps_after(gaps, twice)
    assert bias.detail == "train 27 %; mend DW206 and DW405 first, the gap may then change"
    assert bias.evidence["after"] == ["DW206", "DW405"]
    assert (bias.level, [variance, worse]) == ("problem", gaps[1:])
    three = [_finding(code, 0.0) for code in ("DW202", "DW206", "DW405")]
    assert "mend DW202, DW206 and DW405 first" in gaps_after(gaps, three)[0].detail
    assert "mend DW202 first" in gaps_after(gaps, three[:1])[0].detail
    bias, variance = gaps_after([gaps[0], variance_high], [_finding("DW208", 0.0)])
    assert bias.evidence["after"] == variance.evidence["after"] == ["DW208"]
    bias, variance = gaps_after([gaps[0], variance_high], [_finding("DW211", 0.0)])
    assert bias.evidence["after"] == variance.evidence["after"] == ["DW211"]


def test_causes_that_are_mended_alike_are_both_told() -> None:
    found = causes_first([_finding("DW405", 0.3), _finding("DW403", 0.295)], worth=0.01)
    assert [f.level for f in found] == ["problem", "problem"]


def test_a_cause_that_was_not_tried_neither_excuses_nor_is_excused() -> None:
    """Its figure is of the symptom, as a ratio of norms of 37, and no gain of the score."""
    untried = replace(_finding("DW402", 0.0), evidence={"measured": 37.0, "change_effect": None})
    found = causes_first([untried, _finding("DW405", 0.2), _finding("DW407", 0.05)], worth=0.01)
    assert [(f.code, f.level) for f in found] == [
        ("DW402", "problem"),
        ("DW405", "problem"),
        ("DW407", "ok"),
    ]
    assert found[2].evidence["consequence_of"] == "DW405"
    alone = causes_first([untried, _finding("DW410", 0.3)], worth=0.01)
    assert [f.level for f in alone] == ["problem", "ok"]


def test_a_consequence_whose_change_does_much_more_is_told_beside_its_cause() -> None:
    """A tenth of the rate gains 5 points, a healthy twin 40: the first alone is little."""
    found = causes_first([_finding("DW405", 0.05), _finding("DW410", 0.4)], worth=0.01)
    assert [f.level for f in found] == ["problem", "problem"]
    assert [f.code for f in most_urgent_first(found)] == ["DW410", "DW405"]
    found = causes_first([_finding("DW405", 0.395), _finding("DW410", 0.4)], worth=0.01)
    assert [f.level for f in found] == ["problem", "ok"]


def test_what_makes_the_twin_excuses_no_cause_but_is_excused() -> None:
    twin = _finding("DW403", 0.4)
    twin = replace(twin, evidence={**twin.evidence, "cause_gain": None})
    for gain, levels in ((0.2, ["problem", "problem"]), (0.395, ["ok", "problem"])):
        found = causes_first([twin, _finding("DW405", gain)], worth=0.01)
        assert [f.level for f in found] == levels
    alone = causes_first([twin, _finding("DW410", 0.4)], worth=0.01)
    assert [f.level for f in alone] == ["problem", "ok"]


def test_what_gains_most_comes_first_and_what_was_not_tried_last() -> None:
    curve = Finding("DW412", "problem", "", "", {"measured": 0.9})  # of the curve, no gain
    untried = replace(_finding("DW401", 0.0), evidence={"change_effect": None})
    found = [untried, _finding("DW402", 0.9, "ok"), _finding("DW405", 0.1), curve]
    order = most_urgent_first([*found, _finding("DW416", 0.3)])
    assert [f.code for f in order] == ["DW416", "DW405", "DW401", "DW412", "DW402"]


def test_a_plateau_without_a_cause_stays_a_problem() -> None:
    found = causes_first([_finding("DW410", 0.3), _finding("DW401", 0.3, "ok")], worth=0.01)
    assert [(f.code, f.level) for f in found] == [("DW401", "ok"), ("DW410", "problem")]


@pytest.mark.parametrize(
    ("code", "given", "expected"),
    [
        ("DW401", {"initializer": "zeros"}, {"initializer": "auto", "initializer_scale": 1.0}),
        ("DW401", {"activation": "sigmoid"}, {"activation": "relu", "initializer": "auto"}),
        ("DW402", {}, {"batch_norm": "before"}),
        ("DW402", {"batch_norm": "before"}, {"learning_rate": 1e-4}),
        ("DW403", {}, {"learning_rate": 1e-4}),
        ("DW404", {"activation": "tanh"}, {"activation": "relu", "initializer": "auto"}),
    ],
)
def test_the_change_follows_from_what_the_network_is(
    code: str, given: dict[str, object], expected: dict[str, object]
) -> None:
    values = TrialSpec(given, 0).hyperparameters
    assert change_for(code, values)[1] == expected
    TrialSpec({**values, **expected}, 0)  # is a configuration


def test_a_healthy_twin_keeps_what_is_the_network() -> None:
    values = TrialSpec({"activation": "tanh", "optimizer": "sgd", "dropout": 0.3}, 0)
    twin = healthy(values.hyperparameters, 1e-3, passes_gradients=True)
    assert (twin["activation"], twin["optimizer"], twin["learning_rate"]) == ("relu", "adam", 1e-3)
    assert "dropout" not in twin
    assert healthy(values.hyperparameters, 1e-3, passes_gradients=False)["activation"] == "tanh"


def test_a_rate_that_nobody_tried_is_not_called_right():
    from deepwell.diagnosis._rate_findings import untested_rate

    assert {f.level for f in untested_rate("no reason")} == {"ok"}
    untold = untested_rate("no other rate was tried", looked=False)
    assert [f.level for f in untold] == ["unsure", "unsure"]
    assert "not known" in untold[0].claim
