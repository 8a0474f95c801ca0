"""Studies in Optuna's storages: what it loads is what was."""

from __future__ import annotations

import math

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Status, Trial, TrialSpec
from deepwell.search import Space, choice, integer, log, one_minus_log, per_layer, uniform, when
from deepwell.study._optuna_export import export_optuna

optuna = pytest.importorskip("optuna")
from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState  # noqa: E402

SPACE = Space(
    {
        "learning_rate": log(1e-4, 1),
        "beta1": one_minus_log(0.5, 0.999),
        "dropout": uniform(0, 0.5),
        "hidden_layers": integer(1, 3),
        "hidden_units": per_layer(integer(8, 64)),
        "activation": ["relu", "tanh"],
        "optimizer": ["adam", "momentum"],
        "momentum": when(uniform(0.5, 0.99), optimizer="momentum"),
        "batch_size": choice(16, 64),
        "epochs": 5,
    }
)
ENDS = (
    (Status.FINISHED, 0.25),
    (Status.EARLY_STOPPED, 0.5),
    (Status.PRUNED, 0.75),
    (Status.DIVERGED, math.inf),
    (Status.INTERRUPTED, 0.625),
    (Status.FINISHED, 0.125),
    (Status.DIVERGED, 0.0625),  # late, after a score that counts
)


def curve(score: float) -> np.ndarray:
    return np.array([0.9, math.nan if math.isinf(score) else 0.875, min(score, 9e9)], np.float32)


@pytest.fixture(scope="module")
def trials() -> list[Trial]:
    units = np.random.default_rng(0).random((len(ENDS), len(SPACE.searched)))
    return [
        Trial(
            number,
            TrialSpec(SPACE.decode(unit), seed=number),
            status,
            epochs=3,
            best_epoch=3,
            score=score,
            cost=2 * score,
            message="" if math.isfinite(score) else "its cost became NaN",
            curves={"dev_score": curve(score), "train_cost": curve(1.0)},
        )
        for number, (unit, (status, score)) in enumerate(zip(units, ENDS, strict=True))
    ]


@pytest.fixture(scope="module")
def study(trials: list[Trial], tmp_path_factory: pytest.TempPathFactory) -> optuna.Study:
    url = f"sqlite:///{tmp_path_factory.mktemp('optuna') / 'x.db'}"
    export_optuna("mine", trials, SPACE, "error rate", url)
    return optuna.load_study(study_name="mine", storage=url)


def test_states_scores_and_curves_are_those_of_the_trials(
    study: optuna.Study, trials: list[Trial]
) -> None:
    expected = ["COMPLETE", "COMPLETE", "PRUNED", "FAIL", "PRUNED", "COMPLETE", "PRUNED"]
    assert [t.state.name for t in study.trials] == expected
    for ours, theirs in zip(trials, study.trials, strict=True):
        assert theirs.number == ours.number
        if theirs.state is not TrialState.FAIL:
            assert theirs.value == ours.score
        told = [theirs.intermediate_values[epoch] for epoch in (0, 1, 2)]
        np.testing.assert_array_equal(np.float32(told), ours.curves["dev_score"])
        assert theirs.user_attrs["status"] == ours.status.value
        assert theirs.user_attrs["epochs"] == 3
        assert theirs.user_attrs["seed"] == ours.number
    assert study.trials[3].user_attrs["message"] == "its cost became NaN"
    assert study.best_trial.number == 5
    assert study.best_value == 0.125
    assert study.metric_names == ["error rate"]
    assert study.direction is optuna.study.StudyDirection.MINIMIZE


def test_parameters_are_the_real_values(study: optuna.Study, trials: list[Trial]) -> None:
    for ours, theirs in zip(trials, study.trials, strict=True):
        values, params = ours.spec.hyperparameters, theirs.params
        for name in ("learning_rate", "beta1", "dropout", "activation", "batch_size"):
            assert params[name] == values[name]
        units = [params[f"hidden_units[{k + 1}]"] for k in range(params["hidden_layers"])]
        assert tuple(units) == values["hidden_units"]
        assert f"hidden_units[{len(units) + 1}]" not in params
        assert ("momentum" in params) == (values["optimizer"] == "momentum")
        assert "epochs" not in params


