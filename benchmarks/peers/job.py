"""The one interface of all peers: a job comes in as a folder, an outcome goes out as a file.

A peer is a script with one function, `search(job) -> Outcome`, and ends with `serve(search)`. It
is started as its own process, `python PEER.py FOLDER`, so that start-up counts.
"""

from __future__ import annotations

import importlib.metadata
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Job:
    """Networks to be trained, the same for every tool.

    Attributes:
        folder: of the job; a tool may write there.
        configurations: `learning_rate, beta1, beta2, epsilon, dropout, l2` and `hidden`, the
            units of each layer; one a network.
        epochs, batch_size: of all networks; a short last batch is kept.
        outputs: C for softmax, 1 for logistic.
        loss: `softmax` or `logistic`.
        workers: cores to be used.
        seed: of weights, masks and order.
        x_train, y_train, x_dev, y_dev: float32 (n, D) and int64 (n,).
    """

    folder: Path
    configurations: Sequence[Mapping[str, Any]]
    epochs: int
    batch_size: int
    outputs: int
    loss: str
    workers: int
    seed: int
    x_train: np.ndarray
    y_train: np.ndarray
    x_dev: np.ndarray
    y_dev: np.ndarray

    @property
    def classes(self) -> int:
        """Classes of the target."""
        return max(2, self.outputs)


@dataclass(frozen=True)
class Outcome:
    """What came of a job.

    Attributes:
        scores: dev error of each network after its last epoch, in the job's order; 1 where the
            outputs are not finite.
        ended: `time.time()` when each network had its score, in any order.
        steady: networks and seconds without start-up and compiling, where `ended` does not tell
            them; see `steady_rate`.
        facts: anything else worth keeping.
    """

    scores: Sequence[float]
    ended: Sequence[float] = ()
    steady: tuple[float, float] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def read_job(folder: Path) -> Job:
    """Return the job in a folder."""
    plain = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    names = ("epochs", "batch_size", "outputs", "loss", "workers", "seed", "configurations")
    with np.load(folder / "data.npz", allow_pickle=False) as arrays:
        return Job(folder=folder, **{n: plain[n] for n in names}, **arrays)


def dev_error(predicted: np.ndarray, y: np.ndarray) -> float:
    """Return the share of dev rows that are told wrong."""
    return float(np.mean(predicted != y))


def error_of_outputs(outputs: np.ndarray, y: np.ndarray) -> float:
    """Return the dev error of raw outputs (n, C) or (n, 1), 1 where they are not finite."""
    if not np.isfinite(outputs).all():
        return 1.0
    told = outputs.argmax(1) if outputs.shape[1] > 1 else (outputs[:, 0] > 0).astype(np.int64)
    return dev_error(told, y)


def steady_rate(ended: Sequence[float], workers: int) -> float | None:
    """Return networks a second from the first wave of networks to the last one.

    The first wave (one network a worker, or all that end with the first one) carries start-up and
    is not counted.

    >>> steady_rate([10.0, 11.0, 12.0, 13.0], workers=2)
    1.0
    """
    stamps = sorted(ended)
    if not stamps:
        return None
    wave = max(workers, stamps.count(stamps[0]))
    if len(stamps) <= wave or stamps[-1] == stamps[wave - 1]:
        return None
    return (len(stamps) - wave) / (stamps[-1] - stamps[wave - 1])


def serve(search: Callable[[Job], Outcome], packages: Sequence[str]) -> None:
    """Run a search on the folder named on the command line and write its outcome there."""
    job = read_job(Path(sys.argv[1]).resolve())
    outcome = search(job)
    if len(outcome.scores) != len(job.configurations):
        raise RuntimeError(f"{len(outcome.scores)} scores for {len(job.configurations)} networks")
    plain = asdict(outcome)
    if outcome.steady is None:
        plain["steady_rate"] = steady_rate(outcome.ended, job.workers)
    else:
        networks, seconds = outcome.steady
        plain["steady_rate"] = networks / seconds
    plain["versions"] = {name: importlib.metadata.version(name) for name in packages}
    (job.folder / "outcome.json").write_text(json.dumps(plain), encoding="utf-8")
