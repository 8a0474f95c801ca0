"""How often `--until-settled` ends a search, after how many networks, and what is lost by it.

    python -m benchmarks.settled [--tasks digits,fashion] [--studies 200] [--trials 256]

Each study draws other networks of the curve table, as random search does, and trains them in the
rounds of `fit --until-settled`, by successive halving. Between two rounds it asks what `fit` asks;
after the answer that no more is expected it goes on, so that what was not worth waiting for is
known: dev and test error of the best network then against those at the end of the full search.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from deepwell.diagnosis import METRICS
from deepwell.diagnosis._intervals import estimate
from deepwell.records import Status, Trial
from deepwell.search._stopping import paying
from deepwell.search.schedulers import SCHEDULERS
from deepwell.study._comparable import comparable
from deepwell.study._on_the_way import OnTheWay
from deepwell.study._round_sizes import round_sizes
from deepwell.study._settled import NORMAL, ROUND

from . import make_curves
from .replay import Table, best_of, climb, table_of


@dataclass(frozen=True)
class Ended:
    """Where a search ended, and where it would have come to.

    Attributes:
        networks: that were trained before the answer that no more is expected; all where it never
            came.
        epochs: of them, as a share of those of the full search.
        dev, test: error of the best network then.
        full_dev, full_test: the same at the end of the full search.
        early: whether the answer came.
    """

    networks: int
    epochs: float
    dev: float
    test: float
    full_dev: float
    full_test: float
    early: bool


def study(table: Table, trials: int, seed: int, dev_rows: int) -> Ended:
    """Return where a search of random networks ends, and what the full one comes to.

    Args:
        table: the networks that there are; none is drawn twice.
        trials: networks of the full search.
        seed: of the draw.
        dev_rows: by which the networks were scored.
    """
    drawn = np.random.default_rng(seed).permutation(len(table.specs))[:trials].tolist()
    sizes = round_sizes(trials, len(table.space.searched), learns=True)
    taken: dict[int, Trial] = {}  # network of the table -> trial
    spent, ended = 0, None
    for place, count in enumerate(sizes):
        first = len(taken)
        numbers = dict(enumerate(drawn[first : first + count], start=first))
        left: list[Trial] = []
        for cost, reached in climb(table, SCHEDULERS["halving"], numbers):
            spent += cost
            taken.update({numbers[t.number]: t for t in reached})
            left = reached
        over = {trial.number for trial in left}
        for number, network in numbers.items():
            taken[network] = _over(taken[network], at_its_end=number in over)
        if ended is None and place < len(sizes) - 1 and _settled(table, taken, sizes, dev_rows):
            ended = len(taken), spent, *best_of(table, taken)
    full = best_of(table, taken)
    networks, epochs, dev, test = ended or (trials, spent, *full)
    return Ended(networks, epochs / spent, dev, test, *full, early=ended is not None)


def _over(trial: Trial, *, at_its_end: bool) -> Trial:
    if trial.status.over:
        return trial
    return replace(trial, status=Status.FINISHED if at_its_end else Status.PRUNED)


def _settled(table: Table, taken: dict[int, Trial], sizes: Sequence[int], dev_rows: int) -> bool:
    """Return whether `fit` would end now."""
    tried = comparable(list(taken.values()), OnTheWay(), 0)[0]
    wrong = round(best_of(table, taken)[0] * dev_rows)
    said = np.zeros((dev_rows, 2))
    said[np.arange(dev_rows), (np.arange(dev_rows) < wrong).astype(int)] = 1.0
    dev = estimate(METRICS["error"], np.zeros(dev_rows), said)
    spread = max(0.0, (dev.high - dev.low) / (2.0 * NORMAL))
    return paying(table.space, tried, spread, max(sizes[-1], ROUND), floor=0.0).pays is False


def summary(ends: Sequence[Ended]) -> dict[str, float]:
    """Return how often searches end early, where, and what that costs in points of error."""
    early = [one for one in ends if one.early]
    lost = {
        "dev": np.array([one.dev - one.full_dev for one in ends]),
        "test": np.array([one.test - one.full_test for one in ends]),
    }
    found = {
        "studies": float(len(ends)),
        "early": len(early) / len(ends),
        "networks, median": float(np.median([one.networks for one in ends])),
        "networks, 10 %": float(np.quantile([one.networks for one in ends], 0.1)),
        "epochs, mean": float(np.mean([one.epochs for one in ends])),
        "full dev": float(np.mean([one.full_dev for one in ends])),
        "full test": float(np.mean([one.full_test for one in ends])),
    }
    for part, points in lost.items():
        found[f"{part} lost"] = float(points.mean())
        found[f"{part} lost, error"] = float(points.std() / len(points) ** 0.5)
        found[f"{part} lost, 90 %"] = float(np.quantile(points, 0.9))
    return found


def main() -> None:
    """Replay the studies that the command line names, and print one line a task."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.settled", description=__doc__)
    parser.add_argument("--tasks", default=",".join(make_curves.USUAL))
    parser.add_argument("--networks", type=int, default=1500)
    parser.add_argument("--trials", type=int, default=256)
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--out")
    given = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    for name in given.tasks.split(","):
        table, began = table_of(name, given.networks), time.perf_counter()
        rows = make_curves.TASKS[name].dev
        ends = [study(table, given.trials, seed, rows) for seed in range(given.studies)]
        results[name] = summary(ends)
        told = {key: round(value, 5) for key, value in results[name].items()}
        print(name, json.dumps(told), f"({time.perf_counter() - began:.0f} s)", flush=True)
    if given.out:
        Path(given.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