def test_distributions_are_those_of_the_space(study: optuna.Study) -> None:
    known: dict = {}
    for trial in study.trials:
        known |= trial.distributions
    assert known == {
        "learning_rate": FloatDistribution(1e-4, 1, log=True),
        "beta1": FloatDistribution(0.5, 0.999),  # the scale is told beside it
        "dropout": FloatDistribution(0, 0.5),
        "hidden_layers": IntDistribution(1, 3),
        **{f"hidden_units[{k}]": IntDistribution(8, 64) for k in (1, 2, 3)},
        "activation": CategoricalDistribution(("relu", "tanh")),
        "optimizer": CategoricalDistribution(("adam", "momentum")),
        "momentum": FloatDistribution(0.5, 0.99),
        "batch_size": CategoricalDistribution((16, 64)),
    }
    assert study.user_attrs["deepwell:space"]["beta1"] == "one_minus_log(0.5, 0.999)"
    assert study.user_attrs["deepwell:fixed"] == {"epochs": "5"}


def test_what_dashboards_need_works_on_it(study: optuna.Study) -> None:
    frame = study.trials_dataframe(attrs=("number", "value", "params", "user_attrs", "state"))
    assert len(frame) == len(ENDS)
    assert set(frame.columns) >= {"params_learning_rate", "user_attrs_status", "params_activation"}
    assert set(optuna.search_space.intersection_search_space(study.get_trials())) >= {
        "learning_rate",
        "activation",
    }
    study.sampler = optuna.samplers.TPESampler(seed=0)
    asked = study.ask({"learning_rate": FloatDistribution(1e-4, 1, log=True)})
    assert 1e-4 <= asked.params["learning_rate"] <= 1  # one may go on with it there


def test_lists_of_units_are_words_there() -> None:
    space = Space({"hidden_units": choice([64, 32], [48])})
    trial = Trial(0, TrialSpec(space.decode([0.1]), seed=0), Status.FINISHED, 1, 1, 0.5)
    theirs = export_optuna("lists", [trial], space, "error rate", None).trials[0]
    assert theirs.params == {"hidden_units": "[64, 32]"}
    assert theirs.distributions["hidden_units"].choices == ("[64, 32]", "[48]")


def test_a_trial_from_outside_of_the_space_has_no_parameters() -> None:
    space = Space({"learning_rate": log(1e-3, 1)})
    trial = Trial(0, TrialSpec({"learning_rate": 1e-4}, seed=0), Status.FINISHED, 1, 1, 0.5)
    theirs = export_optuna("outside", [trial], space, "error rate", None).trials[0]
    assert theirs.params == {}
    assert theirs.value == 0.5


def test_a_name_that_is_taken_and_a_storage_that_is_none_are_refused(tmp_path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    export_optuna("mine", [], SPACE, "error rate", url)
    with pytest.raises(dw.UsageError, match="has a study mine already"):
        export_optuna("mine", [], SPACE, "error rate", url)
    with pytest.raises(dw.UsageError, match="cannot write to the storage"):
        export_optuna("mine", [], SPACE, "error rate", f"sqlite:///{tmp_path / 'no' / 'x.db'}")


def test_a_history_comes_back_with_the_same_scores(
    study: optuna.Study, trials: list[Trial]
) -> None:
    known = dw.optuna_history(study)[: len(trials)]
    assert [o.score for o in known] == [0.25, 0.5, np.float32(0.75), math.inf, 0.625, 0.125, 0.0625]
    assert [o.finished for o in known] == [True, True, False, False, False, True, False]
    assert known[0].epochs == 3
