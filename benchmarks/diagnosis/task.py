"""A base task: rows drawn anew by seed, and a network that learns it well."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .case import Case, Rows

Draw = Callable[[np.random.Generator, int], Rows]


@dataclass(frozen=True)
class Task:
    """What is to be learnt, and how a careful user would set it up.

    Attributes:
        name: short, unique over both halves.
        kind: `classification` or `regression`.
        draw: (generator, rows) -> rows of the world; independent rows.
        sizes: of train, dev and deployed rows.
        settings: hyperparameters that suit.
        best: error rate or RMSE of the best possible rule where it is known, else None.
    """

    name: str
    kind: str
    draw: Draw
    sizes: tuple[int, int, int]
    settings: Mapping[str, object]
    best: float | None = None

    def case(self, seed: int) -> Case:
        """Return the healthy case of a seed: its own rows, the task's settings."""
        generator = np.random.default_rng([seed, _number(self.name)])
        rows = self.draw(generator, sum(self.sizes))
        train, dev, _ = self.sizes
        parts = np.split(np.arange(len(rows)), [train, train + dev])
        return Case(
            self.name, self.kind, *(rows.take(part) for part in parts), settings=dict(self.settings)
        )


def _number(name: str) -> int:
    """Return a number that only the name decides."""
    return int.from_bytes(name.encode(), "big") % (2**31)
