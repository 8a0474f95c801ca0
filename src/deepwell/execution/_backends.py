"""Which kind of program trains: the native one for dense networks on CPU, JAX else."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell._native._core_module import available

from ._backend import Backend

PROGRAMS = ("native", "jax")
_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")


def check_program(program: str | None) -> None:
    """Raise `UsageError` unless `program` is None or names a kind of program."""
    if program not in (None, *PROGRAMS):
        hint = did_you_mean(str(program), PROGRAMS)
        shown, known = safe_text(program), ", ".join(PROGRAMS)
        raise UsageError(f'unknown program "{shown}"{hint or ";"} choose one of {known}')


def choose_backend(program: str | None) -> Backend:
    """Return the backend of that name, or the fastest one of this machine.

    Args:
        program: `native`, `jax`, or None: JAX where it can use a GPU, native where the compiled
            core is, JAX else.

    Raises:
        UsageError: when there is no such kind, or this build has no compiled core.
    """
    check_program(program)
    if program is None:
        program = "native" if available() and not _gpu() else "jax"
    if program == "jax":
        from ._jax_backend import JaxBackend

        return JaxBackend()
    from ._native_backend import NativeBackend

    return NativeBackend()


def _gpu() -> bool:
    """Return whether JAX would find a CUDA device, without starting JAX."""
    plugin = any(importlib.util.find_spec(name) for name in _PLUGINS)
    return plugin and Path("/dev/nvidiactl").exists()
