"""A sampler by its name, our own ones and Optuna's."""

from __future__ import annotations

from ._registry import SAMPLERS
from ._sampler import Sampler

PREFIX = "optuna:"


def sampler_named(name: str) -> Sampler:
    """Return the sampler of a name such as `random`, or `optuna:TPESampler`.

    Raises:
        UsageError: when there is none of that name, or Optuna is not installed.
    """
    if name.startswith(PREFIX):
        from deepwell.search.interchange._their_sampler import optuna_named  # which loads Optuna

        return optuna_named(name.removeprefix(PREFIX))
    return SAMPLERS[name]
