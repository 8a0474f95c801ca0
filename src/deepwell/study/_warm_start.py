"""What a new study starts from: a study of the store, one of Optuna's, or any other history."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.records import Observation
from deepwell.search.schedulers._across_folds import configurations
from deepwell.storage._open import open_store

from ._arrays import score_scale
from ._history import History
from ._observations import observed
from ._on_the_way import on_the_way
from ._optuna_start import PREFIX, optuna_start
from ._warm import WarmStart

if TYPE_CHECKING:
    import optuna


def warm_start(
    given: str | optuna.Study | Iterable[Observation],
    store: str | Path | None,
    data: Data,
    metric: str,
) -> WarmStart:
    """Return what an earlier search found, on the scale of a new study's scores.

    Args:
        given: name of a study in the same store; a study of Optuna's, or `optuna:STORAGE#STUDY`;
            or observations with scores in the metric's unit, as from `optuna_history`.
        store: where the new study is kept.
        data: of the new study.
        metric: that the new study selects by.

    Raises:
        UsageError: when there is no such study, it has no scored network, or it selected by
            another metric.
    """
    if isinstance(given, str) and not given.startswith(PREFIX):
        found = _of_study(given, store, data, metric)
    elif isinstance(given, str) or hasattr(given, "get_trials"):
        found = optuna_start(cast("optuna.Study | str", given), data, metric)
    else:
        found = _of_history(given, data, metric)
    if not any(math.isfinite(one.score) for one in found.observations):
        raise UsageError(
            f"{found.words} has no network with a dev score to start from; let it run, or give "
            "another study"
        )
    return found


def _of_study(name: str, store: str | Path | None, data: Data, metric: str) -> WarmStart:
    """Return what a study in the same store found."""
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        altered = on_the_way(History(opened, record)).altered
        trials = [t for t in opened.trials(record.id) if t.number not in altered]
    config: Mapping[str, Any] = record.config
    if config["metric"] != metric:
        raise UsageError(
            f"a warm start needs a study with the same metric, and {safe_text(record.name)} "
            f"selected by {safe_text(config['metric'])}, not {metric}; give that metric, or "
            "another study"
        )
    folds = config.get("folds", 0)
    told = [observed(trial) for trial in (configurations(trials, folds) if folds else trials)]
    scale = float(config["score_scale"]) / score_scale(data, metric)
    known = tuple(replace(one, score=one.score * scale) for one in told if not one.pending)
    same = config["fingerprint"] == data.fingerprint
    return WarmStart(record.name, same, known, given=record.name)


def _of_history(given: object, data: Data, metric: str) -> WarmStart:
    """Return observations on the scale of the new study."""
    told = list(cast(Iterable[object], given)) if isinstance(given, Iterable) else [given]
    scale = score_scale(data, metric)
    known: list[Observation] = []
    for one in told:
        if not isinstance(one, Observation):
            raise UsageError(
                "a warm start must be the name of a study, a study of Optuna's, or observations "
                f"as `optuna_history` returns them, got {safe_text(type(one).__name__)}"
            )
        if not one.pending:
            known.append(replace(one, score=one.score / scale))
    return WarmStart("", False, tuple(known))
