"""What is a lack of memory, whichever program says so, and what is told of one."""

from __future__ import annotations

from dataclasses import dataclass

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
