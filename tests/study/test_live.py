"""Changes by hand on a run: from other threads and processes, exact, refused where impossible."""

from __future__ import annotations

import contextlib
import functools
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.study.babysat import (
    ACTS,
    BABYSAT,
    Script,
    counting,
    events,
    last_asked,
    left,
    run,
    some_table,
)

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.execution import _jax_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Machine
from deepwell.records import Status
from deepwell.storage import open_store
from deepwell.storage._requests import Requests
from deepwell.study import _course, _rounds
from deepwell.study._budget import Clock
from deepwell.study._history import ARRIVE
from deepwell.study._live import LiveStudy

PROGRAMS = [
    pytest.param("native", marks=pytest.mark.skipif(not available(), reason="no compiled core")),
    "jax",
]


@pytest.fixture(scope="module", autouse=True)
def short_calls():
    """Let the JAX program make a call an update step, as it does with large networks."""
    with pytest.MonkeyPatch.context() as patch:
        short = functools.partial(Machine, chunk_seconds=1e-9)
        patch.setattr(_jax_backend, "_CORES", short)
        yield


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> dict[str, np.ndarray]:
    return some_table()


@pytest.fixture(scope="module")
def data(table, tmp_path_factory):
    return dw.load(table, target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_babysat_study_is_what_its_specifications_say_to_the_bit(program, data, tmp_path):
    study = run(data, tmp_path, BABYSAT, program)
    trials = {t.number: t for t in study.history()}
    first, second = (event.details["networks"]["1"] for event in events(tmp_path, "nudge"))
    assert second["epoch"] > first["epoch"] > 0
    assert second["changes"] == {"learning_rate": 0.07, "momentum": 0.5}
    rate = trials[1].spec.number("learning_rate")
    assert first["changes"] == {"l2": 1e-3, "learning_rate": rate * 0.5}
    back, raced = events(tmp_path, "rollback")[0].details, events(tmp_path, "race")[0].details
    assert (back["to"], back["copy"], raced["copies"]) == (2, 4, [5, 6, 7])
    assert [trials[n].status for n in (0, 1, 2)] == [Status.PRUNED] * 3
    assert trials[4].epochs == trials[3].epochs == 12
    won = events(tmp_path, "race_won")[0].details
    ends = {n: trials[n].epochs for n in (5, 6, 7)}
    assert {n for n, epochs in ends.items() if epochs == 12} == {won["best"]}
    assert {trials[n].message[:13] for n in (5, 6, 7)} == {"", "lost the race"}
    # A copy with no new value goes on as its source would have.
    assert not trials[6].spec.changes[raced["epoch"]].get("momentum")
    for number in (1, 4, won["best"]) if program == "jax" else trials:
        again = dw.replay("mine", number, store=tmp_path, data=data)
        assert again.same, again
        assert not again.machine
    what = [one.what for one in dw.replay("mine", 2, store=tmp_path, data=data).compared]
    kept = events(tmp_path, "snapshot")[0].details["networks"]["2"]["epoch"]
    assert f"snapshot after epoch {kept}" in what


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_best_copy_of_a_race_goes_on(program, data, tmp_path):
    """Judged by what they scored in the race alone: their past they have in common."""
    script: Script = {3: lambda live: live.fork(0, learning_rate=["x1e-6", "x1"], epochs=4)}
    study = run(data, tmp_path, script, program, trials=1)
    raced, won = (events(tmp_path, kind)[0].details for kind in ("race", "race_won"))
    window = slice(raced["epoch"], raced["until"])
    trials = {t.number: t for t in study.history()}
    scores = {}
    for n in raced["copies"]:
        score, cost = (trials[n].curves[m][window] for m in ("dev_score", "dev_cost"))
        scores[n] = min(zip(score.tolist(), cost.tolist(), strict=True))
    assert won["best"] == min(scores, key=lambda n: (scores[n], n))
    assert [trials[n].epochs for n in (1, 2)] == [
        12 if n == won["best"] else raced["until"] for n in (1, 2)
    ]


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_nudge_on_one_of_256_leaves_the_others_alone(data, tmp_path):
    quiet = run(data, tmp_path / "quiet", {}, trials=256, epochs=4)
    script: Script = {2: lambda live: live.nudge(100, learning_rate="x0.5")}
    nudged = run(data, tmp_path / "nudged", script, trials=256, epochs=4)
    epoch = events(tmp_path / "nudged", "nudge")[0].details["epoch"]
    assert 2 <= epoch < 4
    for before, after in zip(quiet.history(), nudged.history(), strict=True):
        for metric, curve in before.curves.items():
            same = curve.tobytes() == after.curves[metric].tobytes()
            assert same or before.number == 100, metric
    one, other = (study.history()[100].curves["train_cost"] for study in (quiet, nudged))
    assert one[:epoch].tobytes() == other[:epoch].tobytes()
    assert (one[epoch:] != other[epoch:]).all()


class BrokenError(BaseException):
    """Stands for the end of the process."""


@contextlib.contextmanager
def breaking(patch: pytest.MonkeyPatch, nth: int, *, after: bool):
    """Let the process end just before, or just after, the nth change by hand is recorded.

    Gives a list that gets the requests of these changes.
    """
    kept, seen = Requests.carry_out, list[int | None]()

    def carry_out(self, study_id, deed):
        seen.append(deed.request)
        if len(seen) == nth and not after:
            raise BrokenError
        kept(self, study_id, deed)
        if len(seen) == nth:
            raise BrokenError

    with patch.context() as inside:
        inside.setattr(Requests, "carry_out", carry_out)
        yield seen


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    """Return what each program leaves of a babysat study that nothing stops."""
    done: dict[str, Any] = {}

    def of(program: str) -> Any:
        if program not in done:
            store = tmp_path_factory.mktemp("whole")
            with pytest.MonkeyPatch.context() as patch, counting(patch) as seen:
                run(data, store, BABYSAT, program)
            done[program] = left(store), last_asked(seen), len(seen)
        return done[program]

    return of


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_run_that_ends_right_after_its_last_acts_goes_on_as_if_it_had_not(
    program, data, whole, tmp_path, monkeypatch
):
    expected, asked, last = whole(program)
    assert last == ACTS
    for nth in range(asked, last + 1):
        store = tmp_path / f"{nth}"
        with breaking(monkeypatch, nth, after=True), pytest.raises(BrokenError):
            run(data, store, BABYSAT, program)
        dw.resume("mine", data, store=store)
        assert left(store) == expected


@pytest.mark.parametrize("way", ["damaged", "gone"])
@pytest.mark.skipif(not available(), reason="no compiled core")
def test_who_was_ended_by_hand_ends_again_where_the_checkpoint_is_lost(
    way, data, whole, tmp_path, monkeypatch
):
    """All is trained again from its start then, and what follows from no curve has to be known."""
    expected, _, last = whole("native")
    with breaking(monkeypatch, last, after=True), pytest.raises(BrokenError):
        run(data, tmp_path, BABYSAT)
    files = sorted((tmp_path / "mine" / "checkpoint").glob("*.safetensors"))
    assert files
    for file in files:
        if way == "gone":
            file.unlink()
        else:
            file.write_bytes(file.read_bytes()[:-9])
    again: list[int] = []
    kept = Requests.carry_out

    def carry_out(self, study_id, deed):
        again.extend(deed.statuses)
        kept(self, study_id, deed)

    with monkeypatch.context() as patch:
        patch.setattr(Requests, "carry_out", carry_out)
        dw.resume("mine", data, store=tmp_path)
    assert not events(tmp_path, "resume")[0].details["from_checkpoint"]
    assert len(again) == len(set(again)) == 5  # 2, 1, 0 and two who lost the race
    assert left(tmp_path) == expected


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_copy_of_what_a_scheduler_copied_outlives_a_lost_checkpoint(data, tmp_path, monkeypatch):
    """Population-based training may not make its own copy again that a person had copied."""
    made: list[int] = []

    def fork(live: dw.LiveStudy) -> None:
        copies = [event.trial for event in events(tmp_path, "fork")]
        if copies and not made:
            made.append(copies[-1])
            live.fork(made[0], l2=[0.1, 0.2], epochs=1)

    script: Script = dict.fromkeys(range(1, 9), fork)
    with breaking(monkeypatch, 1, after=True), pytest.raises(BrokenError):
        run(data, tmp_path, script, trials=6, epochs=8, scheduler="pbt")
    raced = events(tmp_path, "race")[0]
    assert raced.trial == made[0]
    with open_store(tmp_path, create=False) as opened:
        opened.delete_checkpoint(opened.study("mine").id)
    study = dw.resume("mine", data, store=tmp_path)
    trials = {t.number: t for t in study.trials()}
    assert all(trial.status.over for trial in trials.values())
    assert events(tmp_path, "race_won")
    for number in raced.details["copies"]:
        assert dw.replay("mine", number, store=tmp_path, data=data).same


@pytest.mark.parametrize("after", [True, False])
@pytest.mark.parametrize("nth", range(1, ACTS + 1))
@pytest.mark.skipif(not available(), reason="no compiled core")
def test_an_act_is_neither_lost_nor_doubled_where_a_run_ends_around_it(
    nth, after, data, tmp_path, monkeypatch
):
    with breaking(monkeypatch, nth, after=after) as seen, pytest.raises(BrokenError):
        run(data, tmp_path, BABYSAT)
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("mine")
        waiting = {request.id for request in opened.requests.waiting(record.id)}
    assert (seen[-1] in waiting) == (not after and seen[-1] is not None)
    study = dw.resume("mine", data, store=tmp_path)
    ids = [e.details["request"] for e in events(tmp_path, "nudge", "snapshot", "rollback", "race")]
    assert len(ids) == len(set(ids))
    with open_store(tmp_path, create=False) as opened:
        assert not opened.requests.waiting(record.id)
    for number in {1, 2, len(study.trials()) - 1}:
        assert dw.replay("mine", number, store=tmp_path, data=data).same


@pytest.mark.parametrize("scheduler", ["halving", "hyperband", "asha", "pbt", "median"])
@pytest.mark.skipif(not available(), reason="no compiled core")
def test_acts_under_a_scheduler(scheduler, data, tmp_path, monkeypatch):
    script: Script = {
        1: lambda live: live.nudge(learning_rate="x0.5"),
        2: lambda live: live.fork(3, learning_rate=["x0.5", "x2"], epochs=2),
        3: lambda live: live.rollback(5, to=1, momentum=0.6),
    }
    epochs = 9 if scheduler in ("pbt", "median") else 18  # of which they stop some after 6
    options: Any = {"trials": 9, "epochs": epochs, "scheduler": scheduler}
    with counting(monkeypatch) as seen:
        study = run(data, tmp_path / "whole", script, **options)
    assert events(tmp_path / "whole", "nudge")
    if epochs == 18:
        assert {t.epochs for t in study.history()} >= {6, 18}
    for trial in study.history():
        if trial.epochs:
            assert dw.replay("mine", trial.number, store=tmp_path / "whole", data=data).same
    with breaking(monkeypatch, last_asked(seen), after=True), pytest.raises(BrokenError):
        run(data, tmp_path / "broken", script, **options)
    dw.resume("mine", data, store=tmp_path / "broken")
    assert left(tmp_path / "broken") == left(tmp_path / "whole")


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_hyperband_halves_networks_that_train_for_longer_as_well(data, tmp_path):
    options: Any = {"trials": 9, "epochs": 18, "scheduler": "hyperband"}
    longer: Script = {2: lambda live: live.extend(epochs=4)}
    quiet, asked = (run(data, tmp_path / str(len(s)), s, **options) for s in ({}, longer))
    pruned = [
        [t.number for t in one.history() if t.status is Status.PRUNED] for one in (quiet, asked)
    ]
    assert pruned[0] == pruned[1] != []
    assert max(t.epochs for t in asked.history()) == 22


@pytest.mark.parametrize(
    ("scheduler", "before"),
    [("median", [5, 6, 7, 8]), ("pbt", [1, 2, 3, 4, 5, 6, 7, 8])],
)
@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_scheduler_looks_on_at_networks_that_train_for_longer(
    scheduler, before, data, tmp_path, monkeypatch
):
    script: Script = {3: lambda live: live.extend(epochs=9)}
    options: Any = {"trials": 10, "epochs": 9, "scheduler": scheduler}
    with counting(monkeypatch) as seen:
        study = run(data, tmp_path / "whole", script, **options)
    [told] = events(tmp_path / "whole", "extend_by_hand")
    assert [epochs for epochs, _ in told.details["rungs"]] == [*before, 10, 12, 14, 16, 18]
    decided = {e.details["epoch"] for e in events(tmp_path / "whole", "promote")}
    assert decided >= {10, 12, 14, 16}
    assert max(trial.epochs for trial in study.history()) == 18
    with breaking(monkeypatch, last_asked(seen), after=True), pytest.raises(BrokenError):
        run(data, tmp_path / "broken", script, **options)
    dw.resume("mine", data, store=tmp_path / "broken")
    assert left(tmp_path / "broken") == left(tmp_path / "whole")


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_fork_at_a_middle_rung_of_asha_comes_to_its_end(data, tmp_path):
    """The copies count as having come to the rungs below, as their source did."""
    forked: list[int] = []

    def fork(live: dw.LiveStudy) -> None:
        with open_store(tmp_path, create=False) as opened:
            trials = opened.trials(opened.study("mine").id)
        between = [t.number for t in trials if 6 < t.epochs < 16 and not t.status.over]
        if between and not forked:
            forked.append(between[0])
            live.fork(between[0], learning_rate=["x0.5", "x2"], epochs=2)

    script: Script = dict.fromkeys(range(1, 60), fork)
    study = run(data, tmp_path, script, trials=27, epochs=50, scheduler="asha")
    assert forked
    assert all(trial.status.over for trial in study.history())
    assert max(trial.number for trial in study.history()) == 28
    came = [e.details["trials"] for e in events(tmp_path, ARRIVE) if e.details["rung"] == 0]
    assert {27, 28} <= {number for numbers in came for number in numbers}


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_what_was_decided_before_a_space_was_narrowed_is_not_decided_again(
    data, tmp_path, monkeypatch
):
    """Population-based training draws new values from the space that holds at its rung."""
    script: Script = {5: lambda live: live.narrow({"learning_rate": dw.log(2e-2, 3e-2)})}
    options: Any = {"trials": 10, "epochs": 9, "scheduler": "pbt"}
    run(data, tmp_path / "whole", script, **options)
    epoch = events(tmp_path / "whole", "narrow")[0].details["epoch"]
    drawn = [e.details for e in events(tmp_path / "whole", "fork")]
    assert min(details["epoch"] for details in drawn) < epoch
    rates = [d["changes"]["learning_rate"] for d in drawn if d["epoch"] > epoch]
    assert rates
    assert all(0.02 <= rate <= 0.03 for rate in rates)
    with breaking(monkeypatch, 1, after=True), pytest.raises(BrokenError):
        run(data, tmp_path / "broken", script, **options)
    dw.resume("mine", data, store=tmp_path / "broken")
    assert left(tmp_path / "broken") == left(tmp_path / "whole")


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_more_of_a_run(data, tmp_path, monkeypatch):
    script: Script = {
        2: lambda live: live.extend(epochs=3),
        3: lambda live: live.extend(trials=3, budget="5m"),
        4: lambda live: live.narrow({"learning_rate": dw.log(1e-2, 2e-2)}),
    }
    study = run(data, tmp_path / "whole", script, trials=3, epochs=6)
    trials = study.history()
    assert [t.epochs for t in trials] == [9, 9, 9, 6, 6, 6]
    assert all(0.01 <= t.spec.number("learning_rate") <= 0.02 for t in trials[3:])
    assert not all(0.01 <= t.spec.number("learning_rate") <= 0.02 for t in trials[:3])
    assert study.result.networks == 6
    assert study.result.stopped == ""
    assert events(tmp_path / "whole", "narrow")[0].details["to_come"] == 3
    for nth in (2, 3):
        with breaking(monkeypatch, nth, after=True), pytest.raises(BrokenError):
            run(data, tmp_path / f"{nth}", script, trials=3, epochs=6)
    dw.resume("mine", data, store=tmp_path / "3")
    one, other = left(tmp_path / "3"), left(tmp_path / "whole")
    for told in (one[2], other[2]):
        for details in (details for kind in told for _, details in kind):
            details.pop("budget", None)
    assert one == other


FOR_A_TIME: Any = {"trials": None, "epochs": 4, "budget": "5m"}


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_networks_beyond_those_of_a_budget_do_not_end_it(data, tmp_path, monkeypatch):
    """A run by time alone trains what it is asked for on top, and goes on until its time is up."""
    seen: list[int | None] = []

    def affordable(job: Any, *_: object) -> int:
        seen.append(job.asked.trials)
        return 2 if len(seen) == 1 else 0

    monkeypatch.setattr(_course, "_affordable", affordable)
    monkeypatch.setattr(_rounds, "default_trials", lambda seconds: 4)
    study = run(data, tmp_path, {2: lambda live: live.extend(trials=3)}, **FOR_A_TIME)
    assert [e.details["networks"] for e in events(tmp_path, "propose")] == [4, 3, 2]
    assert seen == [None, None]
    assert study.result.stopped == ""


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_networks_that_a_budget_has_no_time_for_are_trained_later(data, tmp_path, monkeypatch):
    monkeypatch.setattr(_course, "_affordable", lambda *_: 0)
    monkeypatch.setattr(_rounds, "default_trials", lambda seconds: 4)
    with monkeypatch.context() as patch:
        told = lambda self: bool(events(tmp_path, "extend_by_hand"))  # noqa: E731
        patch.setattr(Clock, "over", told)
        study = run(data, tmp_path, {2: lambda live: live.extend(trials=3)}, **FOR_A_TIME)
    assert study.result.stopped == "the time budget was used up"
    later = dw.resume("mine", data, store=tmp_path).result
    assert (later.stopped, later.networks) == ("", 7)


@pytest.mark.skipif(not available(), reason="no compiled core")
def test_a_run_is_stopped_with_its_best_kept_and_goes_on_later(data, tmp_path):
    study = run(data, tmp_path, {3: lambda live: live.stop()})
    assert study.result.stopped == "stopped by the user"
    assert {t.status for t in study.history()} == {Status.INTERRUPTED}
    live = dw.open_live("mine", tmp_path)
    answer = live.nudge(1, learning_rate="x0.5")
    assert (answer.done, answer.runner) == (False, None)
    assert dw.resume("mine", data, store=tmp_path).result.stopped == ""
    assert events(tmp_path, "nudge")[0].details["request"] == 2
    assert dw.replay("mine", 1, store=tmp_path, data=data).same


def test_what_cannot_be_done_is_refused_in_one_sentence(data, tmp_path):
    said: list[str] = []

    def ask(live: LiveStudy) -> None:
        for act in (
            lambda: live.nudge(99, learning_rate=0.1),
            lambda: live.nudge(0, hidden_units=3),
            lambda: live.nudge(0, learning_rate=-1),
            lambda: live.nudge(0, learning_rate="x0"),
            lambda: live.nudge(0, momentum="x9"),
            lambda: live.nudge(0, learning_rat=0.1),
            lambda: live.nudge(0),
            lambda: live.nudge(0, dropout=[0.1, 0.2]),
            lambda: live.rollback(0, to=9),
            lambda: live.fork(0, learning_rate="x1"),
            lambda: live.fork(0, 3, learning_rate=["x1", "x2"]),
            lambda: live.fork(0, 2, learning_rate=["x1", "x1"]),
            lambda: live.extend(),
            lambda: live.extend(epochs=2),
            lambda: live.resume(),
        ):
            with pytest.raises(dw.UsageError) as refused:
                act()
            said.append(str(refused.value))

    run(data, tmp_path, {3: ask}, trials=2, epochs=6, space={"decay": "cosine"})
    for words, sentence in zip(
        (
            "has no network 99; they are numbered 0 to 1",
            "`hidden_units` cannot change while a network trains",
            "`learning_rate` must be",
            "must be a positive number after an x",
            "`momentum` must be",
            'unknown hyperparameter "learning_rat"; did you mean "learning_rate"?',
            "a nudge needs a new value",
            "`dropout` lists 2 layers but there are 1",
            "can go back to an epoch from 1 to",
            "forks into 2 to 64 copies, got 1",
            "`learning_rate` lists 2 values for 3 copies",
            "would be one and the same network",
            "say what to extend",
            "trains by a cosine decay",
            "is not paused; it trains",
        ),
        said,
        strict=True,
    ):
        assert words in sentence
        assert "\n" not in sentence
    live = dw.open_live("mine", tmp_path)
    with pytest.raises(dw.UsageError, match="has ended, so there is nothing to nudge"):
        live.nudge(0, learning_rate=0.1)
    with pytest.raises(dw.UsageError, match='no study "other"'):
        dw.open_live("other", tmp_path)


def test_what_became_impossible_meanwhile_is_an_event(data, tmp_path):
    def both(live: LiveStudy) -> None:
        live.stop(0)
        live.nudge(0, learning_rate="x0.5")  # asked while the network still trains

    run(data, tmp_path, {3: both}, trials=2)
    refused = events(tmp_path, "refuse")
    assert [e.details["kind"] for e in refused] == ["nudge"]
    assert "network 0 of study mine is pruned after epoch" in refused[0].details["why"]


@pytest.mark.parametrize("calls", [0, 3])
def test_going_back_does_not_hold_up_a_run_that_is_to_end(calls, data, tmp_path, monkeypatch):
    """To train a network again may take as long as all that was before."""
    trained: list[int] = []
    kept = LocalEngine.train

    def train(self, numbers, until, stop, probes=None):
        for chunk in kept(self, numbers, until, stop, probes):
            if numbers == [2]:  # the copy
                trained.append(chunk.epoch)
            yield chunk

    monkeypatch.setattr(LocalEngine, "train", train)
    monkeypatch.setattr(Clock, "over", lambda self: calls == len(trained) > 0)

    def both(live: LiveStudy) -> None:
        if calls == 0:
            live.stop()
        live.rollback(1, to=5, learning_rate="x0.5")

    study = run(data, tmp_path, {7: both}, trials=2, epochs=14)
    (refused,) = events(tmp_path, "refuse")
    assert (
        "the run ended before network 1 was trained again up to epoch 5" in refused.details["why"]
    )
    assert trained == [*range(1, calls + 1)]
    assert not events(tmp_path, "rollback")
    assert {t.status for t in study.history()} == {Status.INTERRUPTED}
    monkeypatch.undo()
    again = dw.resume("mine", data, store=tmp_path)
    assert [t.epochs for t in again.trials()] == [14, 14]


def test_what_comes_too_late_is_refused_by_the_run(data, tmp_path):
    run(data, tmp_path, {12: lambda live: live.pause()})
    refused = events(tmp_path, "refuse")
    paused = events(tmp_path, "pause_by_hand")
    assert len(refused) + len(paused) == 1


def test_networks_of_a_cross_validated_study(data, tmp_path):
    def ask(live: LiveStudy) -> None:
        live.nudge(4, learning_rate="x0.5")
        with pytest.raises(dw.UsageError, match="one a fold; nudge them instead"):
            live.fork(4, learning_rate=["x1", "x2"])

    study = run(data, tmp_path, {2: ask}, trials=2, folds=3)
    changed = {t.number for t in study.history() if t.spec.changes}
    assert changed == {3, 4, 5}
    assert dw.replay("mine", 4, store=tmp_path, data=data).same


def test_a_replay_that_differs_says_where(data, tmp_path, monkeypatch):
    run(data, tmp_path, {2: lambda live: live.nudge(1, l2=1e-3)}, trials=2, epochs=6)
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("mine")
        spec = opened.trials(record.id)[1].spec
        text = spec.to_json().replace("l2=0.001", "l2=0.002")
        with opened._database.writing() as connection:
            sql = "UPDATE trial SET spec = ? WHERE number = 1"
            connection.exec_driver_sql(sql, (text,))
    told = dw.replay("mine", 1, store=tmp_path, data=data)
    assert not told.same
    epoch = events(tmp_path, "nudge")[0].details["epoch"]
    assert f"train_cost from epoch {epoch + 1} on" in told.compared[0].differ
    assert not told.machine
    monkeypatch.setattr("deepwell.study._made_with.platform.machine", lambda: "another")
    told = dw.replay("mine", 1, store=tmp_path, data=data)
    assert [word.split(" ")[0] for word in told.machine] == ["machine"]


def start(*given: str) -> subprocess.Popen[str]:
    call = "import sys; from deepwell.cli import run; sys.exit(run(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", call, *given],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def until(true: Callable[[], Any]) -> Any:
    give_up = time.monotonic() + 60
    while not (found := true()):
        assert time.monotonic() < give_up
        time.sleep(0.02)
    return found


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_run_in_another_process_is_babysat(program, table, tmp_path):
    """The whole way: asked from here, done there, paused, stopped, resumed, replayed."""
    import polars as pl

    pl.DataFrame(table).write_csv(tmp_path / "t.csv")
    store = tmp_path / "store"
    process = start(
        *("fit", str(tmp_path / "t.csv"), "--target", "y", "--trials", "3", "--epochs", "100000"),
        *("--name", "mine", "--store", str(store), "--program", program, "--scheduler", "none"),
        *("--patience", "0", "--hidden-units", "5", "--hidden-layers", "1", "--batch-size", "32"),
        *("--optimizer", "sgd", "--space", "learning_rate=log(1e-3,1e-2)", "--json"),
    )
    try:
        until(lambda: process.poll() is not None or _epoch(store))
        assert process.poll() is None, process.communicate()
        watcher = start("show", "mine", "--follow", "--store", str(store))
        lines = watcher.stdout
        assert lines is not None
        assert lines.readline().startswith("training  epoch ")
        live = dw.open_live("mine", store, wait=60)
        nudges = [live.nudge(0, learning_rate="x0.5"), live.nudge(0, l2=0.01)]
        snapshot = live.snapshot(0)
        back = live.rollback(1, to=2, learning_rate="x2")
        forked = live.fork(0, learning_rate=["x0.5", "x2"], epochs=1)
        assert all(a.done for a in (*nudges, snapshot, back, forked))
        assert nudges[0].epoch < nudges[1].epoch <= snapshot.epoch < forked.epoch
        assert f"process {process.pid} on" in live.runner()
        paused = live.pause()
        assert live.paused()
        until(lambda: lines.readline().startswith("paused    epoch "))
        before = _epoch(store)
        live.nudge(2, l2=0.001)  # taken while it is paused
        assert _epoch(store) == before == paused.epoch
        assert live.resume().done
        until(lambda: _epoch(store) > before)
        assert live.stop().done
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 130, complaints
        seen, _ = watcher.communicate(timeout=60)
        assert watcher.returncode == 0
    finally:
        process.kill()
        process.communicate()
    told = seen.splitlines()
    assert any(line.startswith("ended     mine was stopped: best dev") for line in told)
    assert dw.open_study("mine", store).result.stopped == "stopped by the user"
    with open_store(store, create=False) as opened:
        numbers = [t.number for t in opened.trials(opened.study("mine").id)]
    assert numbers == [0, 1, 2, 3, 4, 5]
    told = [dw.replay("mine", number, store=store) for number in numbers]
    assert all(one.same for one in told), told
    assert any("checkpoint" in one.what for replay in told for one in replay.compared)
    assert any("snapshot" in one.what for one in told[0].compared)


