"""Changes by hand where something else happens: a planned change, a new round, an end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.study.babysat import Hand, Script, events, left, run, some_table

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.execution import _native_backend
from deepwell.execution._planner import Shape
from deepwell.records import Event, Status, TrialSpec
from deepwell.storage import _kept_states, _requests, open_store
from deepwell.storage._requests import Requests
from deepwell.study._budget import Clock
from deepwell.study._checkpoint import Checkpoints
from deepwell.study._desk import Desk
from deepwell.study._forks import copied, forked, told_changes, without
from deepwell.study._history import History
from deepwell.study._live import LiveStudy
from deepwell.study._scene import scene_of
from deepwell.study.acts import _nudge

pytestmark = pytest.mark.skipif(not available(), reason="no compiled core")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(some_table(), target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.fixture
def in_turn(monkeypatch):
    """Networks train one after another, each to the end of its rung, as in several programs."""
    monkeypatch.setattr(_native_backend, "_LANES", 1)


def trials_of(store: Path) -> dict[int, Any]:
    with open_store(store, create=False) as opened:
        return {t.number: t for t in opened.trials(opened.study("mine").id, curves=True)}


def ask(store: Path, kind: str, trial: int | None, **details: object) -> int:
    """Ask without a look at what can be done, as one who saw an earlier state would."""
    with open_store(store, create=False) as opened:
        return opened.requests.ask(opened.study("mine").id, kind, trial, details).id


# -- planned changes --------------------------------------------------------------------------

PLANNED = {"change": "4: l2=0.01; 4: learning_rate=0.02; 8: l2=0"}


@pytest.mark.parametrize("asked_at", [2, 3, 4])
def test_a_planned_change_of_the_same_epoch_holds_beside_a_nudge(asked_at, data, tmp_path):
    script: Script = {asked_at: lambda live: live.nudge(0, learning_rate=0.005, momentum=0.6)}
    study = run(data, tmp_path, script, trials=2, space=PLANNED)
    (told,) = (event.details["networks"]["0"] for event in events(tmp_path, "nudge"))
    assert told["epoch"] == asked_at + 1
    spec = study.history()[0].spec
    assert told["changes"] == {"learning_rate": 0.005, "momentum": 0.6}
    assert told.get("instead_of") == ({"learning_rate": 0.02} if told["epoch"] == 4 else None)
    assert spec.during(5)["l2"] == 0.01
    assert spec.during(9)["l2"] == 0.0
    rate = 0.02 if told["epoch"] < 4 else 0.005  # what was planned for later comes
    assert (spec.during(6)["learning_rate"], spec.during(6)["momentum"]) == (rate, 0.6)
    assert dw.replay("mine", 0, store=tmp_path, data=data).same


def test_going_back_brings_a_planned_change_back(data, tmp_path):
    def both(live: LiveStudy) -> None:
        live.nudge(0, learning_rate=0.005)
        live.nudge(0, learning_rate="x2", l2=0.5)

    script: Script = {3: both, 5: lambda live: live.rollback(0, to=2, momentum=0.7)}
    study = run(data, tmp_path, script, trials=2, space=PLANNED)
    first, second = (event.details["networks"]["0"] for event in events(tmp_path, "nudge"))
    assert first["epoch"] == second["epoch"] == 4
    assert second["instead_of"] == {"learning_rate": 0.005, "l2": 0.01}
    trials = {t.number: t for t in study.history()}
    assert trials[0].spec["change"] == "4: l2=0.5; 4: learning_rate=0.01; 8: l2=0"
    assert trials[2].spec["change"] == "2: momentum=0.7; 4: l2=0.01; 4: learning_rate=0.02; 8: l2=0"
    assert dw.replay("mine", 2, store=tmp_path, data=data).same


def test_a_fork_and_its_way_back_keep_what_is_planned(data, tmp_path):
    script: Script = {
        3: lambda live: live.fork(0, learning_rate=["x0.5", "x1"], epochs=8),
        6: lambda live: live.rollback(3, to=2),
    }
    study = run(data, tmp_path, script, trials=2, space=PLANNED)
    began = {event.trial: event.details for event in events(tmp_path, "branch")}
    assert began[2]["changes"] == {"learning_rate": 0.01}
    assert began[2]["instead_of"] == {"learning_rate": 0.02}
    trials = {t.number: t for t in study.history()}
    assert trials[2].spec["change"] == "4: l2=0.01; 4: learning_rate=0.01; 8: l2=0"
    assert trials[4].spec == trials[0].spec
    for number in (2, 3, 4):
        assert dw.replay("mine", number, store=tmp_path, data=data).same


def test_an_event_says_what_gives_way():
    spec = TrialSpec({"change": "8: dropout=[0.1, 0.1]; 8: learning_rate=0.01"}, seed=0)
    new = forked(spec, 8, {"dropout": 0.2, "l2": 0.1})
    told = told_changes(spec, new, 8, ["dropout", "l2"])
    assert told == {"changes": {"dropout": 0.2, "l2": 0.1}, "instead_of": {"dropout": [0.1, 0.1]}}
    back = without(new, 8, {(8, "dropout"): told["instead_of"]["dropout"], (8, "l2"): None})
    assert back == spec
    assert without(new, 9, {(8, "dropout"): None}) == new
    assert copied(3, 1, spec, 7, {"l2": 0.1}, 64).said == {"changes": {"l2": 0.1}}


# -- inside an epoch --------------------------------------------------------------------------


def test_what_is_asked_inside_an_epoch_holds_from_the_next_one_on(data, tmp_path, monkeypatch):
    """A call is an update step here, and it is asked between two of them."""
    seen: list[int] = []
    kept = Clock.over

    def over(self: Clock) -> bool:
        reached = max((t.epochs for t in trials_of(tmp_path).values()), default=0)
        seen.append(reached)
        if reached == 3 and seen.count(3) == 2:
            dw.open_live("mine", tmp_path, wait=0.0).nudge(1, learning_rate="x0.5")
        return kept(self)

    monkeypatch.setattr(Shape, "call_steps", lambda *_: 1)
    quiet = run(data, tmp_path / "quiet", {}, trials=2, epochs=6)
    monkeypatch.setattr(Clock, "over", over)
    study = run(data, tmp_path, {}, trials=2, epochs=6)
    assert seen.count(3) > 3  # steps of the epoch were still to come
    (nudge,) = events(tmp_path, "nudge")
    assert nudge.details["epoch"] == 4
    one, other = (made.history()[1].curves["train_cost"] for made in (quiet, study))
    assert one[:4].tobytes() == other[:4].tobytes()
    assert (one[4:] != other[4:]).all()
    assert dw.replay("mine", 1, store=tmp_path, data=data).same


def test_a_network_that_stands_inside_an_epoch_ends_it_as_it_began_it(data, tmp_path):
    run(data, tmp_path, {3: lambda live: live.stop()}, trials=2)
    dw.open_live("mine", tmp_path).nudge(1, l2=0.1)
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("mine")
        (request,), scene = opened.requests.waiting(record.id), scene_of(opened, record)
    done = scene.trials[1].epochs
    for begun, epoch in ((False, done), (True, done + 1)):
        found = _nudge._specs(scene, request, lambda _, begun=begun: begun)
        assert found[1][0] == epoch
        assert found[1][2].changes == {epoch: {"l2": 0.1}}


# -- rounds -----------------------------------------------------------------------------------


def test_acts_in_a_later_round(data, tmp_path):
    said: list[str] = []

    def late(live: LiveStudy) -> None:
        live.nudge(4, learning_rate="x0.5")
        for act in (lambda: live.nudge(0, l2=0.1), lambda: live.rollback(0, to=1)):
            with pytest.raises(UsageError) as refused:
                act()
            said.append(str(refused.value))

    script: Script = {
        2: lambda live: live.extend(trials=3),
        8: late,
        9: lambda live: live.fork(5, learning_rate=["x0.5", "x1"], epochs=1),
        10: lambda live: live.rollback(3, to=1, momentum=0.6),
    }
    study = run(data, tmp_path, script, trials=3, epochs=6)
    trials = {t.number: t for t in study.history()}
    assert events(tmp_path, "nudge")[0].details["networks"]["4"]["epoch"] == 3
    assert said == [
        "network 0 of study mine is finished after epoch 6 and trains no further",
        "network 0 of study mine belongs to a round that has ended; roll back one of the round at "
        "work, from 3 on",
    ]
    assert [trials[n].status for n in (3, 5)] == [Status.PRUNED] * 2
    assert trials[8].epochs == 6
    for number in (4, 6, 7, 8):
        assert dw.replay("mine", number, store=tmp_path, data=data).same
    assert not events(tmp_path, "refuse")


def test_who_saw_an_earlier_round_is_told_that_it_has_ended(data, tmp_path):
    script: Script = {
        2: lambda live: live.extend(trials=2),
        8: lambda _: [
            ask(tmp_path, "nudge", 0, changes={"l2": 0.1}),
            ask(tmp_path, "rollback", 1, to=2, changes={}),
            ask(tmp_path, "fork", 1, copies=[{"l2": 0.1}, {"l2": 0.2}], race=1),
            ask(tmp_path, "snapshot", 0),
            ask(tmp_path, "stop", 1),
            ask(tmp_path, "waltz", None),
        ],
    }
    run(data, tmp_path, script, trials=2, epochs=6)
    refused = events(tmp_path, "refuse")
    kinds = [event.details["kind"] for event in refused]
    assert kinds == ["nudge", "rollback", "fork", "snapshot", "stop", "waltz"]
    whys = [event.details["why"] for event in refused]
    assert all(
        "trains no further" in why for place, why in enumerate(whys) if place in (0, 2, 3, 4)
    )
    assert not any("deepwell rollback" in why for why in whys)
    assert "belongs to a round that has ended" in whys[1]
    assert whys[5] == "this Deepwell knows no act waltz"


def test_networks_that_a_round_ended_without_are_not_at_work_in_the_next(data, tmp_path):
    run(data, tmp_path, {3: lambda live: live.stop(0)}, trials=3, epochs=6)
    with open_store(tmp_path, create=False) as opened:  # as the clock leaves it
        opened.record_statuses(opened.study("mine").id, {0: Status.INTERRUPTED}, {})
    script: Script = {
        2: lambda live: live.narrow({"l2": 0.1}),
        3: lambda _: ask(tmp_path, "nudge", 0, changes={"l2": 0.1}),
    }
    hand = Hand(tmp_path, script)
    dw.resume("mine", data, store=tmp_path, trials=2, observer=hand)
    (narrowed,), (refused,) = events(tmp_path, "narrow"), events(tmp_path, "refuse")
    assert narrowed.details["epoch"] == 3
    assert refused.details["why"] == (
        "network 0 of study mine is interrupted after epoch 4 and trains no further"
    )


def test_an_act_of_a_round_that_waits_is_judged_by_the_round_at_work(data, tmp_path):
    """A study that goes on after a kill may stand before rounds that it proposed already."""
    run(data, tmp_path, {3: lambda live: live.stop()}, trials=3)
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("mine")
        late = [(n, opened.trials(record.id)[0].spec) for n in (3, 4)]
        (told,) = opened.events(record.id, "propose")
        details = {**told.details, "population": 1, "first": 3, "networks": 2}
        opened.propose(record.id, late, Event(told.time, "propose", details=details))
        assert scene_of(opened, record).first == 0
    back = dw.open_live("mine", tmp_path).rollback(1, to=2)
    assert (back.done, back.trial) == (False, 1)


# -- refusals ---------------------------------------------------------------------------------


def test_what_is_asked_after_a_refusal_is_done(data, tmp_path):
    def several(live: LiveStudy) -> None:
        live.stop(0)
        live.nudge(0, learning_rate="x0.5")  # it still trains
        live.fork(0, learning_rate=["x1", "x2"])
        live.nudge(1, learning_rate="x0.5")
        live.rollback(2, to=2, l2=0.1)

    study = run(data, tmp_path, {3: several}, trials=3)
    assert [event.details["kind"] for event in events(tmp_path, "refuse")] == ["nudge", "fork"]
    assert events(tmp_path, "nudge")[0].details["networks"].keys() == {"1"}
    assert max(t.number for t in study.history()) == 3
    for number in (1, 3):
        assert dw.replay("mine", number, store=tmp_path, data=data).same


def test_copies_that_come_to_nothing_leave_their_numbers(data, tmp_path, monkeypatch):
    """What the disk has no room for is taken away from the engine: the next copies are others."""
    kept, tried = Checkpoints.with_deed, list[int]()

    def with_deed(self: Checkpoints, *given: Any) -> None:
        tried.append(1)
        if len(tried) < 3:
            raise UsageError("there is no room on the disk")
        kept(self, *given)

    def back(live: LiveStudy) -> None:
        live.rollback(0, to=2)
        live.fork(1, learning_rate=["x0.5", "x2"], epochs=1)
        live.rollback(0, to=3, learning_rate=0.01)
        live.fork(1, l2=[0.1, 0.2], epochs=1)

    monkeypatch.setattr(Checkpoints, "with_deed", with_deed)
    study = run(data, tmp_path, {6: back}, trials=2)
    refused = [(e.details["kind"], e.details["why"]) for e in events(tmp_path, "refuse")]
    assert refused == [(kind, "there is no room on the disk") for kind in ("rollback", "fork")]
    assert events(tmp_path, "rollback")[0].details["copy"] == 2
    assert events(tmp_path, "race")[0].details["copies"] == [3, 4]
    assert sorted(t.number for t in study.history()) == [0, 1, 2, 3, 4]
    for number in (2, 3, 4):
        assert dw.replay("mine", number, store=tmp_path, data=data).same


def test_old_requests_are_refused_where_their_run_is_gone(data, tmp_path):
    run(data, tmp_path, {3: lambda live: live.stop()}, trials=2)
    asked = [ask(tmp_path, kind, None) for kind in ("pause", "stop", "resume")]
    live = dw.open_live("mine", tmp_path)
    live.stop(0)
    live.nudge(1, learning_rate="x0.5")
    study = dw.resume("mine", data, store=tmp_path)
    assert study.result.stopped == ""
    refused = {
        event.details["request"]: event.details["why"] for event in events(tmp_path, "refuse")
    }
    assert refused == dict.fromkeys(asked, "the run that it was asked of has ended")
    assert not events(tmp_path, "pause_by_hand")
    trials = trials_of(tmp_path)
    assert (trials[0].status, trials[0].message[:15]) == (Status.PRUNED, "stopped by hand")
    assert trials[1].spec.changes


def test_what_comes_as_a_study_ends_is_answered(data, tmp_path, monkeypatch):
    """Between the last look of the run and the record of its end, and after that."""
    kept, asked = Desk.close, list[int]()

    def close(self: Desk) -> None:
        kept(self)
        asked.append(ask(tmp_path, "nudge", 0, changes={"l2": 0.1}))

    monkeypatch.setattr(Desk, "close", close)
    run(data, tmp_path, {}, trials=2, epochs=3)
    (refused,) = events(tmp_path, "refuse")
    assert refused.details == {
        "request": asked[0], "kind": "nudge", "why": "the run ended before it could be done",
    }  # fmt: skip
    with pytest.raises(UsageError, match=r"study mine has ended meanwhile, .* nothing to nudge"):
        ask(tmp_path, "nudge", 0, changes={"l2": 0.1})


def test_a_request_that_fails_does_not_fail_the_next_run(data, tmp_path, monkeypatch):
    def failing(*_: Any) -> None:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(_nudge, "forked", failing)
    script: Script = {3: lambda _: ask(tmp_path, "nudge", 0, changes={"l2": 0.1})}
    with pytest.raises(RuntimeError, match="no such thing"):
        run(data, tmp_path, script, trials=2)
    (refused,) = events(tmp_path, "refuse")
    assert refused.details["why"] == "it failed, and the run with it: no such thing"
    assert dw.resume("mine", data, store=tmp_path).result.stopped == ""


# -- narrow -----------------------------------------------------------------------------------


def test_two_who_narrow_the_space_both_get_what_they_ask_for(data, tmp_path):
    def both(live: LiveStudy) -> None:
        live.narrow({"learning_rate": dw.log(1e-2, 2e-2)})
        space, rule = {"momentum": dw.uniform(0.1, 0.2)}, ["momentum > 0.11"]
        live.narrow(space, constraints=rule, search="quasi-random")
        with open_store(tmp_path, create=False) as opened:
            waiting = opened.requests.waiting(opened.study("mine").id)
        asked: list[Any] = [r.details["entries"] for r in waiting if r.kind == "narrow"]
        assert [[entry["name"] for entry in one] for one in asked] == [
            ["learning_rate"], ["momentum"],
        ]  # fmt: skip
        with pytest.raises(UsageError, match=r"momentum > 0\.11"):
            live.narrow({"momentum": dw.uniform(0.0, 0.1)})

    script: Script = {2: lambda live: live.extend(trials=4), 3: both}
    study = run(data, tmp_path, script, trials=2, epochs=5)
    late = [t.spec for t in study.history()[2:]]
    assert len(late) == 4
    assert all(0.01 <= spec.number("learning_rate") <= 0.02 for spec in late)
    assert all(0.11 < spec.number("momentum") <= 0.2 for spec in late)
    first, second = (event.details for event in events(tmp_path, "narrow"))
    assert (first["search"], second["search"]) == ("random", "quasi-random")
    assert second["was"] == first["space"]


def test_a_whole_space_takes_the_place_of_all(data, tmp_path):
    rates = dw.log(1e-3, 2e-3)
    whole = dw.Space({"hidden_units": 3, "learning_rate": rates, "patience": 0, "epochs": 5})
    script: Script = {2: lambda live: live.extend(trials=2), 3: lambda live: live.narrow(whole)}
    study = run(data, tmp_path, script, trials=2, epochs=5)
    late = [t.spec for t in study.history()[2:]]
    assert [spec.hidden_units for spec in late] == [(3, 3), (3, 3)]
    assert {spec.text("optimizer") for spec in late} == {"adam"}


def test_what_an_earlier_deepwell_asked_for_is_understood(data, tmp_path):
    values = {"hidden_units": 2, "patience": 0, "epochs": 5}
    space = [{"name": name, "kind": "fixed", "value": value} for name, value in values.items()]
    script: Script = {
        2: lambda live: live.extend(trials=1),
        3: lambda _: ask(tmp_path, "narrow", None, space=space, search="random"),
    }
    study = run(data, tmp_path, script, trials=2, epochs=5)
    assert study.history()[2].spec.hidden_units == (2, 2)


# -- races ------------------------------------------------------------------------------------


def test_a_race_is_judged_once_where_a_copy_lags_behind(data, tmp_path, in_turn, monkeypatch):
    """The second copy begins after the other one's last epoch."""
    attended: list[int] = []
    kept = Desk.attend

    def attend(self: Desk, *args: Any) -> Any:
        attended.append(self.epoch())
        return kept(self, *args)

    monkeypatch.setattr(Desk, "attend", attend)
    script: Script = {2: lambda live: live.fork(0, l2=[0.0, 0.3], epochs=2)}
    study = run(data, tmp_path, script, trials=1)
    (race,), (won,) = events(tmp_path, "race"), events(tmp_path, "race_won")
    assert len(attended) == 2  # when it was asked for, and when the last copy had come
    best = won.details["best"]
    trials = {t.number: t for t in study.history()}
    within = slice(race.details["epoch"], race.details["until"])
    scores = {n: min(trials[n].curves["dev_score"][within]) for n in (1, 2)}
    assert scores[best] == min(scores.values())
    assert trials[best].epochs == 12


