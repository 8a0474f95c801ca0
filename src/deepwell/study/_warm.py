"""What an earlier study teaches a new one: its observations, and its best configurations first."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS, Value, complete
from deepwell._base._safe_text import safe_text
from deepwell.records import Observation
from deepwell.search.spaces._axis_items import axis_parts
from deepwell.search.spaces._distribution import Distribution
from deepwell.search.spaces._entry import has
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._layers import LAYERED
from deepwell.search.spaces._per_layer import PerLayer
from deepwell.search.spaces._space import Space
from deepwell.search.spaces._when import When

from ._given import Given
from ._said import said

FIRST = 4
"""Configurations of the earlier study that are tried first, at most."""

_SHARE = 4  # of a study's networks one part in so many, at most


@dataclass(frozen=True)
class WarmStart:
    """An earlier study, or another history, as a sampler sees it.

    Attributes:
        study: its name; empty for a history without one.
        same_data: whether it trained on the very rows; else scores are not on one scale, and they
            are shifted by what configurations differ that both studies trained.
        observations: its trials, in the new study's unit; never counted as trials of the new one.
        given: the text by which it is found again; empty where there is none.
        left_out: how many of its trials say too little, and of what, in words.
    """

    study: str
    same_data: bool
    observations: tuple[Observation, ...]
    given: str = ""
    left_out: tuple[str, ...] = ()

    @property
    def words(self) -> str:
        """What it is, as in `study churn`."""
        return f"study {safe_text(self.study)}" if self.study else "the history that was given"


def within(warm: WarmStart, space: Space) -> WarmStart:
    """Return an earlier study as the start of one in this space.

    What an observation leaves open is as the space holds it fixed. Those that leave open what is
    searched, or say what no network can have, are left out, and counted; those that are networks,
    but outside of the space, are passed over by samplers as long as they are.

    Args:
        warm: the earlier study.
        space: of the new one.

    Raises:
        UsageError: when none of them lies in the space.
    """
    longest = max((one.epochs for one in warm.observations), default=0)
    whole: list[Observation] = []
    missing: Counter[str] = Counter()
    for one in warm.observations:
        told = _whole(one.values, space)
        if isinstance(told, str):
            missing[told] += 1
        else:
            whole.append(replace(one, values=told, epochs=_epochs(one, told, longest)))
    outside = [one.values for one in whole if space.place(one.values) is None]
    left_out = tuple(f"{count:,} {why}" for why, count in missing.most_common())
    if len(outside) == len(whole):
        strange = Counter(name for values in outside for name in _strange(values, space))
        why = [f"{count:,} have another `{name}`" for name, count in strange.most_common(2)]
        forbidden = sum(space.encode(values) is not None for values in outside)
        why += [f"{forbidden:,} break a constraint"] if forbidden else []
        raise UsageError(
            f"a warm start needs a configuration that lies in the space, and of the "
            f"{len(warm.observations):,} of {warm.words} none does: "
            f"{', '.join([*left_out, *why])}; change the space, or start without it"
        )
    return replace(warm, observations=tuple(whole), left_out=left_out)


def _whole(values: Mapping[str, Value], space: Space) -> dict[str, Value] | str:
    """Return all hyperparameters of a configuration, or what keeps it from being one."""
    if HYPERPARAMETERS.keys() <= values.keys():
        return dict(values)
    told = {n: d.value for n, d in space.items() if isinstance(d, Fixed)}
    told |= {n: value for n, value in values.items() if n in HYPERPARAMETERS}
    for name, entry in space.items():
        if isinstance(entry, When) and isinstance(entry.item, Fixed) and entry.holds(told):
            told.setdefault(name, entry.item.value)
    try:
        whole = complete(told)
    except UsageError:
        return "with values that no network can have"
    axes = zip(space.searched, space.active(whole), strict=True)
    needed = [axis if axis in space else axis_parts(axis)[0] for axis, matters in axes if matters]
    listed = {LAYERED[n] for n, v in told.items() if n in LAYERED and isinstance(v, tuple)}
    missing = next((name for name in needed if name not in listed | told.keys()), None)
    return whole if missing is None else f"without `{missing}`"


def _epochs(one: Observation, whole: Mapping[str, Value], longest: int) -> int:
    """Return the epochs behind a score, of one whose steps may be of any length."""
    if "epochs" in one.values or not longest:
        return one.epochs
    return math.ceil(one.epochs / longest * int(str(whole["epochs"])))


def _strange(values: Mapping[str, Value], space: Space) -> list[str]:
    """Return the names by which a network lies outside of a space."""
    present = space.present(values)
    found = [name for name, value in present.items() if not _fits(space[name], value)]
    try:
        usual = complete(present)
    except UsageError:
        return found
    return found + [n for n in values if n not in present and values[n] != usual.get(n)]


def _fits(entry: Distribution, value: Value) -> bool:
    item = entry.item if isinstance(entry, When) else entry
    if isinstance(item, PerLayer) and isinstance(value, tuple):
        return all(has(item, one) for one in value)
    return has(item, value)


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
        if space.place(one.values) is not None:
            values = space.present(one.values)  # exact: one that both trained is the same one
            found.setdefault(space.identity(values), Given(values, warm.words))
    return tuple(found.values())


def aligned(warm: WarmStart, space: Space, own: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return the earlier study's observations on the scale of this one's scores.

    On other rows the same network has another score. What it differs by is known of those that
    both studies trained to their ends, or for as many epochs: all are shifted by the median of
    these differences, by nothing where there is none yet.

    Args:
        warm: the earlier study.
        space: of the new one.
        own: what the new one observed so far.
    """
    if warm.same_data:
        return warm.observations
    here = {space.identity(one.values): one for one in own if math.isfinite(one.score)}
    pairs = (
        (here[identity], one)
        for one in warm.observations
        if math.isfinite(one.score) and (identity := space.identity(one.values)) in here
    )
    shifts = [new.score - old.score for new, old in pairs if _as_long(new, old)]
    shift = statistics.median(shifts) if shifts else 0.0
    return tuple(replace(one, score=one.score + shift) for one in warm.observations)


def _as_long(one: Observation, other: Observation) -> bool:
    """Whether two scores of a network are of the same length of training."""
    return one.epochs == other.epochs or (one.finished and other.finished)


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
    return {
        "study": warm.study,
        "same_data": warm.same_data,
        "observations": told,
        "given": warm.given,
        "left_out": list(warm.left_out),
    }


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
    given = plain.get("given", plain["study"])  # of before there were other histories
    left_out = tuple(plain.get("left_out", ()))
    return WarmStart(plain["study"], plain["same_data"], told, given, left_out)
