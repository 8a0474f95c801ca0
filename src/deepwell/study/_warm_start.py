"""What an earlier study teaches a new one: its observations, and its best configurations first."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.records import Observation
from deepwell.search.schedulers._across_folds import configurations
from deepwell.search.spaces._space import Space
from deepwell.storage._open import open_store

from ._arrays import score_scale
from ._given import Given
from ._history import History
from ._observations import observed
from ._said import said

FIRST = 4
"""Configurations of the earlier study that are tried first, at most."""

_SHARE = 4  # of a study's networks one part in so many, at most


@dataclass(frozen=True)
class WarmStart:
    """An earlier study, as a sampler sees it.

    Attributes:
        study: its name.
        same_data: whether it trained on the very rows; else scores are not on one scale, and they
            are shifted by what configurations differ that both studies trained.
        observations: its trials, in the new study's unit; never counted as trials of the new one.
    """

    study: str
    same_data: bool
    observations: tuple[Observation, ...]


def warm_start(name: str, store: str | Path | None, data: Data, metric: str) -> WarmStart:
    """Return what a study in the same store found.

    Args:
        name: of the earlier study.
        store: where both are kept.
        data: of the new study.
        metric: that the new study selects by.

    Raises:
        UsageError: when there is no such study, it has no scored network, or it selected by
            another metric.
    """
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        copies = History(opened, record).sources()
        trials = [t for t in opened.trials(record.id) if t.number not in copies]
    config: Mapping[str, Any] = record.config
    if config["metric"] != metric:
        raise UsageError(
            f"a warm start needs a study with the same metric, and {safe_text(record.name)} "
            f"selected by {safe_text(config['metric'])}, not {metric}; give that metric, or "
            "another study"
        )
    folds = config.get("folds", 0)
    told = [observed(trial) for trial in (configurations(trials, folds) if folds else trials)]
    known = [one for one in told if not one.pending]
    if not any(math.isfinite(one.score) for one in known):
        raise UsageError(
            f"study {safe_text(record.name)} has no network with a dev score to start from; let "
            "it run, or give another study"
        )
    scale = float(config["score_scale"]) / score_scale(data, metric)
    same = config["fingerprint"] == data.fingerprint
    return WarmStart(
        record.name, same, tuple(replace(one, score=one.score * scale) for one in known)
    )


def best_first(warm: WarmStart, space: Space, trials: int | None) -> tuple[Given, ...]:
    """Return the best configurations of an earlier study that lie in a space, to be tried first.

    Args:
        warm: the earlier study.
        space: of the new one.
        trials: configurations that it will try, None where that is not known.
    """
    most = FIRST if trials is None else min(FIRST, trials // _SHARE)
    ranked = sorted(
        (one for one in warm.observations if math.isfinite(one.score)),
        key=lambda one: (one.score, math.inf if math.isnan(one.cost) else one.cost),
    )
    found: dict[object, Given] = {}
    for one in ranked:
        if len(found) == most:
            break
        if space.encode(one.values) is not None and space.allowed(one.values):
            values = space.present(one.values)  # exact: one that both trained is the same one
            found.setdefault(space.identity(values), Given(values, f"study {warm.study}"))
    return tuple(found.values())


def aligned(warm: WarmStart, space: Space, own: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return the earlier study's observations on the scale of this one's scores.

    On other rows the same network has another score. What it differs by is known of those that
    both studies trained: all are shifted by the median of these differences, by nothing where
    there is none yet.

    Args:
        warm: the earlier study.
        space: of the new one.
        own: what the new one observed so far.
    """
    if warm.same_data:
        return warm.observations
    here = {space.identity(one.values): one.score for one in own if math.isfinite(one.score)}
    shifts = [
        here[identity] - one.score
        for one in warm.observations
        if math.isfinite(one.score) and (identity := space.identity(one.values)) in here
    ]
    shift = statistics.median(shifts) if shifts else 0.0
    return tuple(replace(one, score=one.score + shift) for one in warm.observations)


def warm_to_plain(warm: WarmStart | None) -> dict[str, object] | None:
    """Return it as plain values; an infinite score or cost is null."""
    if warm is None:
        return None
    told = [
        {
            "values": said(complete(one.values)),
            "score": one.score if math.isfinite(one.score) else None,
            "cost": one.cost if math.isfinite(one.cost) else None,
            "epochs": one.epochs,
            "finished": one.finished,
        }
        for one in warm.observations
    ]
    return {"study": warm.study, "same_data": warm.same_data, "observations": told}


def warm_from_plain(plain: Mapping[str, Any] | None) -> WarmStart | None:
    """Return what `warm_to_plain` described."""
    if plain is None:
        return None
    told = tuple(
        Observation(
            complete(one["values"]),
            math.inf if one["score"] is None else one["score"],
            math.inf if one["cost"] is None else one["cost"],
            one["epochs"],
            one["finished"],
        )
        for one in plain["observations"]
    )
    return WarmStart(plain["study"], plain["same_data"], told)