def test_a_race_that_a_stop_has_ended_is_judged_at_once(data, tmp_path, in_turn):
    """The other copy has come to its last epoch: no epoch of it is to come."""
    script: Script = {
        2: lambda live: live.fork(0, l2=[0.0, 0.3], epochs=5),
        13: lambda live: live.stop(2),
    }
    study = run(data, tmp_path, script, trials=1)
    assert study.history()[2].epochs < study.history()[1].epochs == 12
    (won,) = events(tmp_path, "race_won")
    assert won.details["best"] == 1


class GoneError(BaseException):
    """Stands for the end of the process."""


def test_a_race_that_came_to_its_end_before_a_kill_is_judged_after_it(data, tmp_path, monkeypatch):
    """Its copies have come to their last epoch with it, so no epoch of theirs is to come."""
    script: Script = {8: lambda live: live.fork(0, learning_rate=["x0.5", "x2"], epochs=9)}
    run(data, tmp_path / "whole", script, trials=2)
    kept = Requests.carry_out

    def carry_out(self: Requests, study_id: int, deed: Any) -> None:
        if any(event.kind == "race_won" for event in deed.events):
            raise GoneError
        kept(self, study_id, deed)

    with monkeypatch.context() as patch:
        patch.setattr(Requests, "carry_out", carry_out)
        patch.setattr("deepwell.study._checkpoint.EVERY_SECONDS", 0.0)
        patch.setattr("deepwell.study._checkpoint.SHARE", 1e9)
        with pytest.raises(GoneError):
            run(data, tmp_path / "gone", script, trials=2)
    dw.resume("mine", data, store=tmp_path / "gone")
    assert left(tmp_path / "gone") == left(tmp_path / "whole")


