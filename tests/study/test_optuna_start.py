"""Studies of Optuna's, our own ones and others, as what a new study starts from."""

import math
from dataclasses import replace

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Observation
from deepwell.study._warm import best_first, warm_from_plain, warm_to_plain, within
from deepwell.study._warm_start import warm_start

optuna = pytest.importorskip("optuna")
from optuna.distributions import (  # noqa: E402
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import TrialState, create_trial  # noqa: E402

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_layers": dw.integer(1, 2),
    "hidden_units": dw.per_layer(dw.integer(3, 9)),
    "optimizer": ["adam", "momentum"],
    "momentum": dw.when(dw.uniform(0.5, 0.9), optimizer="momentum"),
    "l2": 0.001,
    "batch_size": 16,
}
FLAT = dw.Space(
    {
        "learning_rate": dw.log(1e-4, 1e-1),
        "hidden_units": dw.integer(4, 32),
        "hidden_layers": 1,
        "activation": ["relu", "tanh"],
        "l2": 0.01,
        "epochs": 30,
    }
)
PARAMS = {
    "learning_rate": FloatDistribution(1e-5, 1.0, log=True),
    "hidden_units": IntDistribution(1, 64),
    "activation": CategoricalDistribution(["relu", "tanh", "sigmoid", None]),
    "trees": IntDistribution(1, 9),
}


def rows(seed=5):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(90, 3)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=90) > 0, "yes", "no")
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": y}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(rows(), target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def store(data, tmp_path_factory):
    """Return a store with a study that has ended, and beside it the same in Optuna's storages."""
    folder = tmp_path_factory.mktemp("store")
    study = dw.Study(data, SPACE, name="mine", store=folder, seed=1)
    study.run(trials=16, epochs=15)
    study.to_optuna(f"sqlite:///{folder / 'theirs.db'}")
    backend = optuna.storages.journal.JournalFileBackend(str(folder / "theirs.log"))
    study.to_optuna(optuna.storages.JournalStorage(backend))
    return folder


def foreign(*trials, direction="minimize", name="theirs"):
    """Return a study of Optuna's with trials of (parameters, value)."""
    study = optuna.create_study(direction=direction, study_name=name)
    for params, value in trials:
        of = {name: PARAMS[name] for name in params}
        state = TrialState.FAIL if value is None else TrialState.COMPLETE
        study.add_trial(create_trial(state=state, value=value, params=params, distributions=of))
    return study


GOOD = {"learning_rate": 0.01, "hidden_units": 8, "activation": "tanh", "trees": 3}


@pytest.mark.parametrize("way", ["url", "file", "journal", "object", "name"])
def test_an_exported_study_is_the_study_itself(way, data, store):
    url = f"sqlite:///{store / 'theirs.db'}"
    given = {
        "url": f"optuna:{url}#mine",
        "name": f"optuna:{url}",  # the only one that is there
        "file": f"optuna:{store / 'theirs.db'}#mine",
        "journal": f"optuna:{store / 'theirs.log'}#mine",
        "object": optuna.load_study(study_name="mine", storage=url),
    }[way]
    here, there = warm_start("mine", store, data, "error"), warm_start(given, None, data, "error")
    assert there.same_data
    assert there.words == "study mine of Optuna's"
    assert there.given == ("" if way == "object" else given)
    assert len(there.observations) == len(here.observations) == 16
    for one, other in zip(there.observations, here.observations, strict=True):
        assert one.values == other.values
        assert (one.score, one.cost) == (other.score, other.cost)
        assert (one.epochs, one.finished) == (other.epochs, other.finished)
    assert sum(not one.finished for one in there.observations) > 4  # of which some were pruned


def test_a_study_starts_from_an_exported_one(data, store, tmp_path):
    given = f"optuna:{store / 'theirs.log'}#mine"
    study = dw.Study(data, SPACE, name="new", store=tmp_path, warm_start=given, seed=3)
    result = study.run(trials=8, epochs=15)
    before = sorted(dw.open_study("mine", store).trials(), key=lambda t: t.rank_key())
    tried = [trial.spec.hyperparameters for trial in study.history()]
    assert tried[:2] == [trial.spec.hyperparameters for trial in before[:2]]
    assert result.search_notes == (
        "the sampler started from 16 configurations of study mine of Optuna's",
        "trials 0, 1 proposed by study mine of Optuna's",
    )
    told = (tmp_path / "new" / "study.toml").read_text("utf-8")
    assert f'warm_start = "{given}"' in told


