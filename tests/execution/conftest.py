"""One engine for all tests: its two programs are what takes the time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest

from deepwell.execution._jax_backend import JaxBackend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Plan, Shape
from deepwell.records import ChunkRecord, TrialSpec
from deepwell.training._jax_program import compiled_programs
from deepwell.training._program import TrainingRows

TRAIN, DEV, INPUTS, BATCH = 70, 40, 5, 16
SHAPE = Shape(TRAIN, DEV, INPUTS, 3, "softmax", "error")


@functools.cache
def rows() -> TrainingRows:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(TRAIN + DEV, INPUTS)).astype(np.float32)
    y = np.digitize(x[:, 0] * x[:, 1] + np.sin(x[:, 2]), [-0.4, 0.4]).astype(np.int32)
    w = rng.uniform(0.5, 1.5, TRAIN + DEV).astype(np.float32)
    return TrainingRows(x[:TRAIN], y[:TRAIN], w[:TRAIN], x[TRAIN:], y[TRAIN:], w[TRAIN:])


def spec(units: int, activation: str, seed: int, **changes: object) -> TrialSpec:
    order_seed = int(changes.pop("order_seed", 1))  # type: ignore[call-overload]
    values = {
        "hidden_units": [units],
        "activation": activation,
        "optimizer": "sgd",
        "learning_rate": 0.2,
        "batch_size": BATCH,
        "epochs": 50,
        "patience": 0,
        "dropout": 0.1,
        **changes,
    }
    return TrialSpec(values, seed=seed, order_seed=order_seed)


@functools.cache
def six_trials() -> dict[int, TrialSpec]:
    """Return six trials of two structures, numbered as a later round of a study would."""
    return {
        20: spec(5, "relu", 0),
        21: spec(8, "relu", 1, learning_rate=0.05, l2=0.01),
        22: spec(7, "relu", 2, order_seed=9),
        23: spec(6, "tanh", 3),
        24: spec(8, "tanh", 4, dropout=0.0),
        25: spec(5, "tanh", 5, decay="inverse_time", decay_rate=0.3),
    }


class Prepared:
    """An engine whose programs are compiled; each test starts it with no states."""

    def __init__(self) -> None:
        backend = JaxBackend()
        self.engine = LocalEngine(rows(), SHAPE, backend)
        # Short calls of two steps, so that an epoch has three and can be stopped inside.
        machine = backend.machine
        row = 3 * (INPUTS * 8 + 8 * 3) - INPUTS * 8
        step = machine.lanes * BATCH * row * machine.devices / machine.multiply_adds
        backend.machine = replace(machine, chunk_seconds=2.5 * step)
        before = compiled_programs()
        self.plan: Plan = self.engine.plan(six_trials(), 10)
        self.compiled_while_planning = compiled_programs() - before
        self.engine.prepare(six_trials(), self.plan)

    def train(
        self,
        numbers: Sequence[int],
        until: int,
        stop: Callable[[], bool] = lambda: False,
    ) -> list[ChunkRecord]:
        return list(self.engine.train(numbers, until, stop))

    def weights(self, *numbers: int) -> dict[tuple[int, str], bytes]:
        return {
            (n, name): array.tobytes()
            for n in numbers
            for name, array in self.engine.best_parameters(n).items()
        }


@pytest.fixture(scope="session")
def prepared_once() -> Iterator[Prepared]:
    prepared = Prepared()
    yield prepared
    prepared.engine.close()


@pytest.fixture
def prepared(prepared_once: Prepared) -> Prepared:
    prepared_once.engine.forget([])
    return prepared_once


@pytest.fixture
def make_spec() -> Callable[..., TrialSpec]:
    return spec


@pytest.fixture
def trials() -> dict[int, TrialSpec]:
    return six_trials()


@pytest.fixture
def data() -> TrainingRows:
    return rows()