# -- numbers ----------------------------------------------------------------------------------


def test_numbers_that_others_have_are_left_out(data, tmp_path):
    run(data, tmp_path, {2: lambda live: live.fork(0, l2=[0.1, 0.2])}, trials=3, epochs=4)
    with open_store(tmp_path, create=False) as opened:
        history = History(opened, opened.study("mine"))
        assert (len(history.trials()), history.proposed()) == (5, 3)  # two of them are copies
        assert history.free_numbers(3, 2) == [5, 6]
        assert history.free_numbers(9, 1) == [9]
        late = [(n, opened.trials(history.record.id)[0].spec) for n in (7, 8)]
        opened.propose(history.record.id, late)
        assert history.free_numbers(2, 3) == [5, 6, 9]


def test_a_round_begins_beyond_all_numbers_even_where_some_were_left_out(data, tmp_path):
    """As after a kill, when what was trained again made fewer copies."""
    study = run(data, tmp_path, {}, trials=2, epochs=2)
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("mine")
        opened.propose(record.id, [(7, study.history()[1].spec)])
        opened.record_statuses(record.id, {7: Status.PRUNED}, {})
    study = dw.resume("mine", data, store=tmp_path, trials=2)
    trials = {t.number: t for t in study.trials()}
    assert sorted(trials) == [0, 1, 7, 8, 9]
    assert len({trials[n].spec.seed for n in (0, 1, 8, 9)}) == 4
    assert study.probe_records(9) == []
    with pytest.raises(UsageError, match="has the trials 0 to 9, got 5"):
        study.probe_records(5)
    best = study.result.best_trial
    made = study.refit(data)
    rate = made.model.about["hyperparameters"]["learning_rate"]
    assert rate == trials[best].spec["learning_rate"]


