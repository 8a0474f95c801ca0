"""Samplers under one contract: `ask(n)` points, then `tell` their scores in the same order."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from .problems import Problem


class Strategy(Protocol):
    """One run of a sampler on one problem."""

    def ask(self, n: int) -> list[np.ndarray]:
        """Return the next points, (d,) each."""
        ...

    def tell(self, scores: Sequence[float]) -> None:
        """Take the scores of the points asked for last."""
        ...


class Ours:
    """A sampler of Deepwell."""

    def __init__(self, sampler: str, problem: Problem, seed: int) -> None:
        from deepwell.search import SAMPLERS, Domain, integer, uniform

        ends = list(zip(problem.low, problem.high, strict=True))
        self._domain = Domain(
            {
                f"x{j}": integer(int(low), int(high)) if j < problem.whole else uniform(low, high)
                for j, (low, high) in enumerate(ends)
            }
        )
        self._propose = SAMPLERS[sampler]
        self._keys = np.random.SeedSequence(seed)
        self._history: list[Any] = []
        self._asked: list[Any] = []

    def ask(self, n: int) -> list[np.ndarray]:
        """Return the next points."""
        key = self._keys.spawn(1)[0]
        self._asked = self._propose(self._domain, self._history, n, key)
        return [np.array([float(v) for v in point.values()]) for point in self._asked]

    def tell(self, scores: Sequence[float]) -> None:
        """Take their scores."""
        from deepwell.records import Observation

        self._history += [
            Observation(point, float(score), finished=True)
            for point, score in zip(self._asked, scores, strict=True)
        ]


class Optuna:
    """A sampler of Optuna at its defaults; a batch is asked for before any of it is told."""

    def __init__(self, sampler: str, problem: Problem, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        warnings.simplefilter("ignore")
        chosen = getattr(optuna.samplers, sampler)(seed=seed)
        self._study = optuna.create_study(sampler=chosen)
        self._problem = problem
        self._trials: list[Any] = []

    def ask(self, n: int) -> list[np.ndarray]:
        """Return the next points."""
        self._trials = [self._study.ask() for _ in range(n)]
        return [self._point(trial) for trial in self._trials]

    def _point(self, trial: Any) -> np.ndarray:
        p = self._problem
        return np.array(
            [
                trial.suggest_int(f"x{j}", int(p.low[j]), int(p.high[j]))
                if j < p.whole
                else trial.suggest_float(f"x{j}", p.low[j], p.high[j])
                for j in range(p.dimension)
            ],
            float,
        )

    def tell(self, scores: Sequence[float]) -> None:
        """Take their scores."""
        for trial, score in zip(self._trials, scores, strict=True):
            self._study.tell(trial, float(score))


OURS = ("bayesian", "tpe", "random")
PEERS = {
    "optuna-gp": "GPSampler",
    "optuna-tpe": "TPESampler",
    "optuna-cmaes": "CmaEsSampler",
    "optuna-qmc": "QMCSampler",
    "optuna-random": "RandomSampler",
}


def strategy(name: str) -> Callable[[Problem, int], Strategy]:
    """Return what makes a run of a strategy: `deepwell-bayesian`, `optuna-gp`, ..."""
    if name in PEERS:
        return lambda problem, seed: Optuna(PEERS[name], problem, seed)
    return lambda problem, seed: Ours(name.removeprefix("deepwell-"), problem, seed)
