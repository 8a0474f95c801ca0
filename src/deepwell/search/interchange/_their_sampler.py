"""Optuna's samplers under our contract: a study of Optuna's is made of each history."""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation
from deepwell.search.samplers._fresh import fresh
from deepwell.search.samplers._sampler import Propose, Sampler
from deepwell.search.spaces._domain import Axis, Domain

from ._optuna import load_optuna, quiet

if TYPE_CHECKING:
    import optuna

Make = Callable[[int], "optuna.samplers.BaseSampler"]

# They do not follow from what the trials were and gave: they write notes into Optuna's storage.
_WITH_NOTES = {
    "CmaEsSampler": "optuna:TPESampler",
    "GridSampler": "grid",
    "NSGAIIISampler": "optuna:TPESampler",
    "NSGAIISampler": "optuna:TPESampler",
    "PartialFixedSampler": "optuna:TPESampler",
    "QMCSampler": "quasi-random",
}

_FINITE_ONLY = "BruteForceSampler"


def from_optuna(make: Make) -> Sampler:
    """Return a sampler of Optuna's as one for `Search` and `minimize_blackbox`.

    Each call makes a study of Optuna's of the history and asks the sampler what it would try next;
    scores still out are its running trials. It works in the unit cube, so that all scales of ours,
    constraints and conditions hold; duplicates and what is forbidden are asked for again.

    A sampler that keeps notes of its own in Optuna's storage, as CMA-ES, begins anew each time.

    >>> import deepwell as dw
    >>> from optuna.samplers import TPESampler                          # doctest: +SKIP
    >>> mine = dw.from_optuna(                                          # doctest: +SKIP
    ...     lambda seed: TPESampler(n_startup_trials=20, seed=seed)
    ... )

    Args:
        make: `seed -> sampler`, called anew for each call.

    Raises:
        UsageError: when Optuna is not installed.
    """
    load_optuna("a sampler of Optuna's")

    def propose(
        domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        study = _study(domain, history, make(int(key.generate_state(1)[0])))
        distributions = dict(_distributions(domain.axes))

        def draw(count: int) -> np.ndarray:
            try:
                asked = [study.ask(distributions).params for _ in range(count)]
            except ImportError as error:  # Optuna loads the more demanding of its parts late
                reason = safe_text(str(error).partition("\n")[0], 200)
                raise UsageError(f"this sampler of Optuna's needs more than it: {reason}") from None
            return np.array([_unit(params, domain.axes) for params in asked])

        if not distributions:
            return [domain.decode([]) for _ in range(n)]
        return fresh(domain, history, n, draw)

    return Sampler(propose, learns=True)


def optuna_named(name: str) -> Sampler:
    """Return Optuna's sampler of that name, as `TPESampler`, with its defaults.

    Raises:
        UsageError: when Optuna is not installed or has no such sampler, or when it does not follow
            from the history of a study alone.
    """
    optuna = load_optuna(f"the search optuna:{safe_text(name)}")
    names = (n for n in optuna.samplers.__all__ if n.endswith("Sampler"))
    known = [n for n in names if not n.startswith("Base")]
    if name not in known:
        able = ", ".join(n for n in known if n not in _WITH_NOTES)
        hint = did_you_mean(name, known) or ";"
        raise UsageError(
            f'unknown sampler of Optuna "{safe_text(name)}"{hint} choose one of {able}'
        )
    if name in _WITH_NOTES:
        raise UsageError(
            f"the search optuna:{name} must follow from the trials alone, and {name} keeps notes "
            f"in Optuna's own storage; take {_WITH_NOTES[name]}"
        )
    kind = getattr(optuna.samplers, name)
    assert "seed" in inspect.signature(kind).parameters

    def make(seed: int) -> Any:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            return kind(seed=seed)

    found = from_optuna(make)
    return replace(found, propose=_finite(found.propose)) if name == _FINITE_ONLY else found


def _finite(propose: Propose) -> Propose:
    """Return a sampler that is refused a continuum in a sentence."""

    def finite(
        domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
    ) -> list[dict[str, Value]]:
        for axis in domain.axes:
            if axis.count is None:
                raise UsageError(
                    f"the search optuna:{_FINITE_ONLY} must have finitely many points, and "
                    f"`{safe_text(axis.name)}` is a continuum; take grid"
                )
        return propose(domain, history, n, key)

    return finite


def _study(
    domain: Domain, history: Sequence[Observation], sampler: optuna.samplers.BaseSampler
) -> optuna.Study:
    """Return a study in memory with the history as its trials."""
    optuna = load_optuna("a sampler of Optuna's")
    distributions = dict(_distributions(domain.axes))
    with quiet(optuna):
        study = optuna.create_study(sampler=sampler)
    for observation in history:
        unit = domain.place(observation.values)
        if unit is None or not distributions:
            continue
        trial = optuna.trial.create_trial(
            params=_params(unit, domain.axes), distributions=distributions, **_told(observation)
        )
        study.add_trial(trial)
    return study


def _told(observation: Observation) -> dict[str, Any]:
    """Return what Optuna hears of a trial beside its parameters.

    One that was stopped early is pruned, after its last epoch: what it had then is no score after
    all epochs. Steps count from 0.
    """
    from optuna.trial import TrialState

    if observation.pending:
        return {"state": TrialState.RUNNING}
    if observation.epochs > 0 and not observation.finished and math.isfinite(observation.score):
        scores = {observation.epochs - 1: observation.score}
        return {"state": TrialState.PRUNED, "intermediate_values": scores}
    return {"state": TrialState.COMPLETE, "value": observation.score}


def _distributions(axes: Sequence[Axis]) -> Mapping[str, Any]:
    """Return Optuna's distributions over the axes of the unit cube."""
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    def of(axis: Axis) -> Any:
        if axis.count is None:
            return FloatDistribution(0.0, 1.0)
        if axis.ordered:
            return IntDistribution(0, axis.count - 1)
        return CategoricalDistribution(range(axis.count))

    return {axis.name: of(axis) for axis in axes}


def _params(unit: np.ndarray, axes: Sequence[Axis]) -> dict[str, Any]:
    return {
        axis.name: float(u) if axis.count is None else min(int(u * axis.count), axis.count - 1)
        for axis, u in zip(axes, unit, strict=True)
    }


def _unit(params: Mapping[str, Any], axes: Sequence[Axis]) -> list[float]:
    return [
        params[axis.name] if axis.count is None else (params[axis.name] + 0.5) / axis.count
        for axis in axes
    ]
