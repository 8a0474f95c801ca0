"""What networks reached that were changed or ended on their way teaches nobody a wrong lesson."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from tests.study.babysat import Script, events, run, some_table

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.records import Status, Trial
from deepwell.search.schedulers._across_folds import configurations
from deepwell.storage import open_store
from deepwell.study import _course
from deepwell.study._comparable import comparable
from deepwell.study._history import History
from deepwell.study._observations import observed
from deepwell.study._on_the_way import OnTheWay, without_nudged
from deepwell.study._searched import searched
from deepwell.study._warm_start import warm_start

pytestmark = pytest.mark.skipif(not available(), reason="no compiled core")


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return dw.load(some_table(), target="y", vault=tmp_path_factory.mktemp("vault"))


@pytest.fixture(scope="module")
def store(data, tmp_path_factory):
    """Return where a halved study is kept of which some networks were changed or ended by hand."""
    script: Script = {
        2: lambda live: live.stop(0),
        3: lambda live: [live.nudge(1, l2=0.01), live.fork(2, l2=[0.1, 0.2], epochs=1)],
        4: lambda live: live.rollback(3, to=1, l2=0.1),
    }
    folder = tmp_path_factory.mktemp("store")
    run(data, folder, script, trials=12, epochs=18, scheduler="halving")
    return folder


def test_an_event_says_who_was_ended_by_hand_and_why(store):
    told = {}
    for event in events(store, "ended_by_hand"):
        told |= event.details["networks"]
    trials = {t.number: t for t in dw.open_study("mine", store).trials()}
    assert {"0", "2", "3"} < set(told) <= {"0", "2", "3", "12", "13"}
    for number, one in told.items():
        ended = trials[int(number)]
        assert (ended.status, ended.epochs) == (Status.PRUNED, one["epoch"])
        assert ended.message == one["why"] != ""


def test_networks_are_compared_where_the_scheduler_stopped_the_first_ones(store):
    study = dw.open_study("mine", store)
    trials = study.trials(curves=True)
    assert min(t.epochs for t in trials) < 6
    tried, epochs = comparable(trials, study.on_the_way(), 0)
    assert epochs == 6
    own = [t.spec.hyperparameters for t in trials[4:12]]
    assert [dict(one.values) for one in tried] == [dict(values) for values in own]
    assert searched(study).importance.epochs == 6


def test_of_nudged_networks_samplers_know_what_was_tried(data, tmp_path, monkeypatch):
    seen: list[Sequence[Trial]] = []

    def next_round(asked: Any, engine: Any, past: Sequence[Trial], *rest: Any) -> Any:
        seen.append(past)
        return kept(asked, engine, past, *rest)

    kept = _course.next_round
    monkeypatch.setattr(_course, "next_round", next_round)
    run(data, tmp_path, {2: lambda live: live.nudge(1, l2=0.1)}, trials=3, epochs=4)
    dw.resume("mine", data, store=tmp_path, trials=2)
    first, second = seen
    assert first == []
    assert [observed(trial).pending for trial in second] == [False, True, False]
    assert second[1].spec.hyperparameters["l2"] == 0.0


def test_a_nudged_fold_leaves_the_score_of_its_configuration_out(data, tmp_path):
    script: Script = {2: lambda live: live.nudge(4, l2=0.1)}
    run(data, tmp_path, script, trials=2, epochs=4, folds=3)
    with open_store(tmp_path, create=False) as opened:
        history = History(opened, opened.study("mine"))
        told = without_nudged(history, history.trials())
    one, other = configurations(told, 3)
    assert not observed(one).pending
    assert observed(other).pending
    study = dw.open_study("mine", tmp_path)
    assert study.on_the_way() == OnTheWay(frozenset({3, 4, 5}))
    assert len(comparable(study.trials(curves=True), study.on_the_way(), 3)[0]) == 1


def test_a_warm_start_leaves_out_what_was_altered(data, store):
    found = warm_start("mine", store, data, "error")
    altered = dw.open_study("mine", store).on_the_way().altered
    assert altered == {1, 12, 13, 14}
    rates = [one.values["learning_rate"] for one in found.observations]
    own = [t for t in dw.open_study("mine", store).trials() if t.number not in altered]
    assert rates == [t.spec["learning_rate"] for t in own]
