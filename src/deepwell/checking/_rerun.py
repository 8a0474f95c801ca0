"""A network that is trained again, apart from the others, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepwell.training._program import Chunk, Member, Program, State, TrainingRows
from deepwell.training._window import windowed


@dataclass(frozen=True)
class Rerun:
    """What trains a network again, apart from the others.

    Attributes:
        program: that trained it.
        member: the network.
        rows: that the program trains on.
        order: epoch -> the rows of its batches, as in `Chunk`.
        epochs: to train at most.
        state: where to begin; None at its start.
    """

    program: Program
    member: Member
    rows: TrainingRows
    order: Callable[[int], np.ndarray]
    epochs: int
    state: State | None = None


@dataclass(frozen=True)
class Step:
    """One update step with what is before and after it.

    Attributes:
        epoch: that it lies in, counted from 1.
        order: rows of its batch, (1, B), or (V, 1, B) of V views.
        before, after: states.
    """

    epoch: int
    order: np.ndarray
    before: State
    after: State

    @property
    def number(self) -> int:
        """The step, counted from 1 over all epochs."""
        return int(self.before["step"]) + 1


def chunk_of(rerun: Rerun, order: np.ndarray, epoch: int, *, last: bool) -> Chunk:
    """Return batches (S, B) of an epoch as the program takes them.

    Args:
        rerun: the network.
        order: rows of the batches.
        epoch: counted from 1.
        last: whether the epoch ends with them.
    """
    chunk = Chunk(np.ascontiguousarray(order), epoch, last)
    return windowed(chunk, rerun.rows) if rerun.rows.streamed and order.size else chunk


def arrays_of(rerun: Rerun) -> list[str]:
    """Return the names of the arrays that must be finite: parameters and running statistics."""
    a = rerun.member.architecture
    return [*a.parameter_shapes(), *a.statistic_shapes()]


def is_finite(rerun: Rerun, state: State) -> bool:
    """Return whether all parameters and running statistics are."""
    return all(np.isfinite(state[name]).all() for name in arrays_of(rerun))