class Ending(dw.Observer):
    """Ends the process when so many epochs were told."""

    def __init__(self, calls: int) -> None:
        self._left = calls

    def on_progress(self, progress: Any) -> None:
        self._left -= progress.phase == "training"
        if self._left == 0:
            raise GoneError


def test_no_two_trials_get_one_number_where_all_is_trained_again(data, tmp_path):
    """Copies made by hand are there from the start then, so population-based training forks more.

    Their numbers must not be those of the round that was proposed before the checkpoint was lost.
    """
    copies: Script = {1: lambda live: live.fork(0, l2=[i / 100 for i in range(8)], epochs=2)}
    run(data, tmp_path, copies, trials=8, epochs=9, scheduler="pbt")
    with pytest.raises(GoneError):
        dw.resume("mine", data, store=tmp_path, trials=8, observer=Ending(4))
    with open_store(tmp_path, create=False) as opened:
        opened.delete_checkpoint(opened.study("mine").id)
    study = dw.resume("mine", data, store=tmp_path)
    trials = {t.number: t for t in study.trials()}
    assert all(trial.status.over for trial in trials.values())
    with open_store(tmp_path, create=False) as opened:
        history = History(opened, opened.study("mine"))
        sources = history.sources()
        proposed: Any = [e.details for e in opened.events(history.record.id, "propose")]
    second = set(range(proposed[1]["first"], proposed[1]["first"] + proposed[1]["networks"]))
    assert not second & set(sources)
    assert max(sources) > max(second)  # there were more copies than numbers before the round
    best = study.result.best_trial
    assert dw.replay("mine", best, store=tmp_path, data=data).same


