"""Finds the compiled core, and chooses the instruction set that it runs with."""

from __future__ import annotations

import functools
import os
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

SIMD_VARIABLE = "DEEPWELL_SIMD"


@functools.cache
def _load() -> tuple[Any, str]:
    """Return the compiled module and an empty text, or None and the reason."""
    try:
        import deepwell._native._core as compiled  # type: ignore[import-not-found]
    except ImportError as error:
        missing = isinstance(error, ModuleNotFoundError)
        return None, "this build has no compiled core" if missing else safe_text(str(error))
    return compiled, ""


def available() -> bool:
    """Return whether the compiled core can be used."""
    return _load()[0] is not None


def why_not() -> str:
    """Return why the compiled core cannot be used, or an empty text when it can."""
    return _load()[1]


def core() -> Any:
    """Return the compiled module.

    Raises:
        UsageError: when there is none.
    """
    module, reason = _load()
    if module is None:
        raise UsageError(
            f"the native program needs the compiled core, but {reason}; install a C++ compiler "
            "and Deepwell again, or choose the program jax"
        )
    return module


def simd() -> str:
    """Return the instruction set that the core runs with: the best one of this machine.

    The environment variable `DEEPWELL_SIMD` chooses another of the levels that run here
    (`avx512`, `avx2`, `plain`), to compare them.

    Raises:
        UsageError: when the variable names a level that does not run here.
    """
    levels: tuple[str, ...] = core().levels()
    chosen = os.environ.get(SIMD_VARIABLE, "")
    if not chosen:
        return levels[0]
    if chosen not in levels:
        raise UsageError(
            f"{SIMD_VARIABLE} must be one of {', '.join(levels)} on this machine, "
            f'got "{safe_text(chosen)}"; unset it to use the best one'
        )
    return chosen


def cores() -> int:
    """Return how many cores this process may use."""
    return int(core().cores())
