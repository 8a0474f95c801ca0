"""Which kind of program trains: the native one for dense networks on CPU, JAX else."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable
from pathlib import Path

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell._native._core_module import available
from deepwell.optimization._foreign import check_foreign, is_foreign

from ._backend import Backend

PROGRAMS = ("native", "jax")
_PLUGINS = ("jax_cuda13_plugin", "jax_cuda12_plugin")


def check_program(program: str | None) -> None:
    """Raise `UsageError` unless `program` is None or names a kind of program."""
    if program not in (None, *PROGRAMS):
        hint = did_you_mean(str(program), PROGRAMS)
        shown, known = safe_text(program), ", ".join(PROGRAMS)
        raise UsageError(f'unknown program "{shown}"{hint or ";"} choose one of {known}')


def needs_jax(optimizers: Iterable[str]) -> str:
    """Return why these optimizers can be trained by JAX alone, in a few words, or nothing."""
    foreign = [name for name in optimizers if is_foreign(name)]
    return f"{', '.join(foreign)} from Optax" if foreign else ""


def choose_backend(program: str | None, optimizers: Iterable[str] = ()) -> Backend:
    """Return the backend of that name, or the fastest one of this machine that can do the work.

    Args:
        program: `native`, `jax`, or None: JAX where it can use a GPU or nothing else can train
            these optimizers, native where the compiled core is, JAX else.
        optimizers: those that a study may try.

    Raises:
        UsageError: when there is no such kind, this build has no compiled core, the kind cannot
            train an optimizer, or an optimizer of Optax's is unknown in this process.
    """
    check_program(program)
    reason = needs_jax(optimizers)
    if reason and program == "native":
        raise UsageError(
            f"the native program cannot train {reason}; leave out the program, or take jax"
        )
    if reason:
        from ._jax_backend import JaxBackend

        backend = JaxBackend()  # JAX must be started before Optax loads it
        for name in optimizers:
            if is_foreign(name):
                check_foreign(name)
        return backend
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
