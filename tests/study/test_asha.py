"""Studies in which networks come to rungs in waves: who trains, breaks, stops, any cores."""

import os
from dataclasses import replace

import numpy as np
import pytest
from tests.study.breaking import Counted, Failing, check_always

import deepwell as dw
from deepwell._native._core_module import available
from deepwell.records import Rung, Status
from deepwell.search.schedulers._asha import WAVE
from deepwell.storage import Store, open_store
from deepwell.study import _checkpoint, _course
from deepwell.study._arrivals import Arrivals
from deepwell.study._history import History

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


class Reads:
    """What is read of a store: how many trials at a time, and how often with curves."""

    def __init__(self, monkeypatch):
        self.trials, self.curves = [], 0
        kept = Store.trials

        def watched(store, study, **asked):
            found = kept(store, study, **asked)
            self.trials.append(len(found))
            self.curves += asked.get("curves", False)
            return found

        monkeypatch.setattr(Store, "trials", watched)


def test_arrivals_hold_the_scores_at_their_rungs(whole):
    """So that nothing of those that wait is read again."""
    study, _, store, _ = whole
    curves = {t.number: t.curves["dev_score"] for t in study.history()}
    epochs = (5, 15, 45)
    for told in left(store)[1][0]:
        for number, score in zip(told["trials"], told["scores"], strict=True):
            assert score == float(curves[number][: epochs[told["rung"]]].min())


def test_what_has_no_score_beside_it_is_read_from_the_curves(whole, monkeypatch):
    """As the arrivals of copies by hand, and those of studies of an older Deepwell."""
    kept, rungs = Store.events, [Rung(epochs, 0) for epochs in (5, 15, 45)]

    def without_scores(store, study, kind=None):
        told = kept(store, study, kind)
        return [
            replace(e, details={k: v for k, v in e.details.items() if k != "scores"}) for e in told
        ]

    with open_store(whole[2], create=False) as opened:
        history = History(opened, opened.study("mine"))
        expected = Arrivals(history).so_far(0, rungs)
        assert len(expected[0]) == 80
        monkeypatch.setattr(Store, "events", without_scores)
        reads, arrivals = Reads(monkeypatch), Arrivals(history)
        assert arrivals.so_far(0, rungs) == expected
        read = len(reads.trials)
        assert arrivals.so_far(0, rungs) == expected
        assert len(reads.trials) == read  # once is enough


def test_a_wave_reads_itself_alone(data, tmp_path, monkeypatch):
    """The store is asked for all trials a few times a study, not once a wave."""
    for name in ("EVERY_SECONDS", "RUNG_SECONDS"):  # checkpoints, which follow the clock
        monkeypatch.setattr(_checkpoint, name, 1e9)
    reads, often = Reads(monkeypatch), []
    for trials in (70, 210):
        reads.trials.clear()
        reads.curves = 0
        study = dw.Study(data, SPACE, scheduler="asha", store=tmp_path, probe="none")
        study.run(trials=trials, epochs=15)
        often.append((sum(n > WAVE for n in reads.trials), reads.curves))
    (few, curves), (many, more) = often  # waves are 3 times as many, and each read all 4 times
    assert many <= few + 2
    assert curves == more == 0


def test_configurations_of_folds_come_to_rungs_together(data, tmp_path):
    study = dw.Study(data, SPACE, scheduler="asha", folds=3, name="folded", store=tmp_path)
    result = study.run(trials=24, epochs=15)
    assert result.networks == 72
    with open_store(tmp_path, create=False) as opened:
        record = opened.study("folded")
        told = [e.details for e in opened.events(record.id, "arrive")]
    assert [len(a["trials"]) for a in told if a["rung"] == 0] == [30, 30, 12]
    scores = [{}, {}]
    for one in told:
        scores[one["rung"]] |= dict(zip(one["trials"], one["scores"], strict=True))
    assert len(scores[0]) == 72
    came = {n // 3 for n in scores[1]}
    means = {c: sum(scores[0][3 * c + k] for k in range(3)) / 3 for c in range(24)}
    assert 8 <= len(came) <= 14
    assert set(sorted(means, key=lambda c: (means[c], c))[:4]) <= came
    ends = {t.number: t for t in study.history()}
    for c in range(24):
        trained = {ends[3 * c + k].epochs > 5 for k in range(3)}
        early = any(ends[3 * c + k].status is Status.EARLY_STOPPED for k in range(3))
        assert len(trained) == 1 or early
