"""A study watched from outside while another process trains it: reads the store, asks nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Event
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._desk import REFUSE
from ._live import is_paused, runner_of
from ._scene import scene_of, training
from .acts._race import WON
from .acts._registry import ACTS

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

POLL_SECONDS = 0.25
_SHARE = 0.1  # of the time, at most, that looking takes
_BY_HAND = (*sorted({act.event for act in ACTS.values()}), WON, REFUSE)


@dataclass(frozen=True)
class Sight:
    """What is seen of a study at one moment.

    Attributes:
        study: its name.
        status: `running`, `finished`, `stopped` or `failed`.
        runner: who runs it, in words; None when nobody does.
        paused: whether the run waits for a person.
        networks: that were proposed, copies among them; training: that have epochs before them.
        epoch, epochs: how far the furthest of these is, and how far they are to come; 0 for none.
        best: dev score of the best network in the metric's unit, None before there is one.
        best_trial: its number.
        metric: what `best` is called; percent: whether people read it as per cent.
        seconds: working time of all runs.
        acts: changes by hand since the last sight.
    """

    study: str
    status: str
    runner: str | None
    paused: bool
    networks: int
    training: int
    epoch: int
    epochs: int
    best: float | None
    best_trial: int | None
    metric: str
    percent: bool
    seconds: float
    acts: tuple[Event, ...]

    @property
    def over(self) -> bool:
        """Whether nothing is to be seen any more: the study has ended, or nobody runs it."""
        return self.runner is None


def follow(name: str, store: str | Path | None = None) -> Generator[Sight]:
    """Yield what is seen of a study whenever it has changed, until its run ends.

    The run is left alone, whatever the watcher does.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study.
    """
    with open_store(store, create=False) as opened:
        told, known, took = None, _by_hand(opened, opened.study(name)), 0.0
        seen = len(known)
        while True:
            record = opened.study(name)
            runner = runner_of(opened, record)
            paused = runner is not None and is_paused(opened, record)
            state = (record.seconds, record.status, runner, paused)
            if state != told:
                began = time.perf_counter()
                known = _by_hand(opened, record)
                sight = _seen(opened, record, (runner, paused), tuple(known[seen:]))
                told, seen, took = state, len(known), time.perf_counter() - began
                yield sight
                if sight.over:
                    return
            time.sleep(max(POLL_SECONDS, took / _SHARE))


def _by_hand(opened: Store, record: StudyRecord) -> list[Event]:
    found = [event for kind in _BY_HAND for event in opened.events(record.id, kind)]
    return sorted(found, key=lambda event: event.time)


def _seen(
    opened: Store,
    record: StudyRecord,
    run: tuple[str | None, bool],
    acts: tuple[Event, ...],
) -> Sight:
    scene = scene_of(opened, record)
    trains = [trial for trial in scene.trials.values() if training(trial)]
    best = next(iter(opened.best_trials(record.id)), None)
    scale, metric = record.config["score_scale"], METRICS[str(record.config["metric"])]
    assert isinstance(scale, int | float)
    score = None if best is None or not math.isfinite(best.score) else best.score * scale
    return Sight(
        study=scene.name,
        status=record.status,
        runner=run[0],
        paused=run[1],
        networks=len(scene.trials),
        training=len(trains),
        epoch=max((trial.epochs for trial in trains), default=0),
        epochs=max((trial.spec.whole("epochs") for trial in trains), default=0),
        best=score,
        best_trial=None if best is None else best.number,
        metric=metric.label,
        percent=metric.percent,
        seconds=record.seconds,
        acts=acts,
    )
