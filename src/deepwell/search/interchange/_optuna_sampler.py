"""The public way to our samplers for users of Optuna."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._optuna import load_optuna

if TYPE_CHECKING:
    from ._our_sampler import DeepwellSampler


def optuna_sampler(search: str, seed: int | None = None) -> DeepwellSampler:
    """Return a sampler of Deepwell as an `optuna.samplers.BaseSampler`.

    >>> import deepwell as dw
    >>> import optuna                                                   # doctest: +SKIP
    >>> sampler = dw.optuna_sampler("quasi-random", seed=0)             # doctest: +SKIP
    >>> study = optuna.create_study(sampler=sampler)                    # doctest: +SKIP

    Args:
        search: name of a sampler, as for a `Study`.
        seed: of all that is random, from 0; None for another one each time.

    Raises:
        UsageError: when Optuna is not installed, or there is no such sampler.
    """
    load_optuna("a sampler for Optuna")
    from ._our_sampler import DeepwellSampler

    return DeepwellSampler(search, seed)
