"""A study that is changed by hand while it trains, for the tests of such changes."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import deepwell as dw
from deepwell.storage import open_store
from deepwell.storage._requests import Requests
from deepwell.study._live import LiveStudy

SPACE = {
    "learning_rate": dw.log(1e-3, 1e-1),
    "optimizer": "momentum",
    "hidden_units": 6,
    "hidden_layers": 1,
    "batch_size": 16,
    "batch_norm": "before",
    "patience": 0,
}
Script = dict[int, Callable[[LiveStudy], object]]


def some_table() -> dict[str, np.ndarray]:
    """Return the columns that are trained on."""
    rng = np.random.default_rng(5)
    x = rng.normal(size=(120, 3)).round(3)
    y = np.where(x[:, 0] * x[:, 1] + 0.3 * rng.normal(size=120) > 0, "yes", "no")
    return {f"c{i}": x[:, i] for i in range(3)} | {"y": y}


class Hand(dw.Observer):
    """Asks at stated epochs, as another process would, without waiting for the answer."""

    def __init__(self, store: Path, script: Script) -> None:
        self._store, self._script, self._calls = store, dict(script), 0

    def on_progress(self, progress: Any) -> None:
        if progress.phase != "training" or progress.rung_ended:
            return
        self._calls += 1
        act = self._script.pop(self._calls, None)
        if act is not None:
            act(dw.open_live("mine", self._store, wait=0.0))


def run(data, store, script: Script, program=None, trials=4, epochs=12, **options):
    """Return a study that was changed by hand after stated calls of its observer."""
    options = {"scheduler": "none", **options}
    space, given = {**SPACE, **options.pop("space", {})}, options.pop("given", ())
    budget = options.pop("budget", None)
    study = dw.Study(
        data, space, name="mine", store=store, program=program, seed=2,
        observer=Hand(store, script), **options,
    )  # fmt: skip
    for values in given:
        study.enqueue(values)
    study.run(trials=trials, epochs=epochs, budget=budget)
    return study


def events(store: Path, *kinds: str) -> list[Any]:
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        return [event for kind in kinds for event in opened.events(record.id, kind)]


def left(store: Path) -> Any:
    """Return what a study left, to the bit, times apart."""
    with open_store(store, create=False) as opened:
        record = opened.study("mine")
        trials = opened.trials(record.id, curves=True)
        kinds = (
            *("nudge", "branch", "rollback", "race", "race_won", "stop_by_hand", "snapshot"),
            *("extend_by_hand", "finish", "prune", "promote"),
        )
        told = [[(e.trial, e.details) for e in opened.events(record.id, k)] for k in kinds]
        assert not opened.requests.waiting(record.id)
    curves = [{k: c.tobytes() for k, c in t.curves.items()} for t in trials]
    model = (store / "mine" / "model" / "model.safetensors").read_bytes()
    return [replace(t, curves={}) for t in trials], curves, told, model


BABYSAT: Script = {
    2: lambda live: live.nudge(1, learning_rate="x0.5", l2=1e-3),
    3: lambda live: live.snapshot(2),
    4: lambda live: live.nudge(1, learning_rate=0.07, momentum=0.5),
    6: lambda live: live.rollback(2, to=2, learning_rate="x0.5"),
    7: lambda live: live.fork(1, learning_rate=["x0.5", "x1", "x2"], epochs=2),
    8: lambda live: live.stop(0),
}
ACTS = len(BABYSAT) + 1  # the race ends by itself


@contextlib.contextmanager
def counting(patch: pytest.MonkeyPatch):
    """Give a list that gets whether each change by hand that is recorded was asked for."""
    kept, seen = Requests.carry_out, list[bool]()

    def carry_out(self, study_id, deed):
        seen.append(deed.request is not None)
        kept(self, study_id, deed)

    with patch.context() as inside:
        inside.setattr(Requests, "carry_out", carry_out)
        yield seen


def last_asked(seen: list[bool]) -> int:
    """Return the place, from 1, of the last change that was asked for: no one asks after it."""
    return len(seen) - seen[::-1].index(True)
