"""What is run: problems, batches and budgets, at each scale."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .strategies import OURS, PEERS

STRATEGIES = (*[f"deepwell-{name}" for name in OURS], *PEERS)
_ALL = tuple(range(1, 25))
_NOISY = tuple(k for k in range(101, 131) if k not in (116, 117, 118))  # see `NOISY_BASES`
_SOME = (1, 2, 3, 6, 8, 10, 13, 15, 17, 20, 21, 22)  # of each group of bbob, separable ones fewer
_SOME_NOISY = (101, 105, 108, 112, 115, 121, 125, 130)  # each kind of noise, weak and strong


@dataclass(frozen=True)
class Part:
    """Problems of one suite.

    Attributes:
        suite: of COCO.
        dimensions, functions, instances, batches: all combinations are run.
        budget: evaluations of a run in each dimension.
    """

    suite: str
    dimensions: tuple[int, ...]
    functions: tuple[int, ...]
    instances: tuple[int, ...]
    batches: tuple[int, ...]
    budget: dict[int, int]

    def jobs(self) -> Iterator[dict[str, Any]]:
        """Yield the runs; those of all strategies on one problem follow one another."""
        for instance in self.instances:
            for batch in self.batches:
                for dimension in self.dimensions:
                    for function in self.functions:
                        for strategy in STRATEGIES:
                            yield {
                                "strategy": strategy, "suite": self.suite, "function": function,
                                "dimension": dimension, "instance": instance, "batch": batch,
                                "budget": self.budget[dimension],
                            }  # fmt: skip


_BATCHES = (1, 8, 32)
_FULL_BUDGET = {2: 100, 3: 150, 5: 250, 10: 500}
_SHORT = {2: 96, 5: 96, 10: 96}

PLANS = {
    "full": (
        Part("bbob", (2, 3, 5, 10), _ALL, tuple(range(1, 16)), _BATCHES, _FULL_BUDGET),
        Part("bbob-noisy", (2, 5), _NOISY, (1, 2, 3), _BATCHES, _FULL_BUDGET),
        Part("bbob-mixint", (5, 10), _ALL, (1, 2, 3), _BATCHES, _FULL_BUDGET),
    ),
    "reduced": (
        Part("bbob", (2, 5), _SOME, (2,), _BATCHES, _SHORT),
        Part("bbob-noisy", (2,), _SOME_NOISY, (1,), (8,), _SHORT),
        Part("bbob-mixint", (5,), _SOME, (1,), (8,), _SHORT),
    ),
    "quick": (Part("bbob", (2,), (1, 8), (1,), (8,), {2: 24}),),
}


def key(job: dict[str, Any]) -> str:
    """Return the name of a run in the results.

    >>> key({"strategy": "optuna-gp", "suite": "bbob", "function": 8, "dimension": 2,
    ...      "instance": 1, "batch": 32, "budget": 96})
    'bbob/8/2/1/32/optuna-gp'
    """
    names = ("suite", "function", "dimension", "instance", "batch", "strategy")
    return "/".join(str(job[name]) for name in names)
