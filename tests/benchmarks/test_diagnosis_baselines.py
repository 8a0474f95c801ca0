"""The rules that Deepwell is compared with: each speaks where its numbers say so, and else not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from benchmarks.diagnosis.baselines import RULES
from benchmarks.diagnosis.baselines.autotrainer import autotrainer
from benchmarks.diagnosis.baselines.checker import deep_checker
from benchmarks.diagnosis.baselines.curves import curve_rules
from benchmarks.diagnosis.baselines.guesses import always, constant, never
from benchmarks.diagnosis.baselines.localize import deep_diagnosis, deep_localize
from benchmarks.diagnosis.baselines.umlaut import umlaut
from benchmarks.diagnosis.diagnosed import Measured
from benchmarks.diagnosis.labels import LABELS

from deepwell.records import Probe

EPOCHS = 20
FALLING = 0.9 * np.exp(-np.arange(EPOCHS) / 2.5) + 0.1
NEVER_FLAT = 0.8 ** np.arange(EPOCHS)  # to the deep checker whatever has converged stands still
QUANTILES = np.array([-2.0, -1.6, -0.6, 0.1, 0.7, 1.65, 2.5])


def _probe(**changed: Any) -> Probe:
    """A layer of healthy figures, and an output."""
    healthy = {
        "activations": np.array([QUANTILES, QUANTILES]),
        "gradients": np.array([0.01 * QUANTILES, 0.01 * QUANTILES]),
        "weights": np.array([0.2 * QUANTILES, 0.2 * QUANTILES]),
        "dead": np.zeros(2),
        "saturated": np.zeros(2),
        "zero": np.array([0.5, np.nan]),
        "weight_norm": np.full(2, 5.0),
        "gradient_norm": np.full(2, 0.1),
        "update_norm": np.full(2, 0.005),
    }
    return Probe(0, 1, 0, ("hidden 1", "output"), **{**healthy, **changed})


@pytest.fixture
def run() -> Measured:
    generator = np.random.default_rng(0)
    return Measured(
        kind="classification",
        train_cost=FALLING,
        dev_cost=FALLING + 0.02,
        dev_score=0.5 * FALLING,
        train_score=0.06,
        constant=0.5,
        classes=2,
        probes=[_probe(), _probe(weights=np.array([0.21 * QUANTILES, 0.2 * QUANTILES]))],
        start_cost=0.7,
        x=generator.uniform(-1, 1, size=(200, 3)),
        y=np.arange(200) % 2,
        settings={"activation": "relu", "learning_rate": 0.003, "dropout": 0.2},
    )


def test_guesses_look_at_nothing(run: Measured) -> None:
    assert always(run) == (True, ())
    assert never(run) == (False, ())
    assert constant(run)[1] == ("rate too high", "gradients vanish")


@pytest.mark.parametrize("name", list(RULES)[3:])
def test_rules_are_silent_on_a_textbook_run(name: str, run: Measured) -> None:
    if name == "TheDeepChecker's rules":
        assert RULES[name](run)[1] == ("rate too low",)
        run = replace(run, train_cost=NEVER_FLAT)
    assert RULES[name](run) == (False, ())


def test_every_claim_is_a_label(run: Measured) -> None:
    broken = replace(
        run, train_cost=np.full(EPOCHS, 5.0), x=100 * run.x, probes=[_probe(dead=np.ones(2))] * 3
    )
    for rule in RULES.values():
        assert set(rule(broken)[1]) <= set(LABELS)


def test_rules_say_nothing_of_a_training_that_was_none(run: Measured) -> None:
    """Of refused data there are the rows and no epoch; guesses guess as ever."""
    nothing = np.zeros(0)
    refused = replace(run, train_cost=nothing, dev_cost=nothing, dev_score=nothing, probes=())
    refused = replace(refused, train_score=np.nan, constant=np.nan, start_cost=np.nan)
    for rule in list(RULES.values())[3:]:
        assert rule(refused) == (False, ())
    assert (always(refused), never(refused)[0]) == ((True, ()), False)
    infinite = replace(refused, x=np.where(run.x > 0.9, np.inf, run.x))
    assert umlaut(infinite)[1] == ("inputs corrupt",)


def test_loss_curves(run: Measured) -> None:
    nan = replace(run, train_cost=np.r_[FALLING[:-1], np.nan])
    assert curve_rules(nan) == (True, ("rate too high",))
    flat = replace(run, train_cost=np.full(EPOCHS, 0.7), dev_cost=np.full(EPOCHS, 0.7))
    assert "rate too low" in curve_rules(flat)[1]
    rising = replace(run, dev_cost=np.linspace(0.3, 0.9, EPOCHS))
    assert curve_rules(rising)[1] == ("regularized too little",)
    line = np.linspace(1.0, 0.3, EPOCHS)
    assert curve_rules(replace(run, train_cost=line, dev_cost=line))[1] == ("trained too short",)


def test_autotrainer_asks_for_low_accuracy_first(run: Measured) -> None:
    small = _probe(gradient_norm=np.array([1e-6, 0.1]))
    assert autotrainer(replace(run, probes=[small])) == (False, ())
    poor = replace(run, probes=[small], dev_score=np.full(EPOCHS, 0.5))
    assert autotrainer(poor)[1] == ("gradients vanish", "rate too low")
    swinging = replace(run, dev_score=0.2 + 0.1 * (np.arange(EPOCHS) % 2))
    assert autotrainer(swinging)[1] == ("rate too high",)
    dead = replace(poor, probes=[_probe(dead=np.array([0.8, 0.0]))])
    assert "units dead" in autotrainer(dead)[1]


def test_umlaut_goes_by_fixed_ranges(run: Measured) -> None:
    assert umlaut(replace(run, x=1.5 * run.x))[1] == ("inputs not scaled",)
    quick = replace(run, settings={**run.settings, "learning_rate": 0.05})
    assert umlaut(quick)[1] == ("rate too high",)
    bump = FALLING + 0.02
    bump[10] = bump[9] + 0.001
    assert umlaut(replace(run, dev_cost=bump))[1] == ("regularized too little",)
    good = replace(run, dev_score=0.05 * FALLING, train_score=0.0)
    assert umlaut(good)[1] == ("duplicates across parts",), "accuracy above 95 % is suspect to it"
    linear = replace(run, settings={**run.settings, "activation": "identity"})
    assert umlaut(linear)[1] == ("no nonlinearity",)


def test_deep_localize_stops_at_layers_that_are_zero_in_half_of_the_probes(run: Measured) -> None:
    nothing = {name: np.array([np.zeros(7), QUANTILES]) for name in ("activations", "gradients")}
    zero = _probe(**nothing)
    assert deep_localize(replace(run, probes=[zero, zero])) == (True, ("units dead",))
    assert deep_localize(replace(run, probes=[_probe(), zero, _probe()])) == (False, ())
    flat = _probe(gradients=nothing["gradients"])
    assert deep_localize(replace(run, probes=[flat, _probe()])) == (True, ("gradients vanish",))


def test_deep_localize_is_silent_where_half_of_a_relu_layer_is_zero(run: Measured) -> None:
    """Its median is 0, its mean is not; nor is a gradient zero for having both signs."""
    relu = np.array([np.maximum(QUANTILES - 0.2, 0), QUANTILES])
    signs = np.array([np.linspace(-1, 1, 7)] * 2)
    assert deep_localize(replace(run, probes=[_probe(activations=relu)] * 4)) == (False, ())
    assert deep_localize(replace(run, probes=[_probe(gradients=signs)] * 4)) == (False, ())


def test_deep_diagnosis_blames_weights_before_data_before_rate(run: Measured) -> None:
    small = {"gradients": np.full((2, 7), 1e-9)}
    still = replace(run, probes=[_probe(**small)])
    assert deep_diagnosis(still)[1] == ("rate too low",) or deep_diagnosis(still)[0]
    raw = replace(still, x=5 * run.x)
    assert deep_diagnosis(raw) == (True, ("inputs not scaled",))
    heavy = _probe(**small, weights=np.array([20 * QUANTILES, QUANTILES]))
    assert deep_diagnosis(replace(raw, probes=[heavy])) == (True, ("init too large",))


def test_the_deep_checker_goes_through_its_phases(run: Measured) -> None:
    run = replace(run, train_cost=NEVER_FLAT)
    assert "inputs not scaled" in deep_checker(replace(run, x=3 + run.x))[1]
    rare = replace(run, y=(np.arange(200) < 6).astype(int))
    assert deep_checker(rare)[1] == ("classes imbalanced",)
    assert deep_checker(replace(run, start_cost=3.0))[1] == ("init too large",)
    fast = replace(run, probes=[_probe(update_norm=np.array([1.0, 0.005]))])
    assert deep_checker(fast)[1] == ("rate too high",)
    lost = replace(run, probes=[_probe(update_norm=np.array([0.0, 0.005]))])
    assert deep_checker(lost)[1] == ("updates lost",)
    stagnant = replace(run, train_cost=np.linspace(0.7, 0.69, EPOCHS))
    assert deep_checker(stagnant)[1] == ("rate too low",)
    flat = replace(run, probes=[_probe(weights=np.zeros((2, 7)))])
    assert "init symmetric" in deep_checker(flat)[1]
