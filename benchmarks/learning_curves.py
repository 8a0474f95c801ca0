"""Do learning curves foretell? Half of the rows foretell the error of twice as many, many times.

    python -m benchmarks.learning_curves [--tasks digits,friedman] [--trials 20] [--runs 8]

A trial draws n train rows and some dev rows of a task, fits one network by `dw.Study` and asks its
`learning_curve()` for the score with 2 n rows. What networks of the same configuration reach with
2 n rows is measured: the mean over 40 draws of 2 n train rows and as many dev rows, best epoch of
each, as the curve's scores are. The intervals should hold it in 95 of 100 trials. The measured mean
has an error of its own, which is printed beside it and lowers the share that can be held.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import deepwell as dw
from deepwell.lab._population import Task, train

FASHION = Path("/usr/share/datasets/fashion-mnist")
TRUTHS = 40  # draws that the true score is the mean of


@dataclass(frozen=True)
class Case:
    """A task: its rows, and what a trial has of them."""

    rows: Callable[[], tuple[np.ndarray, np.ndarray]]
    classes: int
    train: int
    dev: int
    fixed: dict[str, Any]
    epochs: int


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's digits."""
    from sklearn.datasets import load_digits

    return load_digits(return_X_y=True)


def cancer() -> tuple[np.ndarray, np.ndarray]:
    """Return scikit-learn's breast cancer."""
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(return_X_y=True)


def mixture() -> tuple[np.ndarray, np.ndarray]:
    """Return four clouds of 6 dimensions that overlap."""
    random = np.random.default_rng(1)
    y = random.integers(0, 4, 20_000)
    centers = random.normal(size=(4, 6)) * 1.1
    return centers[y] + random.normal(size=(20_000, 6)), y


def floor() -> tuple[np.ndarray, np.ndarray]:
    """Return a plane's two sides with 20 % of the labels wrong: nothing below 20 % is possible."""
    random = np.random.default_rng(2)
    x = random.normal(size=(20_000, 3))
    y = (x @ np.array([2.0, -1.0, 1.0]) > 0) ^ (random.random(20_000) < 0.2)
    return x, y.astype(int)


def friedman() -> tuple[np.ndarray, np.ndarray]:
    """Return Friedman's first regression, 10 inputs of which 5 count, noise 1."""
    from sklearn.datasets import make_friedman1

    return make_friedman1(20_000, noise=1.0, random_state=3)


def fashion() -> tuple[np.ndarray, np.ndarray]:
    """Return 20,000 rows of Fashion-MNIST as 14 x 14 means of pixels."""
    with gzip.open(FASHION / "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 14, 2, 14, 2)
    with gzip.open(FASHION / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read(), np.uint8, offset=8)
    return images[:20_000].mean(axis=(2, 4)).reshape(20_000, -1), labels[:20_000].astype(int)


NET: dict[str, Any] = {
    "hidden_layers": 1,
    "hidden_units": 32,
    "batch_size": 32,
    "learning_rate": 0.003,
    "patience": 0,
}
CASES = {
    "digits": Case(digits, 10, 400, 300, NET, 30),
    "cancer": Case(cancer, 2, 150, 150, NET, 20),
    "mixture": Case(mixture, 4, 500, 500, NET, 20),
    "floor": Case(floor, 2, 1_000, 500, NET, 15),
    "friedman": Case(friedman, 0, 400, 400, {**NET, "hidden_units": 64}, 60),
    "fashion": Case(fashion, 10, 1_000, 1_000, NET, 20),
}


def truth(case: Case, x: np.ndarray, y: np.ndarray, rows: int) -> tuple[float, float]:
    """Return the mean score of networks trained on so many rows, and its standard error."""
    scores = []
    for draw in range(TRUTHS):
        order = np.random.default_rng([7, draw]).permutation(len(y))
        here, dev = order[:rows], order[rows : rows + case.dev]
        mean, spread = x[here].mean(axis=0), x[here].std(axis=0)
        z = ((x - mean) / np.where(spread > 0, spread, 1)).astype(np.float32)
        target, unit = y, 1.0
        if not case.classes:
            unit = float(y[here].std())
            target = ((y - y[here].mean()) / unit).astype(np.float32)
        kind = np.int32 if case.classes else np.float32
        task = Task(
            z[here], target[here].astype(kind), z[dev], target[dev].astype(kind), case.classes
        )
        steps = -(-case.train // case.fixed["batch_size"]) * case.epochs
        epochs = max(1, round(steps / -(-rows // case.fixed["batch_size"])))
        [network] = train(task, [case.fixed], epochs, seed=draw)
        scores.append(unit * float(np.nanmin(network.dev_score)))
    return float(np.mean(scores)), float(np.std(scores, ddof=1) / TRUTHS**0.5)


def curve(case: Case, x: np.ndarray, y: np.ndarray, trial: int, runs: int) -> Any:
    """Return the learning curve of a network of a study of its own."""
    order = np.random.default_rng([11, trial]).permutation(len(y))
    here, dev = order[: case.train], order[case.train : case.train + case.dev]
    with tempfile.TemporaryDirectory() as folder:
        data = dw.load((x[here], y[here]), dev=(x[dev], y[dev]), test=0, vault=folder)
        study = dw.Study(data, fixed=case.fixed, store=folder, seed=trial, scheduler="none")
        study.run(trials=1, epochs=case.epochs)
        return study.learning_curve(runs=runs)


def main() -> None:
    """Print how often the intervals held what was measured."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", default=",".join(CASES))
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--runs", type=int, default=8)
    asked = parser.parse_args()
    for name in asked.tasks.split(","):
        case = CASES[name]
        if name == "fashion" and not FASHION.exists():
            print("fashion: not on this machine (Debian's dataset-fashion-mnist)")
            continue
        x, y = case.rows()
        (now, now_error), (then, error) = (truth(case, x, y, k * case.train) for k in (1, 2))
        found = [curve(case, x, y, trial, asked.runs) for trial in range(asked.trials)]
        told = [c for c in found if c.twice is not None]
        held = sum(c.twice.low <= then <= c.twice.high for c in told)
        gains = sum(c.gain.low <= now - then <= c.gain.high for c in told)
        print(
            f"{name}: {case.train} rows {now:.4f} (+- {now_error:.4f}), twice {then:.4f} "
            f"(+- {error:.4f}); foretold {np.median([c.twice.value for c in told]):.4f}; held "
            f"{held} of {len(told)}, the gain of {now - then:.4f} {gains}; refused "
            f"{len(found) - len(told)}: {sorted({c.refusal for c in found if c.refusal})}; width "
            f"{np.median([c.gain.high - c.gain.low for c in told]):.4f} gain "
            f"{np.median([c.gain.value for c in told]):.4f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
