"""Whose last states a study keeps, and what they are good for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import deepwell as dw
from deepwell.storage import open_store
from deepwell.study._retention import checked_checkpoints

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 1,
    "batch_size": 32,
    "patience": 3,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dw.Data:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(90, 3)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=90) > 0, "yes", "no")
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": y}
    return dw.load(table, target="y", vault=tmp_path_factory.mktemp("vault"))


def run(data: dw.Data, store: Path, **given: object):
    study = dw.Study(data, SPACE, name="mine", store=store, **given)  # type: ignore[arg-type]
    study.run(trials=9, epochs=18)
    return dw.open_study("mine", store)


@pytest.mark.parametrize("scheduler", ["halving", "asha"])
@pytest.mark.parametrize(("checkpoints", "count"), [("best", 1), (3, 3), ("all", 9)])
def test_as_many_states_are_kept_as_were_asked_for(
    checkpoints: str | int, count: int, scheduler: str, data: dw.Data, tmp_path: Path
) -> None:
    study = run(data, tmp_path, checkpoints=checkpoints, scheduler=scheduler)
    ranked = sorted(study.trials(), key=lambda trial: trial.rank_key())
    kept = {state.trial: state for state in study.kept_states()}
    assert set(kept) == {trial.number for trial in ranked[:count]}
    assert all(kept[trial.number].epoch == trial.epochs for trial in ranked[:count])
    assert len({trial.epochs for trial in ranked}) > 1  # some ended early
    with open_store(tmp_path) as opened:
        for trial in ranked[:count]:
            state = opened.states.read(kept[trial.number])
            assert int(state["best_epoch"]) == trial.best_epoch
            assert float(state["best_score"]) == pytest.approx(trial.score, abs=1e-6)
    assert len(list(tmp_path.rglob(".states/*/*"))) == count


def test_a_kept_network_predicts_as_it_was_scored(data: dw.Data, tmp_path: Path) -> None:
    study = run(data, tmp_path, checkpoints=2)
    for state in study.kept_states():
        trial = next(t for t in study.trials() if t.number == state.trial)
        said = study.network(trial.number, data).outputs(data.dev.x)
        wrong = np.mean(said.argmax(axis=1) != data.dev.y)
        assert wrong == pytest.approx(trial.score, abs=1e-6)
    best = study.network(study.result.best_trial, data)
    assert all(
        np.array_equal(best.parameters[name], array)
        for name, array in study.model().parameters.items()
    )
    with pytest.raises(dw.UsageError, match=r"keeps the states of the trials \d, \d, got 77;"):
        study.network(77, data)


def test_a_damaged_state_makes_no_network(data: dw.Data, tmp_path: Path) -> None:
    study = run(data, tmp_path)
    (file,) = tmp_path.rglob(".states/*/*")
    content = bytearray(file.read_bytes())
    content[-3] ^= 1
    file.write_bytes(content)
    with pytest.raises(dw.StudyError, match="was changed"):
        study.network(study.result.best_trial, data)
    assert [part.name for part in dw.verify("mine", tmp_path) if not part.ok] == ["states"]


def test_more_networks_take_the_places_of_worse_ones(data: dw.Data, tmp_path: Path) -> None:
    run(data, tmp_path, checkpoints=2)
    study = dw.resume("mine", data, store=tmp_path, trials=9)
    ranked = sorted(study.trials(), key=lambda trial: trial.rank_key())
    assert study.result.best_trial == ranked[0].number
    assert {state.trial for state in study.kept_states()} == {t.number for t in ranked[:2]}
    assert len(list(tmp_path.rglob(".states/*/*"))) == 2


def test_folds_are_kept_together(data: dw.Data, tmp_path: Path) -> None:
    study = run(data, tmp_path, checkpoints=2, folds=3, scheduler="none")
    kept = [state.trial for state in study.kept_states()]
    assert len(kept) == 6
    assert len({number // 3 for number in kept}) == 2
    with pytest.raises(dw.UsageError, match="has folds"):
        study.network(kept[0], data)


@pytest.mark.parametrize("wrong", ["none", 0, -1, 1.5, True, None, "three", [1]])
def test_what_is_no_choice_is_refused(wrong: object) -> None:
    with pytest.raises(dw.UsageError, match="`checkpoints` must be best, all, or a number"):
        checked_checkpoints(wrong)


def test_choices_may_be_texts_and_numbers() -> None:
    given = ["best", "all", 3, "3", np.int64(3)]
    assert [checked_checkpoints(choice) for choice in given] == ["best", "all", 3, 3, 3]
