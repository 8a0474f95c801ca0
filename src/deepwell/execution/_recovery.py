"""What is a lack of memory, whichever program says so."""

from __future__ import annotations

_JAX_ERRORS = ("JaxRuntimeError", "XlaRuntimeError")
_JAX_CODE = "RESOURCE_EXHAUSTED"
_NO_THREAD = "Resource temporarily unavailable"  # the core had no memory for a thread's stack


def out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory ran out: Python's and C++'s, or JAX's."""
    if isinstance(error, MemoryError):
        return True
    if type(error) is RuntimeError and str(error) == _NO_THREAD:
        return True
    return type(error).__name__ in _JAX_ERRORS and _JAX_CODE in str(error)
