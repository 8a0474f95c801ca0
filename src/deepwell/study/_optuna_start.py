"""A study of Optuna's as what a new study starts from: one of Deepwell's own, or any other."""

from __future__ import annotations

import contextlib
import json
import math
import statistics
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, complete
from deepwell._base._password import without_password
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import Observation
from deepwell.search.interchange._optuna_history import (
    finished_trials,
    maximizes,
    observation_of,
)
from deepwell.search.interchange._optuna_study import optuna_study

from ._arrays import score_scale
from ._optuna_export import DATA, SPACE, VALUES
from ._warm import WarmStart

if TYPE_CHECKING:
    import optuna

PREFIX = "optuna:"
"""Of what a warm start is given as text: `optuna:STORAGE#STUDY`."""


def optuna_start(given: optuna.Study | str, data: Data, metric: str) -> WarmStart:
    """Return what a study of Optuna's found, on the scale of a new study.

    A study that Deepwell wrote there says what its networks were, whole. Of any other one the
    parameters are the values of the hyperparameters of the same names, and its scores are in the
    unit of the metric; one that was maximized is 1 minus it where the metric is 1 minus something,
    as the error is, and else minus it.

    Args:
        given: the study, or `optuna:STORAGE#STUDY`.
        data: of the new study.
        metric: that the new study selects by.

    Raises:
        UsageError: when it cannot be read, or is of another metric.
    """
    text = given if isinstance(given, str) else ""
    read = optuna_study(*_named(text)) if isinstance(given, str) else optuna_study(given)
    figure, attributes = METRICS[metric], read.user_attrs
    selected = read.metric_names or [figure.label]
    if SPACE in attributes and selected != [figure.label]:
        raise UsageError(
            f"a warm start needs a study with the same metric, and {safe_text(read.study_name)} "
            f"selected by {safe_text(', '.join(selected))}, not {figure.label}; give that metric, "
            "or another study"
        )
    flipped, scale = maximizes(read), score_scale(data, metric)
    beyond = 1.0 if flipped and (figure.bounded or figure.label.startswith("1 - ")) else 0.0
    told: dict[str, list[Observation]] = {}
    for trial in finished_trials(read):
        known = observation_of(trial, -1.0 if flipped else 1.0)
        values, cost = _values(trial), trial.user_attrs.get("cost", math.inf)
        one = replace(known, values=values, score=(known.score + beyond) / scale, cost=float(cost))
        fold = "fold" in trial.user_attrs
        group = json.dumps([values, trial.user_attrs.get("seed")]) if fold else f"{trial.number}"
        told.setdefault(group, []).append(one)
    return WarmStart(
        f"{read.study_name} of Optuna's",
        attributes.get(DATA) == data.fingerprint,
        tuple(_mean(folds) for folds in told.values()),
        given=f"{PREFIX}{without_password(text.removeprefix(PREFIX))}" if text else "",
    )


def _named(text: str) -> tuple[str | None, str]:
    """Return the name of a study, None for the only one, and the storage."""
    place = text.removeprefix(PREFIX)
    storage, mark, name = place.rpartition("#")
    return (name, storage) if mark else (None, place)


def _values(trial: optuna.trial.FrozenTrial) -> dict[str, Value]:
    """Return the hyperparameters that a trial says, those of layers as lists."""
    kept: object = trial.user_attrs.get(VALUES)
    if isinstance(kept, dict):
        told = {name: _as_value(value) for name, value in cast(dict[str, Any], kept).items()}
        with contextlib.suppress(UsageError):  # of a Deepwell that had other hyperparameters
            told = complete(told)
        return told
    params: Mapping[str, Any] = trial.params
    values: dict[str, Value] = {name: params[name] for name in params if "[" not in name}
    layers: dict[str, dict[int, Any]] = {}
    for axis in params.keys() - values.keys():
        name, _, place = axis.rstrip("]").partition("[")
        layers.setdefault(name, {})[int(place) if place.isdecimal() else -1] = params[axis]
    for name, each in layers.items():
        values[name] = tuple(each[place] for place in sorted(each))
    return values


def _as_value(value: Any) -> Value:
    return tuple(cast(list[Any], value)) if isinstance(value, list) else value


def _mean(folds: list[Observation]) -> Observation:
    """Return one observation of the folds of a configuration, with their mean score."""
    if len(folds) == 1:
        return folds[0]
    return replace(
        folds[0],
        score=statistics.fmean(one.score for one in folds),
        cost=statistics.fmean(one.cost for one in folds),
        epochs=max(one.epochs for one in folds),
        finished=all(one.finished for one in folds),
    )
