"""A user's own program with the rows that they give it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .program import (
    Program,
    adam,
    as_it_is,
    cross_entropy,
    he,
    momentum,
    relu_network,
    scores,
    squared,
    trained,
)
from .task import Task
from .tasks import DIGITS, GAUSS, SPIRAL, TEACHER
from .training import Outcome

SIZES = (384, 200, 800)  # train, dev, deployed rows


@dataclass(frozen=True, eq=False)
class ProgramCase:
    """A program, its rows and its rate.

    Attributes:
        task: whose rows they are.
        program: what the user wrote.
        rows: `x`, `y`, `x_dev`, `y_dev`, `x_deployed`, `y_deployed`; inputs as the program gets
            them.
        rate: learning rate.
        amount: of the fault in the program.
    """

    task: str
    program: Program
    rows: Mapping[str, np.ndarray]
    rate: float
    amount: float = 0.0

    def with_program(self, amount: float = 0.0, **parts: Any) -> ProgramCase:
        """Return the case with other parts of the program."""
        return replace(self, program=replace(self.program, **parts), amount=amount)

    def with_rows(self, **rows: np.ndarray) -> ProgramCase:
        """Return the case with other rows."""
        return replace(self, rows={**self.rows, **rows})


@dataclass(frozen=True)
class ProgramTask:
    """A base task for programs: rows of `task`, learnt by `update` at `rate`."""

    name: str
    task: Task
    update: Any
    rate: float
    hidden: tuple[int, ...] = (32, 32)
    epochs: int = 30

    def case(self, seed: int) -> ProgramCase:
        """Return the healthy case of a seed."""
        drawn = replace(self.task, sizes=SIZES).case(seed)
        mean, spread = drawn.train.x.mean(axis=0), drawn.train.x.std(axis=0)
        spread = np.where(spread > 0, spread, 1.0)
        rows: dict[str, np.ndarray] = {}
        for name, part in (("", drawn.train), ("_dev", drawn.dev), ("_deployed", drawn.deployed)):
            rows[f"x{name}"] = np.asarray((part.x - mean) / spread, np.float32)
            kind = np.int32 if drawn.kind == "classification" else np.float32
            rows[f"y{name}"] = np.asarray(part.y, kind)
        classes = drawn.kind == "classification"
        outputs = int(drawn.train.y.max()) + 1 if classes else 1
        program = Program(
            sizes=(rows["x"].shape[1], *self.hidden, outputs),
            kind=drawn.kind,
            init=he,
            forward=relu_network,
            loss=cross_entropy if classes else squared,
            update=self.update,
            augment=as_it_is,
            predict=relu_network,
            epochs=self.epochs,
            words=(
                ("activation", "relu"),
                ("optimizer", "adam" if self.update is adam else "sgd"),
                ("loss", "softmax" if classes else "squared"),
                ("output", "softmax" if classes else "squared"),
            ),
        )
        return ProgramCase(self.name, program, rows, self.rate)


PROGRAM_TASKS = {
    task.name: task
    for task in (
        ProgramTask("gauss program", GAUSS, momentum, 0.01),
        ProgramTask("spiral program", SPIRAL, adam, 0.005, epochs=60),
        ProgramTask("teacher program", TEACHER, adam, 0.02),
        ProgramTask("digits program", DIGITS, momentum, 0.01),
    )
}
"""Base tasks on which faults of programs are planted."""


def outcomes(cases: list[ProgramCase], seeds: list[int]) -> list[Outcome]:
    """Return what became of one case drawn with several seeds, trained side by side.

    Args:
        cases: of one program, seed by seed.
        seeds: of starts and orders.
    """
    one = cases[0]
    rows = {name: jnp.stack([c.rows[name] for c in cases]) for name in one.rows}
    keys = jnp.stack([jax.random.key(s) for s in seeds])
    best = jax.vmap(trained, in_axes=(None, 0, None, None, 0))(
        one.program, rows, one.rate, one.amount, keys
    )
    dev, deployed = _scored(one.program, best["best"], rows, keys, one.amount)
    if not one.program.keeps_best:
        dev = best["dev_score"][:, -1]
    return [
        Outcome(*(_finite(v, c) for v in pair))
        for *pair, c in zip(np.asarray(dev), np.asarray(deployed), cases, strict=True)
    ]


def _scored(
    program: Program, params: Any, rows: Any, keys: Any, amount: float
) -> tuple[np.ndarray, np.ndarray]:
    dev, deployed = (
        np.asarray(_scores(program.predict, program.kind, params, part, keys, amount))
        for part in ((rows["x_dev"], rows["y_dev"]), (rows["x_deployed"], rows["y_deployed"]))
    )
    return dev, deployed


@functools.partial(jax.jit, static_argnums=(0, 1))
def _scores(predict: Any, kind: str, params: Any, part: Any, keys: Any, amount: Any) -> jax.Array:
    def one(params: Any, x: Any, y: Any, key: Any) -> jax.Array:
        return scores(kind, predict(params, x, key, False, amount)[-1], y)

    return jax.vmap(one)(params, *part, keys)


def _finite(value: float, case: ProgramCase) -> float:
    """Return a score, or the constant guess's where it is not finite."""
    if np.isfinite(value):
        return float(value)
    return constant_score(case)


def constant_score(case: ProgramCase) -> float:
    """Return the score of the constant guess on deployed rows."""
    y, world = case.rows["y"], case.rows["y_deployed"]
    if case.program.kind == "regression":
        return float(np.sqrt(((world - y.mean()) ** 2).mean()))
    return float((world != np.bincount(y).argmax()).mean())
