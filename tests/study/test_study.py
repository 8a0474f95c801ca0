"""A study as a library: its choices, its bad input, its ends."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.records import Status
from deepwell.storage import open_store
from deepwell.study._budget import parse_budget


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    columns = {f"c{i}": x[:, i] for i in range(4)} | {"y": y}
    return dw.load(columns, target="y", vault=tmp_path_factory.mktemp("vault"))


SMALL = {"hidden_layers": 1, "hidden_units": 8}


def run(data, store, trials=4, epochs=4, **options):
    study = dw.Study(data, store=store, fixed=SMALL, **options)
    study.run(trials=trials, epochs=epochs)
    return study


def test_a_failing_study_leaves_a_sealed_file_that_another_one_uses(data, tmp_path, monkeypatch):
    from deepwell.study import _course

    first = run(data, tmp_path, trials=1, epochs=1, name="first")
    file = tmp_path / "vault" / f"{data.vault.fingerprint}.parquet"
    assert file.exists()
    file.unlink()  # so that the second study copies it, and would take it away

    def fail(*arguments):
        raise RuntimeError("before any proposal")

    monkeypatch.setattr(_course, "sizes_ahead", fail)
    with pytest.raises(RuntimeError):
        run(data, tmp_path, trials=1, epochs=1, name="second")
    assert file.exists()
    first.open_test()


def test_a_taken_name_gets_a_number(data, tmp_path):
    first = run(data, tmp_path, trials=1, epochs=1, name="mine")
    second = run(data, tmp_path, trials=1, epochs=1, name="mine")
    assert (first.name, second.name) == ("mine", "mine-2")


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".", "vault", "store.db", "x" * 300])
def test_an_impossible_name_is_refused_before_the_work(data, name):
    with pytest.raises(dw.UsageError, match="name"):
        dw.Study(data, name=name)


@pytest.mark.parametrize("store", ["", "mysql://user:secret@host/db", "sqlite://"])
def test_an_impossible_store_is_refused_before_the_work(data, store):
    with pytest.raises(dw.UsageError, match="a store must be") as caught:
        dw.Study(data, store=store)
    assert "secret" not in str(caught.value)


def test_what_is_no_data_is_refused(data):
    with pytest.raises(dw.UsageError, match="a study needs data that `load` returned, got dict"):
        dw.Study({"y": [1]})
    for trials in (0, 1.5, "3"):
        with pytest.raises(dw.UsageError, match="`trials` must be a whole number from 1"):
            dw.Study(data).run(trials=trials)


def test_numbers_of_numpy_are_numbers(data, tmp_path):
    study = dw.Study(data, store=tmp_path, fixed=SMALL, seed=np.int64(1))
    assert study.run(trials=np.int64(2), epochs=np.int32(1), budget=np.float64(60)).networks == 2


def test_a_model_that_cannot_be_saved_is_one_sentence(data, tmp_path):
    class InTheWay(dw.Observer):
        def on_plan(self, plan):
            (tmp_path / "blocked" / "model").write_text("a file where the folder would be")

    with pytest.raises(dw.UsageError, match="a file stands where a folder is needed"):
        run(data, tmp_path, trials=1, epochs=1, name="blocked", observer=InTheWay())


def test_a_study_that_cannot_be_recorded_leaves_no_sealed_rows(data, tmp_path, monkeypatch):
    def full(*_):
        raise dw.UsageError("the disk is full")

    for act in ("create_study", "propose"):
        with monkeypatch.context() as patch:
            patch.setattr(f"deepwell.storage._store.Store.{act}", full)
            patch.setattr("deepwell.storage._store.Store.delete_empty", full)
            with pytest.raises(dw.UsageError, match="the disk is full"):
                run(data, tmp_path / act)
        assert list((tmp_path / act / "vault").iterdir()) == []


def test_a_model_shows_in_one_line(data, tmp_path):
    model = run(data, tmp_path, trials=1, epochs=1).best
    assert repr(model) == "<Model: classification of y, 4 inputs, 49 parameters>"


def test_second_opening_is_marked(data, tmp_path):
    study = run(data, tmp_path)
    study.open_test()
    openings = study.open_test()
    assert [o.number for o in openings] == [1, 2]
    assert openings[0].test == openings[1].test
    assert "opened 2 times" in (tmp_path / study.name / "report.txt").read_text()
    assert "opened 2 times" in study.report(tmp_path / "copy.txt").read_text()


def test_rows_seen_by_an_earlier_study_are_told(data, tmp_path):
    """A second study of the same table with another split tests on rows that trained the first."""
    run(data, tmp_path, name="first")
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    columns = {f"c{i}": x[:, i] for i in range(4)} | {"y": y}
    other = dw.load(columns, target="y", seed=99, vault=tmp_path / "vault")
    second = run(other, tmp_path, name="second")
    (opening,) = second.open_test()
    assert any("train rows of study first" in note for note in opening.notes)
    first = dw.open_study("first", tmp_path)
    assert first.open_test()[0].notes == ()


def test_training_code_never_holds_a_test_row(data):
    """Every array reachable from the data object is of train or dev rows."""
    assert data.vault is not None
    train, dev, test = data.facts.sizes
    assert test == data.vault.rows > 0
    lengths = set()
    seen, queue = set(), [data]
    while queue:
        item = queue.pop()
        if id(item) in seen or isinstance(item, str | bytes | int | float | type(None)):
            continue
        seen.add(id(item))
        if isinstance(item, np.ndarray):
            lengths.add((len(item), item.dtype == np.uint64))
        elif isinstance(item, dict):
            queue.extend(item.values())
        elif hasattr(item, "items"):
            queue.extend(v for _, v in item.items())
        elif isinstance(item, list | tuple):
            queue.extend(item)
        elif hasattr(item, "__dict__"):
            queue.extend(vars(item).values())
    values = {length for length, is_hash in lengths if not is_hash}
    assert {train, dev} <= values
    assert test not in values - {train, dev}
    from deepwell.study._arrays import training_rows

    rows = training_rows(data)
    assert len(rows.x_train) == train
    assert len(rows.x_dev) == dev


def test_a_planted_diverging_trial_is_recorded_and_harmless(data, tmp_path):
    space = {"learning_rate": [0.1, 1e6], "optimizer": "sgd", **SMALL}
    study = dw.Study(data, space, store=tmp_path, scheduler="none")
    study.run(trials=2, epochs=3)
    by_rate = {t.spec.number("learning_rate"): t for t in study.history()}
    wild, tame = by_rate[1e6], by_rate[0.1]
    assert wild.status is Status.DIVERGED
    assert "step" in wild.message
    assert tame.status is Status.FINISHED
    assert np.isfinite(tame.curves["dev_cost"]).all()


def test_no_network_with_a_finite_score_is_an_error(data, tmp_path):
    study = dw.Study(data, {"learning_rate": 1e30, "optimizer": "sgd", **SMALL}, store=tmp_path)
    with pytest.raises(dw.StudyError, match="lower learning rates"):
        study.run(trials=2, epochs=2)
    with open_store(tmp_path) as store:
        assert [s.status for s in store.studies()] == ["failed"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"search": "randm"}, "did you mean"),
        ({"scheduler": "hyperbad"}, "choose one of"),
        ({"metric": "rmse"}, "classification"),
        ({"metric": "eror"}, "did you mean"),
        ({"best_possible": -1.0}, "best_possible"),
        ({"best_possible": 2.0}, r"a number in \[0, 1\], got 2.0; give it as a fraction"),
        ({"best_possible": "2 %"}, "best_possible"),
        ({"seed": -1}, "seed"),
        ({"seed": 1.5}, "`seed` must be a whole number"),
        ({"seed": 2**64}, "`seed` must be a whole number"),
        ({"fixed": {"dropout": 1.2}}, "dropout"),
        ({"fixed": {"droput": 0.2}}, "did you mean"),
        ({"space": {"learning_rate": dw.log(1e-4, 1), "units": 3}}, "unknown hyperparameter"),
        ({"space": [1]}, "must be a mapping"),
        ({"program": 3}, "unknown program"),
    ],
)
def test_wrong_choices_get_one_sentence(data, tmp_path, options, words):
    with pytest.raises(dw.UsageError, match=words) as caught:
        dw.Study(data, store=tmp_path / "never", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("trials", [0, -3])
def test_wrong_trials(data, tmp_path, trials):
    with pytest.raises(dw.UsageError, match="trials"):
        dw.Study(data, store=tmp_path / "never").run(trials=trials)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("text", ["", "5 parsecs", "-3", "0", "nan", "inf", "1e3", "5mm"])
def test_wrong_budgets(text):
    with pytest.raises(dw.UsageError, match="60s, 5m or 1h"):
        parse_budget(text)


@pytest.mark.parametrize("value", [[1], True, float("nan"), -1, 0])
def test_budgets_that_are_no_time(value):
    with pytest.raises(dw.UsageError, match="60s, 5m or 1h"):
        parse_budget(value)


def test_budgets():
    assert [parse_budget(b) for b in (None, "60s", "5m", "1.5h", "90", 2.5)] == [
        None, 60.0, 300.0, 5400.0, 90.0, 2.5,
    ]  # fmt: skip


def test_a_budget_stops_in_time_and_keeps_the_best(data, tmp_path):
    study = dw.Study(data, store=tmp_path, fixed={**SMALL, "patience": 0})
    result = study.run(trials=60, epochs=1_000_000, budget=4)
    assert "time" in result.stopped
    assert 0 < result.networks <= 60
    assert np.isfinite(result.dev.value)


def test_a_budget_alone_trains_rounds(data, tmp_path):
    study = dw.Study(data, store=tmp_path, fixed=SMALL)
    result = study.run(epochs=2, budget=8)
    assert result.stopped == ""
    numbers = [t.number for t in study.history()]
    assert numbers == list(range(len(numbers)))
    with open_store(tmp_path) as store:
        rounds = store.events(store.study(study.name).id, "propose")
    assert len(rounds) >= 2


def test_plan_writes_nothing_and_says_what_run_does(data, tmp_path):
    store = tmp_path / "store"
    study = dw.Study(data, store=store, fixed=SMALL)
    plan = study.plan(trials=9, epochs=30)
    assert not store.exists()
    result = study.run(trials=9, epochs=30)
    assert (result.plan.networks, result.plan.rungs, result.plan.programs) == (
        plan.networks, plan.rungs, plan.programs,
    )  # fmt: skip


def test_results_before_a_run_are_refused(data, tmp_path):
    study = dw.Study(data, store=tmp_path)
    for ask in (lambda: study.result, lambda: study.best, study.trials, study.open_test):
        with pytest.raises(dw.UsageError, match="run"):
            ask()


def test_own_epochs_of_trials_are_obeyed(data, tmp_path):
    study = dw.Study(
        data, {"epochs": [3, 7], "patience": 0, **SMALL}, store=tmp_path, scheduler="none"
    )
    study.run(trials=2)
    assert sorted(t.epochs for t in study.history()) == [3, 7]
    assert {t.status for t in study.history()} == {Status.FINISHED}


def test_programs_compiled_are_the_programs_planned(data, tmp_path):
    from deepwell.training._jax_program import compiled_programs

    before = compiled_programs()
    study = dw.Study(data, {"hidden_units": [5, 30], "hidden_layers": [1, 2]}, store=tmp_path,
                     program="jax")  # fmt: skip
    result = study.run(trials=9, epochs=45)
    assert len(result.plan.rungs) == 3
    assert compiled_programs() - before == result.programs == result.plan.programs >= 2


@pytest.mark.skipif(not available(), reason="this build has no compiled core")
def test_both_programs_find_the_same_best(data, tmp_path):
    results = {}
    for program in ("native", "jax"):
        study = dw.Study(data, store=tmp_path / program, fixed=SMALL, program=program)
        results[program] = study.run(trials=6, epochs=6)
        assert results[program].program == program
    native, jax = results["native"], results["jax"]
    assert native.best_trial == jax.best_trial
    assert native.dev == jax.dev


SCRIPT = """
import sys, numpy as np, deepwell as dw
rng = np.random.default_rng(0)
x = rng.normal(size=(400, 4)); y = (x[:, 0] > 0).astype(int)
data = dw.load((x, y), vault=sys.argv[1] + "/vault")
class Tell(dw.Observer):
    def on_progress(self, progress):
        print(progress.phase, progress.best, flush=True)
study = dw.Study(data, store=sys.argv[1], name="long", observer=Tell(),
                 fixed={"hidden_layers": 1, "hidden_units": 8, "patience": 0})
result = study.run(trials=64, epochs=100_000)
print("STOPPED", result.stopped, result.dev.value, flush=True)
"""


def test_ctrl_c_keeps_the_best(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("training 0."):
            break
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "STOPPED stopped by the user" in rest
    finished = dw.open_study("long", tmp_path)
    assert finished.result.stopped == "stopped by the user"
    assert finished.model().architecture.hidden == (8,)
    assert Status.INTERRUPTED in {t.status for t in finished.trials()}
