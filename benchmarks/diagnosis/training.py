"""Trains cases without diagnosing them: many networks on the same rows, side by side.

This is what plants are validated by and remedies are tried with. The networks, their starts and
their batches are those of a study with the same seed.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

import deepwell as dw
from deepwell.checking._arms import Arm, Bench, native_way
from deepwell.data._data import Data
from deepwell.diagnosis._metrics import METRICS
from deepwell.execution._members import architecture_of, member_of
from deepwell.networks._forward import predictions
from deepwell.records import TrialSpec
from deepwell.study._arrays import score_scale, training_rows
from deepwell.training._state import best_parameters

from .case import Case, Rows

_SIDE_BY_SIDE = 256  # networks
METRIC = {"classification": "error", "regression": "rmse"}


@dataclass(frozen=True)
class Outcome:
    """What became of a case: scores of the network that its dev rows chose, lower is better.

    Attributes:
        dev: best dev score, as the user sees it.
        deployed: score on rows of the world.
    """

    dev: float
    deployed: float

    def harm(self, harms: str) -> float:
        """Return what a fault makes worse: the score itself, or how far the dev score is off."""
        return self.deployed if harms == "score" else abs(self.dev - self.deployed)


def table(rows: Rows) -> dict[str, np.ndarray]:
    """Return rows as named columns, as a user has them."""
    return {**{f"x{n}": rows.x[:, n] for n in range(rows.x.shape[1])}, "y": rows.y}


def loaded(case: Case) -> Data:
    """Return the data of a case as `deepwell.load` reads them.

    Raises:
        UsageError: where Deepwell refuses them.
    """
    return dw.load(
        table(case.train),
        target="y",
        task=case.kind,
        dev=table(case.dev),
        test=0,
        vault=None,
        name=case.task,
        **case.options,
    )


def configurations(case: Case, seed: int) -> list[dict[str, object]]:
    """Return the settings of the networks that the user trains: drawn where a list is searched."""
    generator = np.random.default_rng([seed, 7])
    settings = []
    for _ in range(case.trials):
        drawn = {
            name: value[generator.integers(len(value))] if isinstance(value, list) else value
            for name, value in case.settings.items()
        }
        settings.append(drawn)
    return settings


def outcomes(cases: Sequence[Case], seed: int) -> list[Outcome]:
    """Return what became of cases of one seed; those with the same rows are trained together."""
    found: dict[int, Outcome] = {}
    by_rows: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for place, case in enumerate(cases):
        parts = (case.train, case.dev, case.deployed, case.train.x)
        options = hash(repr(sorted(case.options.items())))
        by_rows[(*map(id, parts), options)].append(place)
    for places in by_rows.values():
        found |= _together({p: cases[p] for p in places}, seed)
    return [found[place] for place in range(len(cases))]


def work(case: Case, seed: int) -> float:
    """Return what training the networks of a case takes, in multiply-adds of the native program."""
    data = loaded(case)
    rows, task = training_rows(data), data.task
    shape = (rows.x_train.shape[1], task.outputs, task.loss)
    specs = [TrialSpec(values, seed + n) for n, values in enumerate(configurations(case, seed))]
    total = 0.0
    for batch in sorted({spec.whole("batch_size") for spec in specs}):
        way = native_way(rows, task.loss, task.outputs, METRIC[case.kind], batch, 0)
        bench, some = Bench([way]), [s for s in specs if s.whole("batch_size") == batch]
        total += sum(bench.work(member_of(s, *shape)) * s.whole("epochs") for s in some)
    return total


def _together(cases: Mapping[int, Case], seed: int) -> dict[int, Outcome]:
    one = next(iter(cases.values()))
    data = loaded(one)
    rows, task, metric = training_rows(data), data.task, METRIC[one.kind]
    shape = (rows.x_train.shape[1], task.outputs, task.loss)
    deployed = _Deployed(data, one)
    specs = [
        (place, TrialSpec(settings, seed + trial))
        for place, case in cases.items()
        for trial, settings in enumerate(configurations(case, seed))
    ]
    best: dict[int, tuple[float, Outcome]] = {}

    def training(item: tuple[int, TrialSpec]) -> tuple[int, int]:
        return item[1].whole("batch_size"), item[1].whole("epochs")

    for (batch, epochs), group in itertools.groupby(sorted(specs, key=training), training):
        bench = Bench([native_way(rows, task.loss, task.outputs, metric, batch, 0)])
        networks = list(group)
        for first in range(0, len(networks), _SIDE_BY_SIDE):
            chosen = networks[first : first + _SIDE_BY_SIDE]
            arms = bench.train([member_of(spec, *shape) for _, spec in chosen], epochs)
            for (place, spec), arm in zip(chosen, arms, strict=True):
                dev = _best(arm) * score_scale(data, metric)
                if place not in best or dev < best[place][0]:
                    best[place] = (dev, deployed.outcome(spec, arm, dev))
    return {place: outcome for place, (_, outcome) in best.items()}


def _best(arm: Arm) -> float:
    finite = arm.dev_score[np.isfinite(arm.dev_score)]
    return float(finite.min()) if len(finite) else float("inf")


def deployed_score(case: Case, data: Data, said: Callable[[object], np.ndarray]) -> float:
    """Return the score on deployed rows of what says probabilities, or values, of a table."""
    deployed = table(case.deployed)
    del deployed["y"]
    return _score(case, data, said(deployed))


def constant_score(case: Case) -> float:
    """Return the score of the best constant guess on deployed rows."""
    y = case.deployed.y
    if case.kind == "regression":
        return float(y.std())
    return 1 - float(np.bincount(y).max() / len(y))


def _score(case: Case, data: Data, said: np.ndarray) -> float:
    """Return the score of predictions on deployed rows; a class that no train row had is missed."""
    y = case.deployed.y
    if said.ndim == 2:
        classes = np.array([int(c) for c in data.task.classes])
        return float((classes[said.argmax(axis=1)] != y).mean())
    return float(METRICS[METRIC[case.kind]].loss(y, said, np.ones(len(y))))


class _Deployed:
    """Rows of the world as a network of these data reads them."""

    def __init__(self, data: Data, case: Case) -> None:
        import polars as pl

        frame = pl.DataFrame(table(case.deployed))
        self._data, self._case = data, case
        self._x = data.table_encoder.transform(frame.drop("y"))

    def outcome(self, spec: TrialSpec, arm: Arm, dev: float) -> Outcome:
        constant = _score(self._case, self._data, self._constant())
        if not np.isfinite(dev):
            return Outcome(constant, constant)
        task = self._data.task
        architecture = architecture_of(spec, self._x.shape[1], task.outputs, task.loss)
        said = predictions(architecture, best_parameters(arm.state), self._x)
        if task.kind == "regression":
            said = self._data.target_encoder.original(said)
        score = _score(self._case, self._data, said)
        return Outcome(dev, score if np.isfinite(score) else constant)

    def _constant(self) -> np.ndarray:
        rows, y = len(self._case.deployed), self._case.train.y
        if self._case.kind == "regression":
            return np.full(rows, y.mean())
        said = np.zeros((rows, len(self._data.task.classes)))
        labels, counts = np.unique(y, return_counts=True)
        place = self._data.task.classes.index(str(labels[counts.argmax()]))
        said[:, place] = 1.0
        return said
