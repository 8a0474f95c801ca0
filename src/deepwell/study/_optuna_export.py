"""A study in one of Optuna's storages, for its dashboard and whatever else reads them."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, complete
from deepwell._base._safe_text import safe_text
from deepwell.records import Status, Trial
from deepwell.search.interchange._optuna import load_optuna, quiet
from deepwell.search.spaces._axis_items import axis_item, axis_parts
from deepwell.search.spaces._choice import Choice
from deepwell.search.spaces._distribution import Distribution, value_text
from deepwell.search.spaces._integer import Integer
from deepwell.search.spaces._log import Log
from deepwell.search.spaces._one_minus_log import OneMinusLog
from deepwell.search.spaces._space import Space
from deepwell.search.spaces._uniform import Uniform

from ._said import said

if TYPE_CHECKING:
    import optuna

SPACE, DATA = "deepwell:space", "deepwell:rows"
"""Attributes of a study: what was searched, and a fingerprint of the rows."""

VALUES = "hyperparameters"
"""Attribute of a trial: all that it was made of, where it is not the default."""

_COMPLETE = (Status.FINISHED, Status.EARLY_STOPPED)
_CUT_SHORT = (Status.PRUNED, Status.INTERRUPTED, Status.DIVERGED)  # where scored before


def export_optuna(
    name: str, trials: Sequence[Trial], space: Space, metric: str, storage: Any, rows: str = ""
) -> optuna.Study:
    """Return a new study of Optuna's with these trials.

    Args:
        name: of the new study.
        trials: with their curves, scores in the metric's unit.
        space: that was searched.
        metric: what the scores are, in words.
        storage: URL such as `sqlite:///FILE`, or an Optuna storage.
        rows: fingerprint of those that were trained on.

    Raises:
        UsageError: when Optuna is not installed, cannot open the storage, or has such a study.
    """
    optuna = load_optuna("an export to Optuna")
    with quiet(optuna), warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        study = _created(optuna, name, storage)
        study.set_metric_names([metric])
    told = space.describe()
    searched = {axis if axis in space else axis_parts(axis)[0] for axis in space.searched}
    study.set_user_attr(SPACE, {n: told[n] for n in told if n in searched})
    study.set_user_attr(DATA, rows)
    study.set_user_attr("deepwell:fixed", {n: told[n] for n in told if n not in searched})
    if space.constraints:
        study.set_user_attr("deepwell:constraints", list(space.constraints))
    distributions = _distributions(space, trials)
    for trial in trials:
        study.add_trial(_frozen(trial, space, distributions))
    return study


def _created(optuna: Any, name: str, storage: Any) -> Any:
    try:
        return optuna.create_study(study_name=name, storage=storage, direction="minimize")
    except optuna.exceptions.DuplicatedStudyError:
        raise UsageError(
            f"the storage has a study {safe_text(name)} already; give the new one another `name`"
        ) from None
    except Exception as error:  # SQLAlchemy's and drivers' own, whichever they are
        raise UsageError(
            f"Optuna cannot write to the storage {safe_text(storage, 200)}: {safe_text(error, 200)}"
        ) from error


def params_of(space: Space, trial: Trial) -> dict[str, Value]:
    """Return the searched hyperparameters of a trial, one an axis, with their real values.

    What does not exist beside the others is left out; nothing is known of a trial from before
    the space was narrowed, if it lies outside.
    """
    values = trial.spec.hyperparameters
    point = space.encode(values)
    if point is None:
        return {}
    decoded = space.decode(point)
    params: dict[str, Value] = {}
    for axis, active in zip(space.searched, space.active(values), strict=True):
        name, layer = (axis, None) if axis in space else axis_parts(axis)
        if not active or name not in decoded:
            continue
        value = decoded[name]
        exact = values.get(name)
        if isinstance(value, float) and isinstance(exact, float):
            value = exact  # not the one that came through the unit cube
        if layer is not None and isinstance(value, tuple):
            value = value[layer]
        params[axis] = value
    return params


def _frozen(trial: Trial, space: Space, distributions: Mapping[str, Any]) -> Any:
    """Return a trial as Optuna keeps it."""
    from optuna.trial import TrialState, create_trial

    params = {
        name: _param(value, distributions[name]) for name, value in params_of(space, trial).items()
    }
    state, value = TrialState.FAIL, None
    if math.isfinite(trial.score) and trial.status in (*_COMPLETE, *_CUT_SHORT):
        state = TrialState.COMPLETE if trial.status in _COMPLETE else TrialState.PRUNED
        value = float(trial.score)
    curve = trial.curves.get("dev_score", ())
    return create_trial(
        state=state,
        value=value,
        params=params,
        distributions={name: distributions[name] for name in params},
        intermediate_values={step: float(score) for step, score in enumerate(curve)},
        user_attrs=_attributes(trial),
    )


def _attributes(trial: Trial) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": trial.number,
        "status": trial.status.value,
        "epochs": trial.epochs,
        "best_epoch": trial.best_epoch,
        "seed": trial.spec.seed,
        VALUES: {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in said(complete(trial.spec.hyperparameters)).items()
        },
    }
    if math.isfinite(trial.cost):
        told["cost"] = float(trial.cost)
    if trial.spec.folds:
        told["fold"] = trial.spec.fold
    if trial.message:
        told["message"] = trial.message
    return told


def _distributions(space: Space, trials: Sequence[Trial]) -> dict[str, Any]:
    """Return Optuna's distribution of each axis, wide enough for all that was tried."""
    seen: dict[str, list[Value]] = {axis: [] for axis in space.searched}
    for trial in trials:
        for name, value in params_of(space, trial).items():
            seen[name].append(value)
    return {axis: _theirs(axis_item(space, axis), seen[axis]) for axis in space.searched}


def _theirs(item: Distribution, seen: Sequence[Value]) -> Any:
    from optuna.distributions import (
        CategoricalDistribution,
        FloatDistribution,
        IntDistribution,
    )

    if isinstance(item, Log):
        return FloatDistribution(item.low, item.high, log=True)
    if isinstance(item, Uniform | OneMinusLog):  # Optuna has no scale for the second one
        return FloatDistribution(item.low, item.high)
    if isinstance(item, Integer):
        return IntDistribution(item.low, item.high)
    if isinstance(item, Choice):
        return CategoricalDistribution([_category(value) for value in item.values])
    return CategoricalDistribution(sorted({value_text(value) for value in seen}) or [""])


def _param(value: Value, distribution: Any) -> Any:
    from optuna.distributions import CategoricalDistribution

    if not isinstance(distribution, CategoricalDistribution):
        return value
    plain = _category(value)
    return plain if plain in distribution.choices else value_text(value)


def _category(value: Value) -> Any:
    """Return a choice as Optuna can keep it: a list of units as text."""
    return value_text(value) if isinstance(value, tuple) else value
