"""DW416: which settings are odd, what is set back, and when that is a problem."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deepwell._base._hyperparameters import complete
from deepwell.diagnosis._causes import causes_first
from deepwell.diagnosis._curve_findings import TrainedOn, diagnose_curves, epochs_to_try
from deepwell.diagnosis._curves import Curves
from deepwell.diagnosis._paired_runs import Effect, Tried, effect
from deepwell.diagnosis._setting_findings import LEVEL, odd_settings, setting_finding
from deepwell.records import Finding

HELPED = effect([0.3, 0.31, 0.32, 0.3, 0.33, 0.3, 0.31, 0.3], [0.2] * 8, 0.9)
NOTHING = effect([0.3] * 8, [0.3] * 8, 0.9)


def odd(rows: int = 5_000, faded: float = 1.0, **given: object) -> list[dict[str, object]]:
    return [values for _, values in odd_settings(complete(given), rows, faded)]


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"dropout": 0.5, "l2": 0.01, "mixup": 1.0, "label_smoothing": 0.1},
        {"hidden_layers": 0, "activation": "identity"},
        {"optimizer": "nesterov", "momentum": 0.95, "clip_norm": 1.0},
        {"optimizer": "rmsprop"},
        {"optimizer": "sgd", "beta1": 0.999},
        {"optimizer": "optax:lion", "momentum": 0.999},
        {"hidden_units": (8, 16)},
    ],
)
def test_usual_settings_give_nothing_to_try(given):
    assert odd(**given) == []


@pytest.mark.parametrize(
    ("given", "change"),
    [
        ({"dropout": 0.9, "l2": 0.001}, {"dropout": 0.0}),
        ({"dropout": (0.1, 0.8)}, {"dropout": 0.0}),
        ({"l2": 0.05, "input_noise": 2.0}, {"l2": 0.0, "input_noise": 0.0}),
        ({"activation": "identity"}, {"activation": "relu", "initializer": "auto"}),
        ({"epsilon": 1.0}, {"epsilon": 1e-8}),
        ({"beta1": 0.999, "beta2": 0.5}, {"beta1": 0.9, "beta2": 0.999}),
        ({"optimizer": "momentum", "momentum": 0.999}, {"momentum": 0.9}),
        ({"clip_norm": 1e-4}, {"clip_norm": 0.0}),
        ({"hidden_layers": 2, "hidden_units": 2}, {"hidden_units": (32, 32)}),
        ({"hidden_units": (64, 7, 8)}, {"hidden_units": (64, 32, 8)}),
    ],
)
def test_odd_settings_are_set_back(given, change):
    [found] = odd(**given)
    assert found == change
    assert complete({**given, **found})


def test_families_are_tried_apart_and_few_rows_bear_more_penalty():
    assert odd(faded=0.001, dropout=0.9) == [{"dropout": 0.0}, {"decay": "constant"}]
    assert odd(rows=500, l2=0.05) == []
    assert odd(rows=500, l2=0.5) == [{"l2": 0.0}]


def test_momentum_is_set_back_with_a_tenth_of_the_rate_too():
    for optimizer in ("velocity", "nesterov"):
        found = odd(optimizer=optimizer, momentum=0.999, learning_rate=0.05)
        assert found == [{"momentum": 0.9}, {"momentum": 0.9, "learning_rate": 0.005}]


def test_no_more_changes_are_tried_than_pairs_of_runs_can_tell():
    worst = {"dropout": 0.9, "activation": "identity", "optimizer": "velocity", "momentum": 0.999}
    found = odd(faded=0.001, **worst, clip_norm=1e-4)
    assert len(found) == 5
    assert LEVEL / len(found) >= 1 / 256


def test_only_harm_is_a_problem():
    change = ("dropout 0", {"dropout": 0.0})
    told = setting_finding(Tried((change,), (HELPED,)), "error", 0.01)
    assert (told.code, told.level) == ("DW416", "problem")
    assert told.evidence["values"] == {"dropout": 0.0}
    assert "30.9 %, with dropout 0 20 %" in told.detail.replace("20.0", "20")
    assert setting_finding(Tried((change,), (NOTHING,)), "error", 0.01).level == "ok"
    assert setting_finding(Tried((change,), (HELPED,)), "error", 0.5).level == "ok"
    assert setting_finding(Tried((change,)), "error", 0.01).level == "unsure"
    assert setting_finding(Tried(), "error", 0.01).claim == "all settings in their usual ranges"


def test_of_two_families_the_better_one_is_told():
    two = (("dropout 0", {"dropout": 0.0}), ("decay constant", {"decay": "constant"}))
    told = setting_finding(Tried(two, (NOTHING, HELPED)), "error", 0.01)
    assert told.evidence["values"] == {"decay": "constant"}
    assert told.evidence["p_value"] == pytest.approx(2 / 256)


def test_a_sure_gain_is_told_before_a_larger_one_that_is_not_sure():
    chance = Effect(0.26, 3 / 256, 8, 0.4, 0.14)
    two = (("dropout 0", {"dropout": 0.0}), ("decay constant", {"decay": "constant"}))
    told = setting_finding(Tried(two, (chance, HELPED)), "error", 0.01)
    assert (told.level, told.evidence["values"]) == ("problem", {"decay": "constant"})
    alone = setting_finding(Tried(two, (chance, NOTHING)), "error", 0.01)
    assert (alone.level, alone.evidence["values"]) == ("unsure", {"dropout": 0.0})


def _problem(code: str, gain: float) -> Finding:
    return Finding(code, "problem", "claim", "", {"measured": gain})


def test_an_odd_setting_is_blamed_before_what_makes_up_for_it():
    found = [_problem("DW406", 0.105), _problem("DW412", 0.02), _problem("DW416", 0.1)]
    levels = {f.code: f.level for f in causes_first(found, 0.01)}
    assert levels == {"DW406": "ok", "DW412": "ok", "DW416": "problem"}
    far = [_problem("DW406", 0.2), _problem("DW412", 0.02), _problem("DW416", 0.1)]
    levels = {f.code: f.level for f in causes_first(far, 0.01)}
    assert levels == {"DW406": "problem", "DW412": "ok", "DW416": "ok"}
    longer = replace(_problem("DW412", 0.02), evidence={"change_effect": {"gain": 0.3}})
    levels = {f.code: f.level for f in causes_first([*far[:1], longer], 0.01)}
    assert levels == {"DW406": "problem", "DW412": "problem"}, "longer brings more"
    faster = [_problem("DW405", 0.2), _problem("DW412", 0.02)]
    assert [f.level for f in causes_first(faster, 0.01)] == ["problem", "problem"]


def short(*scores: float, **options: object) -> Curves:
    score = np.array(scores)
    return Curves(score, score, score, int(score.argmin()) + 1, "error", 0.9, 400, **options)


def test_a_short_training_that_was_best_at_its_end_is_trained_on():
    assert epochs_to_try(short(0.5, 0.4, 0.3, 0.2)) == (40, 16)
    assert epochs_to_try(short(0.5)) == (40, 12)
    assert epochs_to_try(short(0.2, 0.3, 0.4, 0.5)) == (40, 16), (
        "too short to tell where its best is"
    )
    falls = np.linspace(0.5, 0.2, 11)
    assert epochs_to_try(short(*falls)) == (44,)
    assert epochs_to_try(short(*falls[::-1])) == ()
    assert epochs_to_try(short(0.5, 0.4, 0.3, 0.2, stopped_early=True)) == (16,)
    assert epochs_to_try(short(0.2, 0.3, 0.4, 0.5, stopped_early=True)) == ()
    assert epochs_to_try(short(0.5, 0.4, 0.3, 0.2, diverged=True)) == ()
    assert epochs_to_try(short(*np.linspace(0.5, 0.2, 12))) == ()
    assert epochs_to_try(short(0.5, np.nan)) == ()


@pytest.mark.parametrize(
    ("longer", "level"), [(HELPED, "problem"), (NOTHING, "ok"), (None, "unsure")]
)
def test_runs_that_go_on_tell_whether_it_was_long_enough(longer: Effect | None, level: str):
    tried = None if longer is None else TrainedOn(40, longer)
    found = {f.code: f for f in diagnose_curves(short(0.5, 0.4, 0.3), tried)}
    assert found["DW412"].level == level
    assert found["DW413"].level == found["DW414"].level == "unsure"
    if level == "problem":
        assert found["DW412"].evidence["values"] == {"epochs": 40}
