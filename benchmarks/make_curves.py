"""The curve table of B5: errors and dev cost by epoch of many networks of our own.

    python -m benchmarks.make_curves [--tasks digits,fashion] [--networks 1500]

Each table is a file in `build/table`, made in a minute or a few. On it samplers, schedulers and
rungs are replayed in seconds (`benchmarks.replay`, `.settled`, `.rungs`), with the same networks
for all.
Test errors are those of rows that nothing else sees; the sealed test rows of studies play no part.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._planner import Shape
from deepwell.records import TrialSpec
from deepwell.search.spaces._parse import parse_entry
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.study._proposals import propose
from deepwell.study._settings import Settings
from deepwell.training._program import TrainingRows

from .diagnosis import tasks as base
from .diagnosis.task import Task
from .learning_curves import cancer, digits, fashion
from .tools import ROOT

FOLDER = ROOT / "build" / "table"
ERRORS = ("train", "dev", "test")
USUAL = ("digits", "fashion")
"""The tasks that are replayed where none is named."""

_TOGETHER = 64  # networks in one call, of which the native program keeps what they said
SPACE = (
    "learning_rate=log(1e-4,1)",
    "momentum=one_minus_log(0.5,0.99)",
    "l2=log(1e-6,1e-1)",
    "dropout=uniform(0,0.6)",
    "hidden_units=integer(4,128)",
    "hidden_layers=integer(1,3)",
    "batch_size=choice(16,32,64)",
    "activation=choice(relu,tanh)",
)


@dataclass(frozen=True)
class Drawn:
    """A task of the table: rows of each part, and for how long networks are trained on it."""

    rows: Callable[[], tuple[np.ndarray, np.ndarray]]
    train: int
    dev: int
    test: int
    epochs: int


def _simulated(task: Task, rows: int) -> Callable[[], tuple[np.ndarray, np.ndarray]]:
    """Return what draws so many rows of a simulated task, the same ones each time."""

    def draw() -> tuple[np.ndarray, np.ndarray]:
        drawn = task.draw(np.random.default_rng(3), rows)
        return np.asarray(drawn.x, np.float64), np.asarray(drawn.y)

    return draw


TASKS = {
    "digits": Drawn(digits, 500, 300, 997, 50),
    "fashion": Drawn(fashion, 1_000, 500, 4_000, 40),
    "cancer": Drawn(cancer, 200, 150, 219, 30),
    "gauss": Drawn(_simulated(base.GAUSS, 4_000), 300, 200, 3_500, 30),
    "spiral": Drawn(_simulated(base.SPIRAL, 4_000), 500, 300, 3_200, 60),
    "rare": Drawn(_simulated(base.RARE, 5_000), 1_500, 700, 2_800, 30),
}


def searched(name: str, epochs: int = 0) -> Space:
    """Return what a table's networks are drawn from.

    Args:
        name: of the task.
        epochs: of every network, those of the task where it is 0.
    """
    fixed = {"epochs": epochs or TASKS[name].epochs, "patience": 0, "optimizer": "momentum"}
    return with_fixed(Space(dict(parse_entry(text) for text in SPACE)), fixed)


def make(name: str, networks: int, epochs: int = 0) -> dict[str, np.ndarray]:
    """Return a table: specifications (N,) as JSON, (N, epochs) float32 errors and dev costs."""
    task = TASKS[name]
    epochs = epochs or task.epochs
    rows, parts = _rows(task)
    settings = Settings(searched(name, epochs), "random", "none", 1, "error")
    specs = propose(settings, [], networks, population=0)
    classes = int(rows.y_dev.max()) + 1
    shape = Shape(task.train, len(rows.y_dev), rows.x_train.shape[1], classes, "softmax", "error")
    told = {what: np.full((networks, epochs), np.nan, np.float32) for what in (*ERRORS, "cost")}
    with contextlib.closing(LocalEngine(rows, shape, choose_backend("native"))) as engine:
        engine.prepare(specs, engine.plan(specs, epochs))
        for first in range(0, networks, _TOGETHER):
            some = sorted(specs)[first : first + _TOGETHER]
            for chunk in engine.train(some, epochs, lambda: False):
                known = np.isfinite(chunk.metrics["dev_score"])
                told["cost"][chunk.trials[known], chunk.epoch - 1] = chunk.metrics["dev_cost"][
                    known
                ]
                for number in chunk.trials[known].tolist():
                    wrong = _said(engine, number).argmax(axis=1) != rows.y_dev
                    for part in ERRORS:
                        told[part][number, chunk.epoch - 1] = wrong[parts[part]].mean()
    texts = np.array([specs[n].to_json() for n in sorted(specs)])
    return {"specs": texts, **told}


def _said(engine: LocalEngine, number: int) -> np.ndarray:
    said = engine.said(number)
    if said is None:
        raise RuntimeError(f"what network {number} said of the scored rows was not kept")
    return said


def load(name: str, networks: int, epochs: int = 0) -> dict[str, np.ndarray]:
    """Return a table, made first where it is not there or has another size.

    Args:
        name: of the task.
        networks: in it.
        epochs: of every network, those of the task where it is 0.
    """
    file = FOLDER / (f"{name}-{epochs}.npz" if epochs else f"{name}.npz")
    if file.exists():
        kept = dict(np.load(file))
        if len(kept["specs"]) == networks and "cost" in kept:
            return kept
    began = time.perf_counter()
    table = make(name, networks, epochs)
    FOLDER.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(file, **table)  # type: ignore[arg-type]
    took = time.perf_counter() - began
    print(f"{file.relative_to(ROOT)}: {networks:,} networks in {took:.0f} s", flush=True)
    return table


def specs_of(table: dict[str, np.ndarray]) -> list[TrialSpec]:
    """Return the specifications of a table's networks."""
    return [TrialSpec.from_json(str(text)) for text in table["specs"]]


def _rows(task: Drawn) -> tuple[TrainingRows, dict[str, slice]]:
    """Return rows for a program, which scores all parts but counts the dev rows alone."""
    x, y = task.rows()
    order = np.random.default_rng(5).permutation(len(y))[: task.train + task.dev + task.test]
    x, y = x[order].astype(np.float64), y[order].astype(np.int32)
    train = x[: task.train]
    spread = train.std(axis=0)
    z = ((x - train.mean(axis=0)) / np.where(spread > 0, spread, 1)).astype(np.float32)
    scored = np.concatenate([np.arange(len(y))[task.train :], np.arange(task.dev)])
    weight = np.zeros(len(scored), np.float32)
    weight[: task.dev] = 1.0
    parts = {
        "dev": slice(0, task.dev),
        "test": slice(task.dev, task.dev + task.test),
        "train": slice(task.dev + task.test, None),  # as many train rows as dev rows
    }
    ones = np.ones(task.train, np.float32)
    return TrainingRows(z[: task.train], y[: task.train], ones, z[scored], y[scored], weight), parts


def main() -> None:
    """Make the tables that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.make_curves", description=__doc__)
    parser.add_argument("--tasks", default=",".join(USUAL))
    parser.add_argument("--networks", type=int, default=1500)
    given = parser.parse_args()
    for name in given.tasks.split(","):
        table = load(name, given.networks)
        best = np.nanmin(table["dev"], axis=1)
        told = {
            "task": name,
            "networks": len(best),
            "dev": [round(float(q), 4) for q in np.nanquantile(best, [0, 0.1, 0.5])],
            "bytes": Path(FOLDER / f"{name}.npz").stat().st_size,
        }
        print(json.dumps(told))


if __name__ == "__main__":
    main()
