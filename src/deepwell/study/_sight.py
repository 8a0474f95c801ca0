"""What is seen of a study from outside at one moment."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Event
from deepwell.storage._study_record import StudyRecord

from ._paused import is_paused
from ._scene import scene_of
from ._standing import runner_of

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


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
        last: median dev score of the networks in the epoch that ended last, in the metric's unit;
            None where none has one.
        cost: median cost of the train rows in it, None likewise.
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
    last: float | None
    cost: float | None
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


def sight_of(opened: Store, record: StudyRecord, acts: tuple[Event, ...] = ()) -> Sight:
    """Return what is seen of a study now.

    Args:
        opened: the store.
        record: of the study.
        acts: changes by hand to tell with it.
    """
    runner = runner_of(opened, record)
    scene = scene_of(opened, record)
    trains = [trial for trial in scene.trials.values() if scene.trains(trial)]
    best = next(iter(opened.best_trials(record.id)), None)
    scale, metric = record.config["score_scale"], METRICS[str(record.config["metric"])]
    assert isinstance(scale, int | float)
    epoch = opened.last_epoch(record.id)
    last = _median(epoch.get("dev_score"))
    score = None if best is None or not math.isfinite(best.score) else best.score * scale
    return Sight(
        study=scene.name,
        status=record.status,
        runner=runner,
        paused=runner is not None and is_paused(opened, record),
        networks=len(scene.trials),
        training=len(trains),
        epoch=max((trial.epochs for trial in trains), default=0),
        epochs=max((trial.spec.whole("epochs") for trial in trains), default=0),
        last=None if last is None else last * scale,
        cost=_median(epoch.get("train_cost")),
        best=score,
        best_trial=None if best is None else best.number,
        metric=metric.label,
        percent=metric.percent,
        seconds=record.seconds,
        acts=acts,
    )


def _median(values: np.ndarray | None) -> float | None:
    finite = np.array([]) if values is None else values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None
