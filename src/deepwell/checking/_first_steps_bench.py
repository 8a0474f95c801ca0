"""A program and a few rows in it: where the checks of the first steps try a network.

What a program does is asked through its contract alone, so that every check works on any of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell.training._program import (
    Chunk,
    Member,
    Program,
    State,
    Structure,
    TrainingRows,
    Window,
)

_BYTES_AT_ONCE = 32 << 20  # of members in flight, so that a check needs little memory
_OF_RULES = ("momentum", "beta1", "beta2", "epsilon", "epsilon_root", "batch_norm_momentum")
_ADAM = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8}
_ARRAYS = 4  # parameters, best parameters, and at most two that an optimizer remembers


@dataclass(frozen=True, eq=False)
class Bench:
    """A program with the rows of its that a check may use.

    Attributes:
        program: what moves members.
        places: (m,) the numbers of these rows in the program.
        absent: the number that stands for no row.
        batch: rows that a batch must have; 0 for any number.
        steps: most steps of a call; 0 for any number.
        views: data views of the program; members have the first.
        window: rows that are given with each call; `places` then count in it. None where the
            program holds them.
    """

    program: Program
    places: np.ndarray
    absent: int
    batch: int = 0
    steps: int = 0
    views: int = 1
    window: Window | None = None

    def advance(
        self,
        members: Sequence[Member],
        states: Sequence[State | None],
        batches: Sequence[np.ndarray],
    ) -> tuple[list[State], np.ndarray]:
        """Take a step on each batch; return the states and each member's mean cost, (P,).

        The cost is the mean over the batches of the cost before the step, penalties left out: that
        of the states which were given, where there is one batch. NaN for a member that diverged.

        Args:
            members: who moves, any number of them.
            states: where they stand; None begins a member.
            batches: the rows of each batch, counted in `places`; none empty.
        """
        ended = [s for some in self._in_turn(members, states, batches) for s in some]
        return ended, np.array([_cost(state) for state in ended])

    def costs(
        self, members: Sequence[Member], states: Sequence[State | None], rows: np.ndarray
    ) -> np.ndarray:
        """Return the cost of each member on some rows, (P,), as `advance` does; states are let go.

        Args:
            members: any number of them.
            states: where they stand; None begins a member.
            rows: of the batch.
        """
        told = self._in_turn(members, states, [rows])
        return np.array([_cost(state) for some in told for state in some])

    def _in_turn(
        self,
        members: Sequence[Member],
        states: Sequence[State | None],
        batches: Sequence[np.ndarray],
    ) -> Iterator[list[State]]:
        """Yield the members' states after the batches, as many at a time as may be in flight."""
        at_once = self._at_once(members)
        for first in range(0, len(members), at_once):
            part = slice(first, first + at_once)
            session = self.program.load(members[part], [_uncounted(s) for s in states[part]])
            for order in self._orders(batches):
                session.advance(Chunk(order, 1, ends_epoch=False, window=self.window))
            yield session.states()

    def _at_once(self, members: Sequence[Member]) -> int:
        largest = max(m.architecture.parameters * _ARRAYS * np.dtype(m.dtype).itemsize
                      for m in members)  # fmt: skip
        return max(1, min(self.program.lanes, _BYTES_AT_ONCE // largest))

    def _orders(self, batches: Sequence[np.ndarray]) -> list[np.ndarray]:
        width = self.batch or max(len(rows) for rows in batches)
        order = np.full((len(batches), width), self.absent, np.int32)
        for line, rows in zip(order, batches, strict=True):
            line[: len(rows)] = self.places[rows]
        if self.views > 1:
            order = np.repeat(order[None], self.views, axis=0)
        steps = self.steps or len(batches)
        return [order[..., i : i + steps, :] for i in range(0, len(batches), steps)]


def native_bench(like: Member, x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Bench:
    """Return a bench of the native program that holds just these rows.

    Args:
        like: a member whose inputs, outputs and loss say what is predicted.
        x: (m, D).
        y: (m,) targets.
        weight: (m,), at least 0.
    """
    from deepwell.training._native_program import NativeProgram

    a, one = like.architecture, slice(1)
    structure = Structure(
        inputs=a.inputs, hidden=(), outputs=a.outputs, loss=a.loss, activation="", optimizer="",
        batch=len(y), drops=True, train_rows=len(y), dev_rows=1, steps=1,
        score="rmse" if a.loss == "squared" else "error",
    )  # fmt: skip
    rows = TrainingRows(x, y, weight, x[one], y[one], weight[one])
    return Bench(NativeProgram(structure, rows), np.arange(len(y)), len(y))


def bare(member: Member, learning_rate: float, **changes: Any) -> Member:
    """Return a member without dropout, penalties, noise and schedule, at one learning rate.

    Args:
        member: whose network, initial weights and optimizer stay.
        learning_rate: the rate of every step.
        changes: further fields of the member, as in `optimizer="adam"`.
    """
    own = member.optimizer == changes.get("optimizer", member.optimizer)
    numbers = {n: member.number(n) for n in _OF_RULES if n in member.numbers} if own else _ADAM
    off = replace(member.architecture, dropout=(), input_dropout=0.0, classic_dropout=False)
    return replace(
        member,
        architecture=off,
        numbers={**numbers, "learning_rate": learning_rate},
        decay="constant",
        patience=0,
        view=0,
        **changes,
    )


def _uncounted(state: State | None) -> State | None:
    """Return a state without the costs of earlier steps."""
    zero = np.asarray(0.0, np.float64)
    return None if state is None else {**state, "cost_sum": zero, "weight_sum": zero}


def _cost(state: State) -> float:
    weight = float(state["weight_sum"])
    return float(state["cost_sum"]) / weight if weight > 0 else float("nan")
