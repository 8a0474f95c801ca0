"""What is a lack of memory, whichever program says so, what is told of one and what it spares."""

from __future__ import annotations

from dataclasses import dataclass

from deepwell.training._program import Outcome, State

_JAX_ERRORS = ("JaxRuntimeError", "XlaRuntimeError")
_JAX_CODE = "RESOURCE_EXHAUSTED"
_NO_THREAD = "Resource temporarily unavailable"  # the core had no memory for a thread's stack


@dataclass(frozen=True)
class Shortage:
    """A lack of memory that training went on after.

    Attributes:
        before, after: networks that trained at once; `after` is 0 when one alone did not fit.
        epoch: at work when memory ran out, counted from 1.
    """

    before: int
    after: int
    epoch: int


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's and C++'s, or JAX's."""
    if isinstance(error, MemoryError):
        return True
    if type(error) is RuntimeError and str(error) == _NO_THREAD:
        return True
    return type(error).__name__ in _JAX_ERRORS and _JAX_CODE in str(error)


def told_in_full(state: State, told: int, steps: int) -> bool:
    """Whether nobody would miss a record if a member went on from a state.

    The call that ran out of memory told nothing, though some of its members may have been scored
    in it, or have diverged.

    Args:
        state: of the member.
        told: the epoch up to which its records went out.
        steps: of an epoch.
    """
    epoch = int(state["epoch"])
    if int(state["outcome"]) == Outcome.DIVERGED:
        return epoch < told  # of the epoch in which it diverged
    return epoch <= told and epoch == int(state["step"]) // steps
