"""Train a few networks side by side by the engine that trains studies, and keep all curves."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.execution._planner import Shape
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import predictions
from deepwell.records import TrialSpec
from deepwell.training._program import State, TrainingRows
from deepwell.training._state import best_parameters


@dataclass(frozen=True)
class Task:
    """Rows to train on and what is predicted.

    Attributes:
        x_train, y_train, x_dev, y_dev: rows (n, D) and targets (n,).
        classes: C, or 0 for numbers.
        image: height, width and channels of a row, where it is an image.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_dev: np.ndarray
    y_dev: np.ndarray
    classes: int
    image: tuple[int, ...] = ()

    def few(self, rows: int) -> Task:
        """Return the same with so many train rows."""
        return replace(self, x_train=self.x_train[:rows], y_train=self.y_train[:rows])

    def rows(self) -> TrainingRows:
        """Return the rows as programs take them, each with weight 1."""
        ones = [np.ones(len(y), np.float32) for y in (self.y_train, self.y_dev)]
        return TrainingRows(self.x_train, self.y_train, ones[0], self.x_dev, self.y_dev, ones[1])

    def shape(self) -> Shape:
        """Return the task as the planner sees it."""
        loss = {0: "squared", 2: "logistic"}.get(self.classes, "softmax")
        outputs = self.classes if self.classes > 2 else 1
        score = "error" if self.classes else "rmse"
        train, inputs = self.x_train.shape
        dev = len(self.x_dev)
        return Shape(train, dev, inputs, outputs, loss, score, image=self.image)


@dataclass(frozen=True)
class Network:
    """One trained network.

    Attributes:
        spec: its configuration.
        architecture: its shape.
        train_cost, dev_cost, dev_score: one number an epoch; NaN from where it diverged or
            stopped.
        last, best: parameters at the end, and at the best dev score.
        best_epoch: the epoch of the best dev score, counted from 1.
    """

    spec: TrialSpec
    architecture: Architecture
    train_cost: np.ndarray
    dev_cost: np.ndarray
    dev_score: np.ndarray
    last: Mapping[str, np.ndarray]
    best: Mapping[str, np.ndarray]
    best_epoch: int

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return what the last weights predict: probabilities (B, C) or values (B,)."""
        return predictions(self.architecture, self.last, x)

    def error(self, x: np.ndarray, y: np.ndarray) -> float:
        """Return the share of rows that the last weights put in the wrong class."""
        return float((self.predict(x).argmax(axis=1) != y).mean())


def train(
    task: Task, configurations: Sequence[Mapping[str, object]], epochs: int, seed: int = 0
) -> list[Network]:
    """Train one network a configuration and return them in that order.

    Args:
        task: what to learn.
        configurations: hyperparameters of each network; `seed` in one is its own seed.
        epochs: of every network; none stops early unless its configuration has a `patience`.
        seed: of weights and masks; all share the order of the batches.
    """
    specs = {i: _spec(c, epochs, seed) for i, c in enumerate(configurations)}
    shape = task.shape()
    curves = np.full((3, len(specs), epochs), np.nan)
    backend = choose_backend("jax" if task.image else None)
    with contextlib.closing(LocalEngine(task.rows(), shape, backend)) as engine:
        engine.prepare(specs, engine.plan(specs, epochs))
        for record in engine.train(list(specs), epochs, lambda: False):
            for row, name in enumerate(("train_cost", "dev_cost", "dev_score")):
                curves[row, record.trials, record.epoch - 1] = record.metrics[name]
        states = engine.states(list(specs))
        return [_network(spec, shape, curves[:, i], states[i]) for i, spec in specs.items()]


def _network(spec: TrialSpec, shape: Shape, curves: np.ndarray, state: State) -> Network:
    best = best_parameters(state)
    last = {name: state[name] for name in best}
    architecture = architecture_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)
    train_cost, dev_cost, dev_score = curves
    epoch = int(state["best_epoch"])
    return Network(spec, architecture, train_cost, dev_cost, dev_score, last, best, epoch)


def _spec(configuration: Mapping[str, object], epochs: int, seed: int) -> TrialSpec:
    values: dict[str, Any] = {"patience": 0, "epochs": epochs, **configuration}
    own = values.pop("seed", seed)
    return TrialSpec(values, seed=int(own))