def _epoch(store: Path) -> int:
    try:
        with open_store(store, create=False) as opened:
            studies = opened.studies()
            trials = opened.trials(studies[0].id) if studies else []
            return max((t.epochs for t in trials), default=0)
    except dw.UsageError:  # there is no store yet, or it is just being made
        return 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_dropout_is_switched_on_where_the_program_had_none(program, data, tmp_path, monkeypatch):
    """A compiled program without dropout cannot train it: the network goes to another one."""
    script: Script = {2: lambda live: live.nudge(0, dropout=0.3, label_smoothing=0.1)}
    options: Any = {"trials": 2, "epochs": 7, "space": {"dropout": 0.0}}
    study = run(data, tmp_path / "whole", script, program, **options)
    one, other = study.history()
    assert one.epochs == other.epochs == 7
    assert one.spec.during(7)["dropout"] == 0.3
    assert dw.replay("mine", 0, store=tmp_path / "whole", data=data).same
    with breaking(monkeypatch, 1, after=True), pytest.raises(BrokenError):
        run(data, tmp_path / "broken", script, program, **options)
    dw.resume("mine", data, store=tmp_path / "broken")
    assert left(tmp_path / "broken") == left(tmp_path / "whole")
    # Of a study that goes on after its end the best networks are trained again.
    later = dw.resume("mine", data, store=tmp_path / "whole", trials=1)
    assert (later.result.networks, later.result.stopped) == (3, "")
    assert later.trials()[:2] == dw.open_study("mine", tmp_path / "broken").trials()


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_network_that_is_over_goes_back_to_where_it_was_not(program, data, tmp_path):
    """One that diverged after a nudge goes on without it; one that stopped early with patience."""
    script: Script = {
        2: lambda live: live.nudge(0, learning_rate=1e30),
        6: lambda live: live.rollback(0, to=2, learning_rate=0.01),
    }
    options: Any = {"trials": 2, "epochs": 9, "space": {"optimizer": "sgd"}}
    study = run(data, tmp_path, script, program, **options)
    trials = {t.number: t for t in study.history()}
    assert trials[0].status is Status.DIVERGED
    assert trials[2].status is Status.FINISHED
    assert trials[2].spec["change"] == "2: learning_rate=0.01"
    assert dw.replay("mine", 2, store=tmp_path, data=data).same
