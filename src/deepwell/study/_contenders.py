"""What the networks of a study said of the dev rows at the epochs that may be chosen.

The best networks, each at each epoch, are remembered with their raw outputs while they train, since
most of them are forgotten when others are promoted. Which are remembered depends on their scores
alone: without folds the best of all epochs together, with folds the best epochs of each network.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.data._rows import Rows
from deepwell.diagnosis._metrics import Metric
from deepwell.diagnosis._overtuning import Contest
from deepwell.diagnosis.metrics._tally import Tally, by_unit
from deepwell.execution._local import LocalEngine
from deepwell.networks._losses import LOSSES
from deepwell.records import ChunkRecord, Status, Trial
from deepwell.training._state import best_parameters

from ._evaluate import targets

MOST = 256  # networks at an epoch that are remembered without folds
EACH = 2  # epochs of a network that are remembered with folds
ROOM = 32 * 1024**2  # bytes of their raw outputs
MEMBERS = 24  # networks whose weights are kept, so that an ensemble can be made of them
WEIGHTS = 16 * 1024**2  # bytes of these
_WEIGHTS = "weights"
_GROUPS = 2_000  # of dev rows, which stand for single ones where there are more


@dataclass(frozen=True, order=True)
class Place:
    """A network at an epoch, in the order in which they are chosen."""

    score: float
    cost: float
    trial: int
    epoch: int


class Contenders:
    """Remembers what the best networks said while they train.

    Args:
        engine: that trains them.
        folds: of a cross-validated study, 0 without.
        room: bytes for raw outputs.
    """

    def __init__(self, engine: LocalEngine, folds: int = 0, room: int = ROOM) -> None:
        self._engine = engine
        self._folds = folds
        self._room = room
        self._said: dict[Place, np.ndarray] = {}
        self._best: list[Place] = []  # without folds, sorted
        self._of_trial: dict[int, list[Place]] = {}
        self._full = False
        self._weights: dict[Place, Mapping[str, np.ndarray]] = {}

    def see(self, chunk: ChunkRecord) -> None:
        """Take up an epoch; to be called before training goes on."""
        if self._full:
            return
        score = chunk.metrics["dev_score"].astype(np.float64)
        cost = chunk.metrics["dev_cost"].astype(np.float64)
        limit = self._best[-1].score if self._crowded() else math.inf
        near = np.flatnonzero(np.isfinite(score) & (score <= limit))
        for n in near.tolist():
            place = Place(float(score[n]), float(cost[n]), int(chunk.trials[n]), chunk.epoch)
            if self._wanted(place):
                said = self._engine.said(place.trial)
                if said is not None:
                    self._take(place, said)

    def keep(self, ended: Iterable[int]) -> None:
        """Keep the best weights of the best networks that train no further; none with folds.

        Args:
            ended: trials, in the epoch that was seen last.
        """
        if self._folds:
            return
        best = {place.trial: place for place in reversed(self._best)}
        places = [best[n] for n in ended if n in best]
        wanted = set(sorted([*self._weights, *places])[:MEMBERS])
        states = self._engine.states([p.trial for p in places if p in wanted])
        for place in places:
            if place in wanted and place.trial in states:
                self._weights[place] = best_parameters(states[place.trial])
        self._weights = {p: w for p, w in self._weights.items() if p in wanted}
        while sum(_bytes(w) for w in self._weights.values()) > WEIGHTS:
            del self._weights[max(self._weights)]

    def weights(self) -> Mapping[Place, Mapping[str, np.ndarray]]:
        """Return the weights that were kept, of networks whose outputs are remembered as well."""
        return {p: self._weights[p] for p in sorted(self._weights) if p in self._said}

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all that is remembered, to be kept beside a checkpoint; none where nothing is."""
        told = sorted(self._said)
        if not told:
            return {}
        numbers = np.array([[p.score, p.cost, p.trial, p.epoch] for p in told], np.float64)
        kept = {str(n): self._said[place] for n, place in enumerate(told)}
        places = {place: n for n, place in enumerate(told)}
        weights = {
            f"{_WEIGHTS}/{places[place]}/{name}": array
            for place, arrays in self.weights().items()
            for name, array in arrays.items()
        }
        return {"places": numbers, **kept, **weights}

    def restore(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take up what `arrays` returned, in this process or in another one."""
        for n, (score, cost, trial, epoch) in enumerate(arrays["places"].tolist()):
            place = Place(score, cost, int(trial), int(epoch))
            self._take(place, arrays[str(n)])
            start = f"{_WEIGHTS}/{n}/"
            mine = {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
            if mine:
                self._weights[place] = mine

    def places(self) -> Sequence[Place]:
        """Return who is remembered, best first."""
        return sorted(self._said)

    def said(self, place: Place) -> np.ndarray:
        """Return the raw outputs (k, outputs) of a network at an epoch."""
        return self._said[place]

    def _crowded(self) -> bool:
        return not self._folds and len(self._best) >= self._most()

    def _most(self) -> int:
        each = next(iter(self._said.values())).nbytes if self._said else 1
        return max(16, min(MOST, self._room // each))

    def _wanted(self, place: Place) -> bool:
        if self._folds:
            mine = self._of_trial.get(place.trial, [])
            return len(mine) < EACH or place < mine[-1]
        return not self._crowded() or place < self._best[-1]

    def _take(self, place: Place, said: np.ndarray) -> None:
        if place in self._said:
            return  # trained again after a lack of memory
        self._said[place] = np.ascontiguousarray(said)  # sums must not depend on its layout
        if self._folds:
            mine = self._of_trial.setdefault(place.trial, [])
            bisect.insort(mine, place)
            if len(mine) > EACH:
                del self._said[mine.pop()]
            if len(self._said) * said.nbytes > self._room:  # nobody may be left out, so nobody in
                self._said, self._full = {}, True
        else:
            bisect.insort(self._best, place)
            while len(self._best) > self._most():
                del self._said[self._best.pop()]


def contest(
    contenders: Contenders,
    data: Data,
    folds: Folds | None,
    metric: Metric,
    trials: Sequence[Trial],
    chosen: int,
) -> Contest | None:
    """Return the losses of all that competed on each group of dev rows, None where nobody is known.

    Args:
        contenders: who competed.
        data: of the study.
        folds: of a cross-validated study.
        metric: that they were chosen by.
        trials: all of the study; those that failed were not to be had.
        chosen: number of the trial that was chosen, the first of its configuration.
    """
    failed = {trial.number for trial in trials if trial.status is Status.FAILED}
    places = [place for place in contenders.places() if place.trial not in failed]
    if not places:
        return None
    parts = [data.dev] if folds is None else [held_out for _, held_out in folds.parts]
    grouped = [by_unit(part.weight, part.group, _GROUPS // len(parts)) for part in parts]
    starts = np.cumsum([0, *(tally.groups for tally in grouped)])
    groups = int(starts[-1])
    tallies = [
        Tally(tally.weight, tally.group + start, groups)
        for tally, start in zip(grouped, starts, strict=False)
    ]
    entries = [
        (
            place.trial // len(parts),
            place.trial % len(parts),
            *_tallied(data, parts[place.trial % len(parts)], contenders.said(place), metric, tally),
        )
        for place in places
        for tally in [tallies[place.trial % len(parts)]]
    ]
    networks, views, sums, costs = zip(*entries, strict=True)
    weight = np.sum([tally.total(np.ones(len(tally.weight))) for tally in tallies], axis=0)
    rows = sum(len(part) for part in parts)
    return Contest(
        metric,
        network=np.array(networks),
        view=np.array(views),
        sums=np.stack(sums),
        cost=np.stack(costs),
        weight=weight,
        home=np.repeat(np.arange(len(parts)), np.diff(starts)),
        rows=rows,
        alike=groups == rows and bool(np.ptp(weight) == 0),
        trials=len(trials) // len(parts),
        chosen=chosen // len(parts),
        units=None if data.dev.group is None else groups,
    )


def predicted(data: Data, said: np.ndarray) -> np.ndarray:
    """Return the predictions of raw outputs, in the target's own terms."""
    prediction = LOSSES[data.task.loss].predict(said, np)
    if data.task.kind == "classification":
        return prediction
    return data.target_encoder.original(prediction)


def _bytes(weights: Mapping[str, np.ndarray]) -> int:
    return sum(array.nbytes for array in weights.values())


def _tallied(
    data: Data, rows: Rows, said: np.ndarray, metric: Metric, tally: Tally
) -> tuple[np.ndarray, np.ndarray]:
    """Return the metric's sums (G, q) and those of the cost (G,) of raw outputs."""
    cost = LOSSES[data.task.loss].rows(said, rows.y, np).astype(np.float64)
    sums = metric.sums(targets(data, rows), predicted(data, said), tally)
    return sums, tally.total(cost)
