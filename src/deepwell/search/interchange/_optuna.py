"""Optuna, loaded where it is used, since nothing else needs it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType

from deepwell._base._errors import UsageError


def load_optuna(what: str) -> ModuleType:
    """Return the module `optuna`.

    Args:
        what: needs it, for the message.

    Raises:
        UsageError: when it is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise UsageError(
            f"{what} needs Optuna, which is not installed; install it by "
            'pip install "deepwell[optuna]"'
        ) from None
    return optuna


@contextmanager
def quiet(optuna: ModuleType) -> Generator[None]:
    """Keep Optuna from telling of each study that it makes, while the block runs."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(max(before, optuna.logging.WARNING))
    try:
        yield
    finally:
        optuna.logging.set_verbosity(before)
