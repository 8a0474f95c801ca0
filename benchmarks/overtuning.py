"""The overtuning meter against the truth: studies whose winner is scored on many fresh rows.

    python -m benchmarks.overtuning --studies 200 --out benchmarks/results/overtuning.json

Each study is `dw.Study` as users run it, on other rows: of a generated problem, where the fresh
rows are 50,000 more of the same kind, of digits, where they are all that it did not see, with
folds, and for a regression. What is compared with the winner's score on the fresh rows: the dev
score itself, and the corrected one, with their intervals.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import deepwell as dw
from deepwell.diagnosis import METRICS

Drawn = tuple[dict[str, np.ndarray], dict[str, np.ndarray]]


@dataclass(frozen=True)
class Case:
    """A kind of study: rows to train and choose on, rows that are fresh, and how it is run."""

    draw: Callable[[int], Drawn]
    metric: str
    options: dict[str, Any]
    trials: int = 40
    epochs: int = 12


def _columns(x: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    return {**{f"x{i}": column for i, column in enumerate(x.T)}, "y": y}


def _with_parts(x: np.ndarray, y: np.ndarray, train: int) -> dict[str, np.ndarray]:
    part = np.where(np.arange(len(y)) < train, "train", "dev")
    return {**_columns(x, y), "part": part}


def rings(seed: int, train: int = 250, dev: int = 150, fresh: int = 50_000) -> Drawn:
    """Return two classes that a curved border parts, with 8 % of the labels flipped."""
    generator = np.random.default_rng(seed)
    n = train + dev + fresh
    x = generator.normal(size=(n, 6))
    side = (x[:, 0] ** 2 + x[:, 1] - 0.5 * x[:, 2] * x[:, 3]) > 0.7
    y = np.where(side ^ (generator.random(n) < 0.08), "yes", "no")
    seen = train + dev
    return _with_parts(x[:seen], y[:seen], train), _columns(x[seen:], y[seen:])


def wave(seed: int, train: int = 250, dev: int = 120, fresh: int = 50_000) -> Drawn:
    """Return a smooth function of five inputs with noise."""
    generator = np.random.default_rng(seed)
    n = train + dev + fresh
    x = generator.normal(size=(n, 5))
    y = np.sin(x[:, 0] * 1.5) + x[:, 1] * x[:, 2] * 0.5 + 0.4 * generator.normal(size=n)
    seen = train + dev
    return _with_parts(x[:seen], y[:seen], train), _columns(x[seen:], y[seen:])


def digits(seed: int, train: int = 500, dev: int = 200) -> Drawn:
    """Return another choice of rows of digits; the others are fresh."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(y))
    names = np.array([f"c{label}" for label in y])[order]
    seen = train + dev
    return (
        _with_parts(x[order[:seen]], names[:seen], train),
        _columns(x[order[seen:]], names[seen:]),
    )


CASES = {
    "rings": Case(rings, "error", {}),
    "rings, log loss": Case(rings, "log_loss", {}),
    "rings, 3 folds": Case(rings, "error", {"folds": 3}, trials=24),
    "wave, RMSE": Case(wave, "rmse", {}),
    "digits": Case(digits, "error", {}),
}


def one(case: Case, seed: int, folder: Path) -> dict[str, float]:
    """Return what a study said of its winner, and what fresh rows say."""
    seen, fresh = case.draw(seed)
    if case.options.get("folds"):
        del seen["part"]
        data = dw.load(seen, target="y", test="0", vault=None, seed=seed)
    else:
        data = dw.load(seen, target="y", split_column="part", test="0", vault=None)
    study = dw.Study(
        data, metric=case.metric, seed=seed, store=folder, probe="none", **case.options
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        result = study.run(trials=case.trials, epochs=case.epochs)
    found, model = result.overtuning, study.best
    if found is None:
        raise SystemExit("a study told nothing of its luck")
    frame = {name: column for name, column in fresh.items() if name != "y"}
    metric = METRICS[case.metric]
    if model.classes:
        truth = np.searchsorted(np.array(model.classes), fresh["y"])
        true = metric.loss(truth, model.predict_proba(frame))
    else:
        true = metric.loss(fresh["y"], model.predict(frame))
    return {
        "true": true,
        "rows": len(fresh["y"]),
        "dev": found.dev,
        "dev_low": result.dev.low,
        "dev_high": result.dev.high,
        "expected": found.expected.value,
        "low": found.expected.low,
        "high": found.expected.high,
        "luck": found.luck.value,
    }


def summary(told: list[dict[str, float]]) -> dict[str, float]:
    """Return mean errors of both figures with standard errors, and how often intervals hold."""
    column = {name: np.array([row[name] for row in told]) for name in told[0]}
    n = len(told)
    off, raw = column["expected"] - column["true"], column["dev"] - column["true"]
    inside = (column["low"] <= column["true"]) & (column["true"] <= column["high"])
    raw_in = (column["dev_low"] <= column["true"]) & (column["true"] <= column["dev_high"])
    return {
        "studies": n,
        "true": float(column["true"].mean()),
        "dev off": float(raw.mean()),
        "expected off": float(off.mean()),
        "expected off, error": float(off.std() / math.sqrt(n)),
        "dev, mean square": float(np.sqrt((raw**2).mean())),
        "expected, mean square": float(np.sqrt((off**2).mean())),
        "dev covers": float(raw_in.mean()),
        "expected covers": float(inside.mean()),
        "luck": float(column["luck"].mean()),
    }


def main() -> None:
    """Run the studies and print one line a case."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=200)
    parser.add_argument("--case", action="append", choices=list(CASES))
    parser.add_argument("--out")
    asked = parser.parse_args()
    results: dict[str, dict[str, float]] = {}
    for name in asked.case or CASES:
        told = []
        for seed in range(asked.studies):
            with tempfile.TemporaryDirectory() as folder:
                told.append(one(CASES[name], seed, Path(folder)))
        results[name] = summary(told)
        print(name, json.dumps({k: round(v, 4) for k, v in results[name].items()}), flush=True)
    if asked.out:
        Path(asked.out).write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
