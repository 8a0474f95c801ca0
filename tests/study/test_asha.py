"""Studies in which networks come to rungs in waves: who trains, breaks, stops, any cores."""

import os

import numpy as np
import pytest
from tests.study.breaking import Counted, Failing, check_always

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell._native._core_module import available
from deepwell.records import Status
from deepwell.storage import open_store
from deepwell.study import _course

SPACE = {
    "learning_rate": dw.log(1e-4, 1e-1),
    "hidden_units": dw.integer(2, 7),
    "hidden_layers": 1,
    "batch_size": [16, 32],
    "patience": 12,
}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(5)
    x = rng.normal(size=(90, 3))
    y = np.where(x[:, 0] + 0.5 * rng.normal(size=90) > 0, "yes", "no")
    table = {f"c{i}": x[:, i] for i in range(3)} | {"y": y}
    return dw.load(table, target="y", vault=tmp_path_factory.mktemp("vault"))


def begin(data, store, observer=None, budget=None, program=None):
    study = dw.Study(
        data, SPACE, scheduler="asha", name="mine", store=store, observer=observer, program=program
    )
    return study, study.run(trials=80, epochs=45, budget=budget)


def left(store):
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        trials = [(t.spec, t.status, t.epochs, t.score) for t in opened.trials(record.id)]
        kinds = ("arrive", "promote", "pause", "prune", "finish")
        events = [[e.details for e in opened.events(record.id, kind)] for kind in kinds]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    return trials, events, model, dw.open_study("mine", store).result.statuses


@pytest.fixture(scope="module")
def whole(data, tmp_path_factory):
    store, heard = tmp_path_factory.mktemp("whole"), Failing()
    study, result = begin(data, store, heard)
    return study, result, store, heard


def test_waves_are_recorded_and_each_decision_follows_from_those_before(whole):
    study, result, store, _ = whole
    arrivals = left(store)[1][0]
    first = [a["trials"] for a in arrivals if a["rung"] == 0]
    assert [len(wave) for wave in first] == [32, 32, 16]
    assert sorted(n for wave in first for n in wave) == list(range(80))
    order = [a["rung"] for a in arrivals]
    assert order.index(1) < len(order) - 1 - order[::-1].index(0)  # promoted before all had come
    came = {rung: sum(len(a["trials"]) for a in arrivals if a["rung"] == rung) for rung in order}
    assert came[0] == 80
    assert 10 + 10 + 5 <= came[1] <= 40  # a third of each state of the rung, promoted early
    assert 1 <= came[2] <= came[1] // 3 + 3
    statuses = {t.status for t in study.history()}
    assert Status.PAUSED not in statuses
    assert all(status.over for status in statuses)
    assert result.statuses["pruned"] > 40


def test_progress_rises_to_the_end(whole):
    told = whole[3].told
    shares = [p.share for p in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert max(p.alive for p in told) <= 80


@pytest.mark.parametrize("often", [True, False])
@pytest.mark.parametrize("after", [7, 40, 90])
def test_a_break_anywhere_changes_nothing(after, often, data, whole, tmp_path, monkeypatch):
    if often:
        check_always(monkeypatch)
    with pytest.raises(RuntimeError, match="broken"):
        begin(data, tmp_path, Failing(after))
    dw.resume("mine", data, store=tmp_path)
    assert left(tmp_path) == left(whole[2])


def test_a_stop_half_way_is_gone_on_with(data, whole, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_course, "Clock", Counted)
        Counted.arm(100)
        _, result = begin(data, tmp_path, budget=1000)
    assert result.stopped == "the time budget was used up"
    assert {"interrupted", "not_trained"} & set(result.statuses)
    dw.resume("mine", data, store=tmp_path, budget=1000)
    assert left(tmp_path) == left(whole[2])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no choice of cores here")
@pytest.mark.skipif(not available(), reason="no compiled core here")
def test_one_core_and_many_give_the_same_study(data, whole, tmp_path):
    mine = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(mine)})
        begin(data, tmp_path)
    finally:
        os.sched_setaffinity(0, mine)
    assert left(tmp_path) == left(whole[2])


def test_folds_are_refused(data, tmp_path):
    with pytest.raises(UsageError, match="one a fold; leave out `folds`"):
        dw.Study(data, SPACE, scheduler="asha", folds=3, store=tmp_path)