# -- a full disk ------------------------------------------------------------------------------


@pytest.mark.parametrize("last", ["third file", "record"])
def test_a_snapshot_that_finds_no_room_leaves_no_file(last, data, tmp_path, monkeypatch):
    """Of four networks: two have a file by then, or all four."""
    states, wrote, real = tmp_path / ".states", list[int](), _kept_states.write_atomic

    def full(*given: object) -> None:
        wrote.append(len(list(states.glob("??/*"))))
        if last == "third file" and len(wrote) == 3:
            raise UsageError("the disk is full")
        real(*given)

    def unrecorded(*given: Any) -> None:
        if given[2]:
            wrote.append(len(list(states.glob("??/*"))))
            raise UsageError("the disk is full")

    def ask_now(live: LiveStudy) -> None:
        monkeypatch.setattr(_kept_states, "write_atomic", full)
        if last == "record":
            monkeypatch.setattr(_requests, "insert_states", unrecorded)
        live.snapshot()

    def look(_: LiveStudy) -> None:
        wrote.append(len(list(states.glob("??/*"))))
        monkeypatch.undo()

    study = run(data, tmp_path, {3: ask_now, 6: look})
    assert wrote == ([0, 1, 2, 0] if last == "third file" else [0, 1, 2, 3, 4, 0])
    (refused,) = events(tmp_path, "refuse")
    assert refused.details["why"] == "the disk is full"
    assert {t.epochs for t in study.history()} == {12}
    assert not events(tmp_path, "snapshot")
