"""The best configuration trained on train and dev rows: as a named last step."""

import json

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.cli import run
from deepwell.data._batches import epoch_order, steps_per_epoch
from deepwell.data._folds import pooled
from deepwell.execution._members import member_of
from deepwell.execution._native_backend import _structure
from deepwell.optimization import learning_rates
from deepwell.records import Status, Trial, TrialSpec
from deepwell.storage._open import open_store
from deepwell.study import _refit, open_study
from deepwell.study._arrays import shape_of, training_rows
from deepwell.study._asked import from_config
from deepwell.study._model import load_model
from deepwell.study._train_on_all import trained_on_all
from deepwell.training._native_program import NativeProgram
from deepwell.training._program import Chunk

FIXED = {"hidden_layers": 1, "hidden_units": 8, "batch_size": 16}


def table(rows=240):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(rows, 3))
    y = np.where(x[:, 0] + x[:, 1] ** 2 + 0.5 * rng.normal(size=rows) > 0.7, "yes", "no")
    return pl.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 2], "y": y})


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("refit")
    table().write_csv(folder / "rows.csv")
    data = dw.load(folder / "rows.csv", target="y", vault=folder / "in", name="rows")
    study = dw.Study(data, fixed=FIXED, store=folder, scheduler="none")
    study.run(trials=4, epochs=6)
    return folder


@pytest.fixture(scope="module")
def refit(place):
    return open_study("rows", place).refit()


def test_it_is_trained_on_all_rows_for_the_steps_of_the_best_epoch(place, refit):
    finished = open_study("rows", place)
    result = finished.result
    best = finished.trials()[result.best_trial]
    train, dev, _ = result.data.sizes
    assert (refit.rows, refit.train_rows) == (train + dev, train)
    before, after = steps_per_epoch(train, 16), steps_per_epoch(train + dev, 16)
    assert refit.chosen_epochs == best.best_epoch
    assert refit.epochs == max(1, round(best.best_epoch * before / after))
    assert refit.steps == refit.epochs * after


def test_it_is_the_network_that_the_configuration_gives_on_these_rows(place, refit):
    """Trained once more by the program alone, to the bit."""
    finished = open_study("rows", place)
    best = finished.trials()[finished.result.best_trial]
    data = dw.load(place / "rows.csv", target="y", vault=None)
    whole = pooled(data, "refit")
    program = NativeProgram(_structure(16, shape_of(whole, "error")), training_rows(whole))
    member = member_of(best.spec, 3, whole.task.outputs, whole.task.loss)
    session = program.load([member], [None])
    for epoch in range(1, refit.epochs + 1):
        order = epoch_order(best.spec.order_seed, epoch, len(whole.train), 16)
        session.advance(Chunk(order, epoch))
    [state] = session.states()
    for name, array in refit.model.parameters.items():
        np.testing.assert_array_equal(array, state[name])
    assert refit.model.architecture.hidden == (8,)


@pytest.mark.parametrize(
    ("best_epoch", "expected"),
    [
        # 9 steps an epoch became 12: a change stays as far on the way, and 8 epochs end after the
        # one that the chosen network had for its last epoch.
        (11, "1: l1=0.001; 3: l2=0.01; 7: learning_rate=0.001; 15: learning_rate=0.0001"),
        (10, "1: l1=0.001; 3: l2=0.01; 7: learning_rate=0.002; "
         "8: learning_rate=0.001; 15: learning_rate=0.0001"),
        (1, "1: l1=0.001; 3: l2=0.01; 7: learning_rate=0.002; "
         "8: learning_rate=0.001; 15: learning_rate=0.0001"),
    ],
)  # fmt: skip
def test_what_changed_on_the_way_changes_as_far_on_it(place, best_epoch, expected, monkeypatch):
    change = "1: l1=0.001; 4: l2=0.01; 9: learning_rate=0.002; 10: learning_rate=0.001"
    spec = TrialSpec({**FIXED, "epochs": 40, "change": f"{change}; 20: learning_rate=0.0001"}, 5)
    best = Trial(0, spec, Status.FINISHED, 40, best_epoch, 0.1)
    data = dw.load(place / "rows.csv", target="y", vault=None)
    with open_store(place, create=False) as opened:
        asked = from_config(opened.study("rows"))
    trained = []

    def watched(program, spec, epochs, *rest):
        trained.append((spec, epochs))
        return trained_on_all(program, spec, epochs, *rest)

    monkeypatch.setattr(_refit, "trained_on_all", watched)
    made = _refit._refit(best, data, asked)
    ((used, epochs),) = trained
    assert (used["change"], used["epochs"]) == (expected, 30)
    assert made.steps == epochs * 12


@pytest.fixture
def refit_of(place, monkeypatch):
    """Gives for a configuration and its best epoch what is trained, and for how many epochs."""
    data = dw.load(place / "rows.csv", target="y", vault=None)
    with open_store(place, create=False) as opened:
        asked = from_config(opened.study("rows"))
    trained = []

    def watched(program, spec, epochs, *rest):
        trained.append((spec, epochs))
        return trained_on_all(program, spec, epochs, *rest)

    monkeypatch.setattr(_refit, "trained_on_all", watched)

    def refit_of(values, best_epoch):
        spec = TrialSpec({**FIXED, "epochs": 40, **values}, 5)
        _refit._refit(Trial(0, spec, Status.FINISHED, 40, best_epoch, 0.1), data, asked)
        return spec, *trained.pop()

    return refit_of


