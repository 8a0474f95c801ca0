"""One case made concrete: the file, our split's arrays, and the networks that our command draws."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from deepwell.data._data import Data
from deepwell.data._load import load
from deepwell.execution._planner import Shape
from deepwell.records import TrialSpec
from deepwell.search.spaces._parse import parse_entry
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.study._arrays import shape_of, training_rows
from deepwell.study._proposals import propose
from deepwell.study._settings import Settings
from deepwell.training._program import TrainingRows

from .benchmark import Case

METRIC = "error"
WORKERS = 2
NUMBERS = ("learning_rate", "beta1", "beta2", "epsilon", "dropout", "l2")


@dataclass(frozen=True)
class Workload:
    """A case with its data.

    Attributes:
        case: what it is.
        file: the table as a user has it.
        rows, shape: the same rows after our split and encoding, as programs get them.
    """

    case: Case
    file: Path
    rows: TrainingRows
    shape: Shape

    def specs(self, networks: int, seed: int = 0) -> dict[int, TrialSpec]:
        """Return the specifications that `deepwell fit` draws, trial number -> spec.

        The first ones are the same whatever `networks` is.
        """
        case = self.case
        searched = Space(dict(parse_entry(text) for text in case.space))
        fixed = {"epochs": case.epochs, "batch_size": case.batch_size, "patience": 0}
        settings = Settings(with_fixed(searched, fixed), "random", "none", seed, METRIC)
        return propose(settings, [], networks, population=0)

    def repeated(self, networks: int, seeds: int) -> dict[int, TrialSpec]:
        """Return the first configurations with several seeds each, seed by seed, first as drawn."""
        specs = self.specs(networks)
        return {
            seed * networks + n: spec
            for seed in range(seeds)
            for n, spec in self.reseeded(specs, seed).items()
        }

    def reseeded(self, specs: Mapping[int, TrialSpec], seed: int) -> dict[int, TrialSpec]:
        """Return the same configurations with other weights, masks and order."""
        shift = 1_000_003 * seed
        return {
            n: replace(spec, seed=spec.seed ^ shift, order_seed=spec.order_seed + seed)
            for n, spec in specs.items()
        }


def prepare(case: Case, folder: Path) -> Workload:
    """Write the case's table into a folder, split and encode it as `deepwell fit` does."""
    folder.mkdir(parents=True, exist_ok=True)
    file = case.table(folder)
    explicit: dict[str, Any] = {
        name: float(value) if name in ("dev", "test") else value
        for name, value in case.options.items()
    }
    data: Data = load(file, case.target, vault=None, **explicit)
    return Workload(case, file, training_rows(data), shape_of(data, METRIC))


def plain(spec: TrialSpec) -> dict[str, Any]:
    """Return a configuration as peers read it."""
    return {**{n: spec.number(n) for n in NUMBERS}, "hidden": list(spec.hidden_units)}


def write_job(folder: Path, workload: Workload, specs: Sequence[TrialSpec], seed: int) -> None:
    """Write what every tool is given: configurations, and the rows as float32 and int64."""
    rows, shape, case = workload.rows, workload.shape, workload.case
    folder.mkdir(parents=True)
    job = {
        "epochs": case.epochs,
        "batch_size": min(case.batch_size, shape.train_rows),
        "inputs": shape.inputs,
        "outputs": shape.outputs,
        "loss": shape.loss,
        "workers": WORKERS,
        "seed": seed,
        "configurations": [plain(spec) for spec in specs],
        "specs": [spec.to_json() for spec in specs],  # what our own engine reads
    }
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    np.savez(
        folder / "data.npz",
        x_train=np.asarray(rows.x_train, np.float32),
        y_train=np.asarray(rows.y_train, np.int64),
        x_dev=np.asarray(rows.x_dev, np.float32),
        y_dev=np.asarray(rows.y_dev, np.int64),
    )
