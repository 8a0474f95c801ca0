"""Going on with studies that ended early: every way to end, every reason to refuse."""

import functools
import math
import os
import time
from dataclasses import replace

import numpy as np
import pytest
from tests.study.breaking import Arming, Counted, Failing, check_always

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.execution import _jax_backend
from deepwell.execution._planner import Machine
from deepwell.records import Event, Status
from deepwell.storage import Store, open_store
from deepwell.study import _checkpoint, _course
from deepwell.study._ahead import Ahead
from deepwell.study._asked import Asked
from deepwell.study._checkpoint import Checkpoints, Position
from deepwell.study._contenders import Contenders
from deepwell.study._course import Past
from deepwell.study._history import Bracket
from deepwell.study._resume import _with_budget

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "hidden_units": dw.integer(3, 9),
    "hidden_layers": 1,
    "optimizer": "adam",
    "batch_size": 16,
    "patience": 5,
}
PROGRAMS = [
    pytest.param(
        "native", marks=pytest.mark.skipif(not available(), reason="no compiled core here")
    ),
    "jax",
]


def table(rows=90):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(rows, 3)).round(3)
    y = np.where(x[:, 0] + 0.3 * rng.normal(size=rows) > 0, "yes", "no")
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": y}


@pytest.fixture(scope="module", autouse=True)
def short_calls():
    """Let the JAX program make a call an update step, so that it can be stopped in an epoch."""
    with pytest.MonkeyPatch.context() as patch:
        short = functools.partial(Machine, chunk_seconds=1e-9)
        patch.setattr(_jax_backend, "_CORES", short)
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(table(), target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return what each program leaves of a study that nothing stops."""
    done = {}

    def of(program):
        if program not in done:
            store = tmp_path_factory.mktemp("whole")
            begin(data, store, program)
            done[program] = left(store)
        return done[program]

    return of


@pytest.fixture
def often(monkeypatch):
    check_always(monkeypatch)


def begin(data, store, program=None, observer=None, budget=None):
    study = dw.Study(
        data, SPACE, name="mine", store=store, program=program, seed=1, observer=observer
    )
    return study.run(trials=9, epochs=18, budget=budget)


def left(store, name="mine"):
    """Return what a study left, to the bit, times apart."""
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        trials = opened.trials(record.id, curves=True)
        kinds = ("propose", "finish", "prune", "promote")
        events = [[e.details for e in opened.events(record.id, kind)] for kind in kinds]
        probes = [
            (p.trial, p.epoch, p.step, p.weights.tobytes(), p.update_norm.tobytes())
            for p in opened.probes(record.id)
        ]
    curves = [{k: c.tobytes() for k, c in t.curves.items()} for t in trials]
    model = (store / name / "model" / "model.safetensors").read_bytes()
    result = dw.open_study(name, store).result
    return {
        "status": record.status,
        "trials": [replace(t, curves={}) for t in trials],
        "curves": curves,
        "probes": probes,
        "events": events,
        "model": model,
        "scores": (result.dev, result.train, result.baselines, result.findings, result.statuses),
        "best": (result.best_trial, result.programs, result.stopped),
    }


def standing(store, name="mine"):
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        return record.status, {t.status for t in opened.trials(record.id)}


STOPS = [
    *(pytest.param("native", n, marks=PROGRAMS[0].marks) for n in (3, 10, 17)),
    *(("jax", n) for n in (5, 12, 20)),
]


@pytest.mark.parametrize(("program", "questions"), STOPS)
def test_a_study_stopped_by_its_clock_goes_on_without_limit(
    program, questions, data, whole, tmp_path, monkeypatch
):
    expected = whole(program)
    monkeypatch.setattr(_course, "Clock", Counted)
    Counted.arm(questions, at_once=False)
    result = begin(data, tmp_path, program, Arming(), budget=1000)
    assert result.stopped == "the time budget was used up"
    status, ends = standing(tmp_path)
    assert status == "stopped"
    assert Status.INTERRUPTED in ends
    with open_store(tmp_path) as opened:
        study = opened.study("mine")
        opened.finish(study.id, opened.result(study.id), "stopped", 1000.0, Event(0.0, "stop"))
    finished = dw.resume("mine", data, store=tmp_path)
    assert finished.result.resumed == 1
    assert finished.result.repeated_seconds == 0.0
    assert finished.result.seconds > 1000.0
    assert left(tmp_path) == expected


@pytest.mark.parametrize("error", [RuntimeError("broken"), KeyboardInterrupt()])
@pytest.mark.parametrize("after", [2, 9, 18])
def test_a_study_that_breaks_off_leaves_no_trial_running(
    error, after, data, whole, tmp_path, often
):
    program = "native" if available() else "jax"
    with pytest.raises(type(error)):
        begin(data, tmp_path, program, Failing(after, error))
    status, ends = standing(tmp_path)
    assert status == ("stopped" if isinstance(error, KeyboardInterrupt) else "failed")
    assert all(end.over for end in ends)
    with pytest.raises(dw.UsageError, match="go on with it by deepwell resume mine --store"):
        dw.open_study("mine", tmp_path)
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)
    left_over = {f.name for f in (tmp_path / "mine").iterdir()}
    assert left_over - {"members"} == {"model", "report.txt", "study.toml"}


def test_a_resumed_study_may_break_off_again_at_once(data, whole, tmp_path, often):
    program = "native" if available() else "jax"
    with pytest.raises(RuntimeError):
        begin(data, tmp_path, program, Failing(12, RuntimeError()))
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            dw.resume("mine", data, store=tmp_path, observer=Failing(1, KeyboardInterrupt()))
    finished = dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)
    assert finished.result.resumed == 4


def test_a_stop_right_after_resuming_keeps_weights_that_belong_to_the_score(
    data, tmp_path, monkeypatch
):
    """Records after the checkpoint are taken back, so none speaks of weights that are gone."""
    program = "native" if available() else "jax"
    monkeypatch.setattr(_checkpoint, "RUNG_SECONDS", 0.0)  # rungs alone
    monkeypatch.setattr(_checkpoint, "SHARE", math.inf)
    with pytest.raises(RuntimeError):
        begin(data, tmp_path, program, Failing(17, RuntimeError()))
    monkeypatch.setattr(_course, "Clock", Counted)
    Counted.arm(1)
    finished = dw.resume("mine", data, store=tmp_path, budget=1000)
    assert finished.result.stopped == "the time budget was used up"
    assert finished.result.repeated_seconds > 0
    best = min(finished.trials(), key=lambda t: t.rank_key())
    assert finished.result.dev.value == pytest.approx(best.score, abs=1e-6)


@pytest.mark.parametrize(("keep", "states"), [(0, True), (7, True), (7, False)])
def test_damaged_states_are_the_same_as_none(keep, states, data, whole, tmp_path, often):
    program = "native" if available() else "jax"
    with pytest.raises(RuntimeError):
        begin(data, tmp_path, program, Failing(17, RuntimeError()))
    files = (tmp_path / "mine" / "checkpoint").glob("*.safetensors")
    (file,) = (f for f in files if (b"best_score" in f.read_bytes()) == states)
    content = bytearray(file.read_bytes())
    content[-1 - keep] ^= 1
    file.write_bytes(content if keep else b"")
    finished = dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)
    with open_store(tmp_path) as opened:
        (event,) = opened.events(opened.study("mine").id, "resume")
    assert event.details["from_checkpoint"] is False
    assert event.details["repeated_epochs"] > 9 * 6
    assert finished.result.repeated_seconds > 0


def test_a_disk_that_fills_leaves_a_study_that_goes_on_later(data, whole, tmp_path, monkeypatch):
    program = "native" if available() else "jax"
    real, calls = Store.record_chunk, []

    def filling(self, *arguments):
        calls.append(1)
        if len(calls) > 8:
            raise dw.UsageError("the disk is full")
        real(self, *arguments)

    def full(*_):
        raise dw.UsageError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(Store, "record_chunk", filling)
        patch.setattr(Store, "leave", full)
        with pytest.raises(dw.UsageError, match="the disk is full"):
            begin(data, tmp_path, program)
    assert standing(tmp_path)[0] == "running"
    with pytest.raises(dw.UsageError, match="was not finished and has no result"):
        dw.open_study("mine", tmp_path)
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)


@pytest.mark.parametrize("fails", ["save_arrays", "save_checkpoint"])
def test_a_disk_that_fills_during_a_checkpoint_keeps_no_state_that_nothing_names(
    fails, data, whole, tmp_path, monkeypatch, often
):
    program = "native" if available() else "jax"
    place = Store if fails == "save_checkpoint" else _checkpoint
    real, calls = getattr(place, fails), []
    monkeypatch.setattr(_checkpoint, "_PART_BYTES", 1)  # a file a network

    def filling(*given):
        calls.append(1)
        if len(calls) > (4 if place is Store else 41):
            raise dw.UsageError("the disk is full")
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(place, fails, filling)
        with pytest.raises(dw.UsageError, match="the disk is full"):
            begin(data, tmp_path, program)
    with open_store(tmp_path) as opened:
        kept = opened.checkpoint(opened.study("mine").id)
    named = {file["name"] for file in [*kept.details["files"], kept.details["contenders"]] if file}
    assert len(named) > 1
    assert {file.name for file in (tmp_path / "mine" / "checkpoint").iterdir()} == named
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)


def test_a_study_at_work_is_not_resumed_twice(data, tmp_path):
    heard = []

    class Impatient(dw.Observer):
        def on_progress(self, progress):
            for act in (dw.resume, dw.open_study):
                with pytest.raises(dw.DeepwellError) as caught:
                    act("mine", store=tmp_path)
                heard.append(str(caught.value))

    begin(data, tmp_path, observer=Impatient())
    who = f"study mine is being run by process {os.getpid()} on "
    assert heard
    assert all(sentence.startswith(who) for sentence in heard)
    dw.resume("mine", data, store=tmp_path)  # finished by now


def test_promoted_trials_train_on_and_are_not_called_paused(data, tmp_path):
    seen = set()

    class Watching(dw.Observer):
        def on_progress(self, progress):
            if progress.rung == 2 and not progress.rung_ended:
                seen.update(standing(tmp_path)[1])

    begin(data, tmp_path, observer=Watching())
    assert Status.RUNNING in seen
    assert Status.PAUSED not in seen


def test_a_finished_study_tells_all_of_its_result_and_trains_nothing(data, tmp_path):
    result = begin(data, tmp_path)
    before = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*") if f.is_file()}
    told = []

    class Listening(dw.Observer):
        def on_data(self, facts):
            told.append(facts)

        def on_baselines(self, baselines, metric_label, percent):
            told.append(baselines)

        def on_plan(self, plan):
            told.append(plan)

        def on_progress(self, progress):
            raise AssertionError("nothing is to be trained")

        def on_result(self, result):
            told.append(result)

    finished = dw.resume("mine", store=tmp_path, observer=Listening())
    assert told == [result.data, result.baselines, result.plan, result]
    assert finished.result == result
    after = {f: f.stat().st_mtime_ns for f in tmp_path.rglob("*") if f.is_file()}
    names = {f.name for f in before if not f.name.startswith("store.db")}
    assert {f.name for f in after if not f.name.startswith("store.db")} == names
    (tmp_path / "mine" / "report.txt").unlink()  # a kill came between the result and the report
    dw.resume("mine", store=tmp_path)
    assert (tmp_path / "mine" / "report.txt").exists()


@pytest.fixture
def broken(data, tmp_path, often):
    with pytest.raises(RuntimeError):
        begin(data, tmp_path, None, Failing(12, RuntimeError()))
    return tmp_path


def test_data_from_memory_must_be_given_again_and_be_the_same(data, broken):
    with pytest.raises(dw.UsageError, match="came from memory; give them again"):
        dw.resume("mine", store=broken)
    other = table()
    other["c0"] = other["c0"] + 1
    wrong = {
        "does not hold the rows that study mine was begun with": dw.load(
            other, target="y", vault=None
        ),
        "are split or encoded otherwise": dw.load(table(), target="y", vault=None, seed=4),
        "rows are split or encoded otherwise": dw.load(
            table(), target="y", vault=None, ignore=["c2"]
        ),
    }
    for words, given in wrong.items():
        with pytest.raises(dw.UsageError, match=words):
            dw.resume("mine", given, store=broken)
    before = {f.name: f.read_bytes() for f in (broken / "vault").iterdir()}
    again = dw.load(table(), target="y", vault=None)
    finished = dw.resume("mine", again, store=broken)
    assert {f.name: f.read_bytes() for f in (broken / "vault").iterdir()} == before
    assert len(before) == 1
    assert finished.result.data == data.facts
    (opening,) = finished.open_test()
    assert opening.notes == ()


def test_a_file_is_read_again_from_where_it_was(tmp_path, monkeypatch, often):
    rows = [",".join(map(str, row)) for row in zip(*table().values(), strict=True)]
    lines = ["c0,c1,c2,y", *rows]
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    file = home / "t.csv"
    file.write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(home)
    data = dw.load("t.csv", target="y", keep=(c for c in ["c1"]), test=0.3, vault=home / "v")
    with pytest.raises(RuntimeError):
        begin(data, home / "store", None, Failing(12, RuntimeError()))
    monkeypatch.chdir(elsewhere)
    good = file.read_text()
    file.write_text(good.replace("yes", "no", 1))
    with pytest.raises(dw.UsageError, match="does not hold the rows"):
        dw.resume("mine", store=home / "store")
    file.unlink()
    with pytest.raises(dw.UsageError, match="not found; check the path"):
        dw.resume("mine", store=home / "store")
    file.write_text(good)
    assert dw.resume("mine", store=home / "store").result.networks == 9


def test_unknown_and_too_old_studies(tmp_path):
    with pytest.raises(dw.UsageError, match="no store at"):
        dw.resume("mine", store=tmp_path / "nowhere")
    with open_store(tmp_path) as opened:
        opened.create_study("mine", {"seed": 0})
    with pytest.raises(dw.UsageError, match='did you mean "mine"'):
        dw.resume("mina", store=tmp_path)
    with pytest.raises(dw.UsageError, match=r"could not resume studies.*fit again"):
        dw.resume("mine", store=tmp_path)
    with pytest.raises(dw.UsageError, match="60s, 5m or 1h"):
        dw.resume("mine", store=tmp_path, budget="soon")


def test_a_study_killed_before_its_proposals_begins_anew(data, whole, tmp_path, monkeypatch):
    program = "native" if available() else "jax"

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(_course, "PendingBaselines", killed)
        patch.setattr("deepwell.study._recording._remove_empty", lambda *_: None)
        with pytest.raises(KeyboardInterrupt):
            begin(data, tmp_path, program)
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == whole(program)


def test_rounds_under_a_budget_are_kept_and_others_follow(data, tmp_path, monkeypatch, often):
    counts = iter([8, 0])
    monkeypatch.setattr(_course, "round_size", lambda *_: next(counts))
    fixed = {**SPACE, "epochs": 3}
    study = dw.Study(data, fixed, name="mine", store=tmp_path, scheduler="none",
                     observer=Failing(4, RuntimeError()))  # fmt: skip
    with pytest.raises(RuntimeError):
        study.run(budget=600)
    with open_store(tmp_path) as opened:
        record = opened.study("mine")
        proposed = {t.number: t.spec for t in opened.trials(record.id)}
    finished = dw.resume("mine", data, store=tmp_path)
    trials = finished.trials()
    assert len(trials) == len(proposed) + 8
    assert all(trials[n].spec == spec for n, spec in proposed.items())
    assert {t.epochs for t in trials} == {3}
    assert finished.result.stopped == ""


@pytest.mark.parametrize(
    ("trials", "budget", "spent", "given", "expected"),
    [
        (9, 60.0, 20.0, None, 60.0),  # what was left
        (9, 60.0, 61.0, None, None),  # nothing was left: to the end
        (9, 60.0, 61.0, 30.0, 91.0),  # as much again as was given
        (9, None, 61.0, None, None),
        (None, 60.0, 20.0, None, 60.0),
        (None, 60.0, 61.0, None, 60.0),  # the rounds are over: only the result is left to do
    ],
)
def test_the_budget_of_a_resumed_study(trials, budget, spent, given, expected):
    asked = Asked(None, "native", trials, budget)  # type: ignore[arg-type]
    assert _with_budget(asked, Past(spent), given).budget == expected


def test_a_budget_that_is_used_up_does_not_hold_what_was_asked_for_beyond_it():
    asked = Asked(None, "native", None, 60.0)  # type: ignore[arg-type]
    ahead = Ahead((4, 4, 4))
    assert _with_budget(asked, Past(61.0, further=3), None).budget is None
    assert _with_budget(asked, Past(61.0, population=2, ahead=ahead), None).budget is None
    assert _with_budget(asked, Past(61.0, population=3, ahead=ahead), None).budget == 60.0


class FakeStore:
    def __init__(self, folder):
        self.folder, self.saved = folder, []

    def save_checkpoint(self, study, record):
        self.saved.append(record)


class FakeHistory:
    def __init__(self, folder):
        self.store = FakeStore(folder)
        self.record = type("Record", (), {"id": 1, "name": "s"})

    def going(self, numbers):
        return {0, 1} & set(numbers)

    def to_keep(self, going):
        return sorted(going)


class FakeEngine:
    def states(self, numbers):
        return {n: {"weights/0": np.zeros(250_000, np.float32)} for n in numbers}


def test_checkpoints_take_their_share_of_the_time_and_no_more(tmp_path, monkeypatch):
    """A simulated hour: a record a second, a disk that takes 2 MB in half a second."""
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(
        _checkpoint, "save_arrays", lambda *_: now.__setitem__(0, now[0] + 0.5) or "0"
    )
    history = FakeHistory(tmp_path)
    checkpoints = Checkpoints(history, FakeEngine(), lambda: now[0], Contenders(FakeEngine()))
    bracket, position = Bracket(0, {0: None, 1: None}, ()), Position(0, 0, (0, 1, 2))
    times = []
    while now[0] < 3600:
        now[0] += 1.0
        before = len(history.store.saved)
        checkpoints.chunk_recorded(bracket, position)
        if len(history.store.saved) > before:
            times.append(now[0])
    assert times[0] == pytest.approx(10.5)  # a guess of the cost let it pass
    assert np.diff(times).min() >= 50  # half a second is 1 % of 50 s
    assert 60 <= len(times) <= 72
    checkpoints.stopped(bracket, position)  # a stop does not wait
    assert len(history.store.saved) == len(times) + 1