def test_trials_of_a_foreign_study_serve_where_the_space_agrees(data, tmp_path):
    study = foreign(
        (GOOD, 0.9),
        ({**GOOD, "learning_rate": 0.5}, 0.95),  # beyond the range
        ({**GOOD, "activation": None}, 0.8),
        ({**GOOD, "activation": "sigmoid"}, 0.7),
        ({"trees": 4, "hidden_units": 8}, 0.6),
        ({**GOOD, "hidden_units": 4}, None),
        direction="maximize",
    )
    told = warm_start(study, None, data, "error")
    assert not told.same_data
    warm = within(told, FLAT)
    assert warm.left_out == (
        "1 with values that no network can have",
        "1 without `learning_rate`",
    )
    scores = [one.score for one in warm.observations]
    assert scores == pytest.approx([0.1, 0.05, 0.3, math.inf])  # 1 minus what was maximized
    values = warm.observations[0].values
    assert (values["l2"], values["epochs"], values["hidden_units"]) == (0.01, 30, (8,))
    assert "trees" not in values
    inside = [FLAT.encode(one.values) is not None for one in warm.observations]
    assert inside == [True, False, False, True]
    (given,) = best_first(warm, FLAT, None)
    assert given.values["learning_rate"] == 0.01
    back = warm_from_plain(warm_to_plain(warm))
    assert back is not None
    assert back.left_out == warm.left_out
    assert [one.values for one in back.observations] == [one.values for one in warm.observations]

    result = dw.Study(data, FLAT, store=tmp_path, warm_start=study).run(trials=4, epochs=3)
    assert result.search_notes[0] == (
        "the sampler started from 2 configurations of study theirs of Optuna's and left out "
        "2 outside of the space, 1 with values that no network can have, 1 without "
        "`learning_rate`; its rows may be others, so scores may shift"
    )


def test_a_score_that_was_maximized_changes_its_sign_where_the_metric_is_no_complement(data):
    study = foreign((GOOD, -0.4), direction="maximize")
    assert warm_start(study, None, data, "log_loss").observations[0].score == pytest.approx(0.4)
    assert warm_start(study, None, data, "auc").observations[0].score == pytest.approx(1.4)


def test_steps_of_any_length_become_epochs_of_the_new_study(data):
    study = foreign((GOOD, 0.2))
    of = {name: PARAMS[name] for name in GOOD}
    for last in (99, 999):  # of which the longest had 1,000
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED,
                params=GOOD,
                distributions=of,
                intermediate_values={last: 0.3},
            )
        )
    told = within(warm_start(study, None, data, "error"), FLAT).observations
    assert [(one.epochs, one.finished) for one in told] == [(0, True), (3, False), (30, False)]
    assert told[1].score == 0.3


def test_parameters_of_layers_are_lists(data):
    of = {f"hidden_units[{k}]": IntDistribution(1, 9) for k in (1, 2)}
    of |= {"learning_rate": PARAMS["learning_rate"], "optimizer": CategoricalDistribution(["adam"])}
    study = optuna.create_study()
    values = {"hidden_units[2]": 4, "hidden_units[1]": 7, "learning_rate": 0.01}
    study.add_trial(
        create_trial(value=0.2, params={**values, "optimizer": "adam"}, distributions=of)
    )
    warm = within(warm_start(study, None, data, "error"), dw.Space(SPACE))
    assert warm.observations[0].values["hidden_units"] == (7, 4)
    assert dw.Space(SPACE).encode(warm.observations[0].values) is not None


def test_folds_of_a_configuration_count_once(data, tmp_path):
    study = dw.Study(data, SPACE, name="folded", store=tmp_path, folds=3)
    study.run(trials=4, epochs=3)
    study.to_optuna(f"sqlite:///{tmp_path / 'x.db'}")
    here = warm_start("folded", tmp_path, data, "error").observations
    there = warm_start(f"optuna:{tmp_path / 'x.db'}", None, data, "error").observations
    assert [one.values for one in there] == [one.values for one in here]
    assert [one.score for one in there] == pytest.approx([one.score for one in here])


