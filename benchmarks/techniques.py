"""What techniques cost: seconds of training with each, over plain descent without any.

    python -m benchmarks.techniques [--rounds 5]

The networks are B1's, in the native program, without dropout and penalties; each technique is
switched on for all of them. Rounds take the techniques in turn, so that a change of the machine's
speed meets all of them; a ratio is the median over the rounds.
"""

from __future__ import annotations

import argparse
import statistics
from dataclasses import replace
from pathlib import Path

from deepwell.records import TrialSpec

from .b1 import B1
from .ours.engine import train
from .tools import ROOT
from .workload import Workload, prepare

WORK = ROOT / "build" / "benchmarks" / "techniques"
PLAIN = "sgd"
MOST = 1.5  # times plain descent
NETWORKS, EPOCHS = 32, 10

# What is switched on, beside the optimizer.
TECHNIQUES: dict[str, dict[str, object]] = {
    PLAIN: {},
    "momentum": {"optimizer": "momentum"},
    "velocity": {"optimizer": "velocity"},
    "nesterov": {"optimizer": "nesterov"},
    "adagrad": {"optimizer": "adagrad"},
    "rmsprop": {"optimizer": "rmsprop"},
    "adam": {"optimizer": "adam"},
    "cosine and warm-up": {"decay": "cosine", "warmup_epochs": 2.0},
    "l2": {"l2": 1e-4},
    "l1": {"l1": 1e-4},
    "weight_decay": {"weight_decay": 1e-2},
    "max_norm": {"max_norm": 3.0},
    "clip_value": {"clip_value": 0.1},
    "clip_norm": {"clip_norm": 1.0},
    "gradient_noise": {"gradient_noise": 1e-4},
    "dropout": {"dropout": 0.2},
    "dropout of inputs": {"input_dropout": 0.1},
    "batch_norm before": {"batch_norm": "before"},
    "batch_norm after": {"batch_norm": "after"},
    "both": {"batch_norm": "before", "dropout": 0.2},
    "residual": {"residual": 1},
    "label_smoothing": {"label_smoothing": 0.1},
    "input_noise": {"input_noise": 0.1},
    "mixup": {"mixup": 0.2},
}


def with_technique(spec: TrialSpec, values: dict[str, object]) -> TrialSpec:
    """Return a configuration with nothing on but one technique."""
    off = {"optimizer": PLAIN, "learning_rate": 0.01, "dropout": 0.0, "l2": 0.0, "epochs": EPOCHS}
    given = {**spec.hyperparameters, **off, **values}
    return replace(spec, hyperparameters=given)


def seconds(workload: Workload, values: dict[str, object]) -> float:
    """Return the seconds of training all networks with a technique."""
    specs = workload.specs(NETWORKS)
    changed = {n: with_technique(spec, values) for n, spec in specs.items()}
    facts = train(changed, workload.rows, workload.shape, "native")["facts"]
    return float(facts["seconds"])


def ratios(folder: Path, rounds: int) -> dict[str, float]:
    """Return technique -> seconds over those of plain descent, median over the rounds."""
    workload = prepare(B1.cases[0], folder)
    seconds(workload, {})  # what is loaded and laid out once
    found: dict[str, list[float]] = {name: [] for name in TECHNIQUES}
    for _ in range(rounds):
        taken = {name: seconds(workload, values) for name, values in TECHNIQUES.items()}
        for name, time in taken.items():
            found[name].append(time / taken[PLAIN])
    return {name: statistics.median(values) for name, values in found.items()}


def main() -> int:
    """Print the table; 1 when a technique costs more than it may."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.techniques", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    found = ratios(WORK, parser.parse_args().rounds)
    print(f"{'technique':<20}  times plain descent")
    for name, ratio in found.items():
        print(f"{name:<20}  {ratio:.2f}{'  more than ' + str(MOST) if ratio > MOST else ''}")
    return int(any(ratio > MOST for ratio in found.values()))


if __name__ == "__main__":
    raise SystemExit(main())