@pytest.mark.parametrize("warmup", [0.0, 2.5])
@pytest.mark.parametrize("best_epoch", [8, 20])
@pytest.mark.parametrize(
    "schedule",
    [
        {"decay": "constant"},
        {"decay": "inverse_time", "decay_rate": 0.3},
        {"decay": "exponential", "decay_factor": 0.9},
        {"decay": "inverse_sqrt_epoch", "decay_scale": 2.0},
        {"decay": "inverse_sqrt_step"},
        *({"decay": "staircase", "decay_every": every} for every in (1, 3, 7, 10, 30)),
        {"decay": "cosine"},
        {"decay": "one_cycle"},
    ],
    ids=lambda schedule: "-".join(map(str, schedule.values())),
)
def test_a_schedule_ends_where_it_ended(schedule, best_epoch, warmup, refit_of):
    """9 steps an epoch became 12, so 8 epochs are 6 and 20 are 15: as many steps."""
    values = {**schedule, "warmup_epochs": warmup}
    chosen, used, epochs = refit_of(values, best_epoch)
    assert 12 * epochs == 9 * best_epoch
    before = learning_rates(9, **chosen.hyperparameters)[: 9 * best_epoch]
    now = learning_rates(12, **used.hyperparameters)[: 12 * epochs]
    assert now[-1] == pytest.approx(before[-1], rel=1e-12)
    if schedule["decay"] in ("constant", "inverse_sqrt_step", "cosine", "one_cycle"):
        np.testing.assert_allclose(now, before, rtol=1e-9)  # these change with every step


def test_a_schedule_that_was_changed_on_the_way_is_told_in_these_epochs(refit_of):
    changed = "8: decay_rate=0.75; 8: warmup_epochs=4"
    _, used, _ = refit_of({"decay": "inverse_time", "decay_rate": 0.3, "change": changed}, 20)
    assert used["change"] == "6: decay_rate=1; 6: warmup_epochs=3"
    stairs = {"decay": "staircase", "decay_every": 10, "change": "8: decay_every=1"}
    chosen, used, _ = refit_of(stairs, 20)
    assert used["decay_every"] == 8  # one stair in 15 epochs, as in 20
    last, then = chosen.during(20), used.during(15)
    assert then["decay_every"] == 1
    assert then.number("decay_factor") ** 14 == pytest.approx(last.number("decay_factor") ** 19)


def test_it_says_that_it_has_no_dev_score_and_what_to_expect(place, refit):
    kept = load_model(place / "rows", which="refit")
    assert kept.about["dev"] is None
    told = kept.about["refit"]
    result = open_study("rows", place).result
    assert told["chosen_dev"] == result.dev.to_plain()
    assert told["expected"] == result.overtuning.expected.to_plain()
    with open_store(place, create=False) as opened:
        events = opened.events(opened.study("rows").id, "refit")
    assert [event.trial for event in events] == [result.best_trial]


def test_predictions_use_the_chosen_network_until_they_are_told(place, refit):
    frame = table(20).drop("y")
    chosen, again = load_model("rows", str(place)), load_model("rows", str(place), "refit")
    assert chosen.about["dev"] is not None
    assert not np.array_equal(chosen.predict_proba(frame), again.predict_proba(frame))
    np.testing.assert_array_equal(again.predict_proba(frame), refit.model.predict_proba(frame))


def test_the_ledger_names_the_model_that_was_scored(place, refit):
    finished = open_study("rows", place)
    first = finished.open_test("refit")[-1]
    assert first.number == 1
    assert first.clean
    assert "refit on train and dev rows" in first.notes[0]
    second = finished.open_test()[-1]
    assert second.number == 2
    assert second.notes == ()
    report = " ".join((place / "rows" / "report.txt").read_text().split())
    assert "opening 1: scored: the model refit on train and dev rows" in report


def test_what_cannot_be_is_refused(place, tmp_path):
    with pytest.raises(UsageError, match=r'no model "ensemble" of rows: make it by deepwell ens'):
        load_model("rows", str(place), "ensemble")
    with pytest.raises(UsageError, match=r"must be best, refit or ensemble, got \"bset\""):
        load_model("rows", str(place), "bset")
    data = dw.load(table(), target="y", vault=None, test=0, name="folded")
    study = dw.Study(data, folds=2, fixed=FIXED, store=tmp_path)
    study.run(trials=2, epochs=2)
    with pytest.raises(UsageError, match="compared networks over folds"):
        study.refit()
    study = dw.Study(data, fixed=FIXED, store=tmp_path, name="memory")
    study.run(trials=2, epochs=2)
    with pytest.raises(UsageError, match=r"came from memory.*refit\(data=load"):
        open_study("memory", tmp_path).refit()
    assert study.refit().rows == len(data.train) + len(data.dev)


def test_the_command_says_what_was_made(place, refit, capsys):
    assert run(["refit", "rows", "--store", str(place)]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "no rows are left to score it" in said
    assert "--model refit" in said
    assert run(["refit", "rows", "--store", str(place), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["epochs"]) == (refit.rows, refit.epochs)