def test_observations_of_any_origin_are_a_start(data, tmp_path):
    known = dw.optuna_history(foreign((GOOD, 0.2), ({**GOOD, "hidden_units": 16}, 0.1)))
    study = dw.Study(data, FLAT, store=tmp_path, warm_start=known)
    result = study.run(trials=8, epochs=3)
    assert [t.spec["hidden_units"] for t in study.history()][:2] == [(16,), (8,)]
    assert result.search_notes[0].startswith(
        "the sampler started from 2 configurations of the history that was given; its rows may be"
    )
    lines = (tmp_path / result.name / "study.toml").read_text("utf-8").splitlines()
    assert not any(line.startswith("warm_start") for line in lines)


def test_a_study_of_our_own_of_which_nothing_agrees_is_refused(data, store):
    study = dw.Study(data, SPACE, store=store, warm_start="mine")
    with pytest.raises(dw.UsageError, match="16 of study mine none does: 16 have another `epochs`"):
        study.plan(trials=8, epochs=20)
    assert study.plan(trials=8, epochs=15).networks == 8


@pytest.mark.parametrize(
    ("trials", "said"),
    [
        ([({"trees": 3}, 0.1)] * 2, "of study theirs of Optuna's none does: 2 without `learning_r"),
        ([({**GOOD, "hidden_units": 2}, 0.1)], "none does: 1 have another `hidden_units`; change"),
        ([(GOOD, None)], "no network with a dev score to start from"),
        ([], "no network with a dev score to start from"),
    ],
)
def test_what_is_of_no_use_is_refused(data, trials, said):
    with pytest.raises(dw.UsageError, match=said):
        dw.Study(data, FLAT, warm_start=foreign(*trials)).plan(trials=8)


def test_what_cannot_be_read_is_refused_and_nothing_is_made(data, store, tmp_path):
    missing = tmp_path / "nothere.db"
    url = f"sqlite:///{store / 'theirs.db'}"
    several = optuna.create_study(directions=["minimize", "minimize"])
    for given, said in [
        (f"optuna:sqlite:///{missing}#mine", "cannot read Optuna's study mine: there is no file"),
        (f"optuna:{missing}", "cannot read Optuna's study: there is no file"),
        (f"optuna:{url}#other", "cannot read Optuna's study other"),
        (several, "has several"),
        (3, "must be the name of a study"),
        ([GOOD], "observations as `optuna_history` returns them, got dict"),
    ]:
        with pytest.raises(dw.UsageError, match=said):
            dw.Study(data, SPACE, store=tmp_path, warm_start=given)
    assert not missing.exists()
    with pytest.raises(dw.UsageError, match="mine selected by error, not log loss"):
        dw.Study(data, SPACE, warm_start=f"optuna:{url}#mine", metric="log_loss")
    two = tmp_path / "two.db"
    for name in ("a", "b"):
        optuna.create_study(study_name=name, storage=f"sqlite:///{two}")
    with pytest.raises(dw.UsageError, match="be given its name; it has a, b"):
        dw.Study(data, SPACE, warm_start=f"optuna:{two}")


def test_a_password_is_not_kept(data, monkeypatch):
    study = foreign((GOOD, 0.2))
    monkeypatch.setattr("deepwell.study._optuna_start.optuna_study", lambda *_: study)
    warm = warm_start("optuna:postgresql://ann:secret@host/db#mine", None, data, "error")
    assert warm.given == "optuna:postgresql://ann@host/db#mine"


def test_scores_of_regression_are_in_the_unit_of_the_target(tmp_path):
    rng = np.random.default_rng(3)
    x = rng.normal(size=90)
    data = dw.load({"x": x, "y": 40 * x}, target="y", vault=tmp_path)
    told = warm_start([Observation(GOOD, 20.0, finished=True)], None, data, "rmse")
    scale = data.target_encoder.scale
    assert told.observations[0] == replace(told.observations[0], score=20.0 / scale)
    assert scale > 10
