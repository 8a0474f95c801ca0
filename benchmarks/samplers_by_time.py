"""Samplers that `deepwell fit --budget` may use: dev and test scores on six tasks.

    python -m benchmarks.samplers_by_time --samplers random tpe --seconds 5 --seeds 5

Each search is `dw.Study` as users run it for some seconds, with its own split, sealed test rows of
40 % and the space that fits the data. The test set of each is opened once, after all of its
training.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn import datasets

import deepwell as dw

Rows = tuple[Any, Any]
_TEST = 0.4


def _spiral() -> Rows:
    generator = np.random.default_rng(0)
    turn = 3 * np.pi * np.sqrt(generator.random(600))
    arm = np.column_stack([turn * np.cos(turn), turn * np.sin(turn)])
    x = np.concatenate([arm, -arm]) + 0.6 * generator.normal(size=(1200, 2))
    return x, np.repeat([0, 1], 600)


def _gauss() -> Rows:
    generator = np.random.default_rng(0)
    y = generator.integers(0, 5, 1500)
    centers = generator.normal(size=(5, 20))
    return 0.7 * centers[y] + generator.normal(size=(1500, 20)), y


def _friedman() -> Rows:
    return datasets.make_friedman1(1200, n_features=10, noise=1.0, random_state=0)


def _loaded(load: Callable[..., Any]) -> Callable[[], Rows]:
    return lambda: load(return_X_y=True)


TASKS: dict[str, tuple[Callable[[], Rows], bool]] = {
    "digits": (_loaded(datasets.load_digits), True),
    "cancer": (_loaded(datasets.load_breast_cancer), True),
    "spiral": (_spiral, True),
    "gauss": (_gauss, True),
    "diabetes": (_loaded(datasets.load_diabetes), False),
    "friedman": (_friedman, False),
}
"""Name -> its rows, and whether the target is of classes."""


def table_of(task: str) -> dict[str, np.ndarray]:
    """Return the columns of a task, the target as `y`."""
    make, of_classes = TASKS[task]
    x, y = make()
    target = np.array([f"k{k}" for k in y]) if of_classes else y + 1e-3  # so that it is no class
    return {**{f"x{i}": column for i, column in enumerate(x.T)}, "y": target}


def searched(task: str, sampler: str, seed: int, seconds: float) -> tuple[float, float, int]:
    """Return the dev score, the test score and the networks of a search."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        data = dw.load(table_of(task), target="y", vault=folder, seed=seed, test=_TEST)
        study = dw.Study(data, store=folder, seed=seed, search=sampler)
        result = study.run(budget=seconds)
        return result.dev.value, study.open_test()[-1].test.value, result.networks


def main() -> None:
    """Run and print a table: means over seeds, and differences from the first sampler by pairs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samplers", nargs="+", default=["random", "tpe"])
    parser.add_argument("--tasks", nargs="+", default=list(TASKS), choices=list(TASKS))
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    first, *others = given.samplers
    print(
        f"| task | {first}: dev, test, networks |",
        " | ".join(f"{s}: dev, test, networks" for s in others),
        "|",
    )
    print("| --- |", " | ".join(["---"] * len(given.samplers)), "|")
    for task in given.tasks:
        found = {
            s: [searched(task, s, seed, given.seconds) for seed in range(given.seeds)]
            for s in given.samplers
        }
        print(
            f"| {task} |",
            " | ".join(_cell(found[s], found[first], s != first) for s in found),
            "|",
            flush=True,
        )


def _cell(
    mine: list[tuple[float, float, int]], base: list[tuple[float, float, int]], differs: bool
) -> str:
    """Return the means, or mean differences with standard errors, and the median of networks."""
    networks = statistics.median(one[2] for one in mine)
    told: list[str] = []
    for which in (0, 1):
        values = [
            one[which] - (other[which] if differs else 0.0)
            for one, other in zip(mine, base, strict=True)
        ]
        error = (
            statistics.stdev(values) / len(values) ** 0.5 if differs and len(values) > 1 else 0.0
        )
        told.append(
            f"{statistics.mean(values):+.4f} ({error:.4f})"
            if differs
            else f"{statistics.mean(values):.4f}"
        )
    return ", ".join([*told, f"{networks:,.0f}"])


if __name__ == "__main__":
    main()
