"""Brackets: who finished, who was cut short, and what is told on the way."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import deepwell as dw
from deepwell.records import Rung, Status, Trial, TrialSpec
from deepwell.search import SCHEDULERS
from deepwell.search.schedulers._across_folds import across_folds
from deepwell.study._bracket import _decide
from deepwell.study._budget import Clock
from deepwell.study._checkpoint import Position
from deepwell.study._history import Bracket
from deepwell.study._watch import Deciding

SMALL = {"hidden_layers": 1, "hidden_units": 8, "patience": 0}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    rng = np.random.default_rng(3)
    x = rng.normal(size=(90, 2)).round(3)
    columns = {"a": x[:, 0], "b": x[:, 1], "y": np.where(x[:, 0] > 0, "yes", "no")}
    return dw.load(columns, target="y", vault=tmp_path_factory.mktemp("vault"))


class Stopped(Clock):
    """A clock whose budget is used up once the epoch of a trial has been recorded."""

    epochs_left = 0

    def over(self):
        return self.budget is not None and Stopped.epochs_left <= 0


class Counting(dw.Observer):
    def __init__(self):
        self.told = []

    def on_progress(self, progress):
        self.told.append(progress)
        Stopped.epochs_left -= progress.phase == "training" and not progress.rung_ended


def stopped_after(epochs, monkeypatch):
    monkeypatch.setattr("deepwell.study._course.Clock", Stopped)
    Stopped.epochs_left = epochs


def test_a_trial_at_its_last_epoch_is_finished_even_when_the_clock_stops_the_others(
    data, tmp_path, monkeypatch
):
    stopped_after(3, monkeypatch)
    study = dw.Study(data, {"epochs": [2, 9], **SMALL}, store=tmp_path, scheduler="none",
                     program="jax", seed=2, observer=Counting())  # fmt: skip
    result = study.run(trials=2, budget=60)
    ends = {t.spec.whole("epochs"): t.status for t in study.history()}
    assert ends == {2: Status.FINISHED, 9: Status.INTERRUPTED}
    assert result.stopped == "the time budget was used up"


class Recorded:
    """A history of trials as they stand."""

    def __init__(self, trials):
        self.known = {trial.number: trial for trial in trials}

    def trials_of(self, numbers):
        return [self.known[n] for n in sorted(numbers)]

    def roots(self):
        return {}


@pytest.mark.parametrize("folds", [0, 2])
def test_a_network_that_stopped_early_keeps_its_rank_at_later_rungs(folds):
    """The best of 9 stopped before the first rung: it holds the one place that is left at the last.

    With folds so does a configuration both of whose networks stopped, and none of which one did.
    """
    each = folds or 1
    statuses = {0: Status.EARLY_STOPPED, 1: Status.RUNNING, 2: Status.RUNNING}
    trials = [
        Trial(
            number=each * n + fold,
            spec=TrialSpec({"epochs": 45}, 0, fold=fold + 1 if folds else 0, folds=folds),
            status=statuses.get(n, Status.PRUNED if fold == 0 else Status.EARLY_STOPPED),
            epochs=15,
            best_epoch=1,
            score=0.1 + 0.01 * n,
            cost=0.1 + 0.01 * n,
        )
        for n in range(9)
        for fold in range(each)
    ]
    rungs = (Rung(5, 9 * each), Rung(15, 3 * each), Rung(45, each))
    bracket = Bracket(0, {t.number: t.spec for t in trials}, rungs)
    watch = SimpleNamespace(
        desk=SimpleNamespace(asked=SimpleNamespace(settings=SimpleNamespace(space=dw.Space({}))))
    )
    halving = across_folds(SCHEDULERS["halving"], folds) if folds else SCHEDULERS["halving"]
    here = Position(0, 1, tuple(range(each, 3 * each)))
    decided = _decide(bracket, here, Deciding(halving, 0), Recorded(trials), watch)
    assert decided.promote == ()
    assert decided.prune == tuple(range(each, 3 * each))
    first = [replace(t, status=Status.PRUNED) if t.number < each else t for t in trials]
    decided = _decide(bracket, here, Deciding(halving, 0), Recorded(first), watch)
    assert decided.promote == tuple(range(each, 2 * each))


def test_a_plan_that_was_carried_out_was_not_stopped_by_the_clock(data, tmp_path, monkeypatch):
    stopped_after(4, monkeypatch)
    study = dw.Study(data, {"epochs": 4, **SMALL}, store=tmp_path, observer=Counting())
    result = study.run(trials=2, budget=60)
    assert {t.status for t in study.history()} == {Status.FINISHED}
    assert result.stopped == ""


def test_a_budget_that_ends_before_any_score_says_so(data, tmp_path):
    for trials in (None, 2):
        with pytest.raises(dw.StudyError, match="budget was used up before any network was scored"):
            dw.Study(data, SMALL, store=tmp_path).run(trials=trials, budget=1e-6)


def test_the_best_score_told_never_gets_worse_from_round_to_round(data, tmp_path, monkeypatch):
    counts = iter([8, 8, 0])
    for module in ("_rounds", "_course"):
        monkeypatch.setattr(f"deepwell.study.{module}.round_size", lambda *_: next(counts))
    heard = Counting()
    study = dw.Study(data, SMALL, store=tmp_path, observer=heard, scheduler="none")
    study.run(epochs=3, budget=60)
    assert len(study.history()) == 16
    best = [p.best for p in heard.told if p.best is not None]
    assert best == sorted(best, reverse=True)
    assert heard.told[-1].rung_ended
    second = next(i for i, p in enumerate(heard.told) if p.rung_ended) + 1
    assert heard.told[second].best == heard.told[second - 1].best


def test_networks_that_diverge_in_their_first_epoch_were_trained_and_are_not_alive(data, tmp_path):
    counting = Counting()
    fixed = {**SMALL, "learning_rate": [1e-3, 1e30], "optimizer": "sgd"}
    space = {name: value for name, value in fixed.items() if name != "learning_rate"}
    study = dw.Study(
        data, {"learning_rate": [1e-3, 1e30]}, fixed=space, store=tmp_path, observer=counting
    )
    result = study.run(trials=2, epochs=3)
    ends = {t.spec.number("learning_rate"): t for t in study.history()}
    assert ends[1e30].status is Status.DIVERGED
    assert result.networks == 2
    assert result.statuses == {"finished": 1, "diverged": 1}
    assert counting.told[-1].alive == 1


def test_networks_that_a_stop_came_before_are_not_trained(data, tmp_path, monkeypatch):
    stopped_after(1, monkeypatch)
    fixed = {**SMALL, "epochs": 4}
    sizes = {"batch_size": [8, 16]}  # two programs, one after the other
    study = dw.Study(data, sizes, fixed=fixed, store=tmp_path, observer=Counting())
    result = study.run(trials=2, budget=60)
    assert result.networks == 1
    assert result.statuses == {"interrupted": 1, "not_trained": 1}
