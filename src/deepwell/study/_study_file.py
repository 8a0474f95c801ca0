"""A study as a file: what `fit` was asked to do, to be read, changed and run again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from deepwell.data._origin import Origin
from deepwell.search.samplers._named import sampler_named
from deepwell.search.spaces._distribution import Distribution
from deepwell.search.spaces._fixed import Fixed
from deepwell.search.spaces._parse import parse_entry

from ._asked import Asked
from ._given import YOU


@dataclass(frozen=True)
class StudyFile:
    """The sections of a study's file; what is not set is left out.

    Attributes:
        data: the arguments of `load`, by the names that the options of `fit` have.
        study: those of `Study`, apart from the space.
        space: hyperparameter -> its range as text, or its one value; in the order that samplers
            depend on. Empty for the default of the data.
        run: those of `Study.run`, and the memory.
        tries: configurations to try first.
        strange: hyperparameter -> its range in words, where a file cannot hold it as it is.
    """

    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    study: Mapping[str, Any] = field(default_factory=dict[str, Any])
    space: Mapping[str, Any] = field(default_factory=dict[str, Any])
    run: Mapping[str, Any] = field(default_factory=dict[str, Any])
    tries: tuple[Mapping[str, Any], ...] = ()
    strange: Mapping[str, str] = field(default_factory=dict[str, str])


def as_file(asked: Asked, origin: Origin | None, name: str) -> StudyFile:
    """Return what a study was asked to do as the sections of a file.

    Args:
        asked: all that decides what it trains.
        origin: where its data came from; None when they were given from memory.
        name: of the study.
    """
    settings, space = asked.settings, asked.settings.space
    options = {} if origin is None else dict(origin.options)
    memory = options.pop("memory", None)
    data = {"source": None if origin is None else origin.source, **options}
    if "seed" in data:
        data["split_seed"] = data.pop("seed")
    probe = settings.probe
    study = {
        "name": name,
        "seed": settings.seed,
        "search": settings.search,
        "scheduler": settings.scheduler,
        "program": asked.program,
        "metric": settings.metric,
        "best_possible": settings.best_possible,
        "folds": settings.folds or None,
        "probe": ",".join(map(str, probe)) if isinstance(probe, tuple) else probe,
        "probe_every": settings.probe_every or None,
        "checkpoints": settings.checkpoints,
        "constraints": list(space.constraints),
        "warm_start": None if asked.warm is None else asked.warm.given,
    }
    run = {
        "trials": _trials(asked),
        "budget": asked.budget,
        "memory": memory,
        "until_settled": asked.until_settled or None,
    }
    entries = {key: _as_written(key, entry) for key, entry in space.items()}
    tries = (one.values for one in asked.given if one.by == YOU and one.after == 0)
    return StudyFile(
        data=_set(data),
        study=_set(study),
        space={key: entry for key, entry in entries.items() if entry is not None},
        run=_set(run),
        tries=tuple({key: _plain(value) for key, value in one.items()} for one in tries),
        strange={key: space[key].describe() for key, entry in entries.items() if entry is None},
    )


def _trials(asked: Asked) -> int | None:
    """Return the networks that were asked for; None for all of a grid, whose steps follow alone."""
    size = sampler_named(asked.settings.search).size
    if asked.trials is None or asked.points is not None or size is None:
        return asked.trials
    return None if size(asked.settings.space, None)[0] == asked.trials else asked.trials


def flat(file: StudyFile) -> dict[str, Any]:
    """Return section and name -> value, as in `data.target`, of all that is set.

    Ranges that a file cannot hold are told in words, so that a study without them differs.
    """
    space = {**file.space, **file.strange}
    parts = {"data": file.data, "study": file.study, "space": space, "run": file.run}
    told = {f"{part}.{key}": value for part, given in parts.items() for key, value in given.items()}
    return told | {f"try.{place}": dict(one) for place, one in enumerate(file.tries, start=1)}


def _as_written(name: str, entry: Distribution) -> object:
    """Return an entry as a file holds it, None where it would not be read back as it is."""
    if isinstance(entry, Fixed):
        return _plain(entry.value)
    text = entry.describe()
    try:
        return text if parse_entry(f"{name}={text}")[1] == entry else None
    except ValueError:
        return None


def _plain(value: object) -> object:
    return list(cast(tuple[object, ...], value)) if isinstance(value, tuple) else value


def _set(values: Mapping[str, Any]) -> dict[str, Any]:
    empty: tuple[object, ...] = (None, "", (), [])
    return {key: value for key, value in values.items() if value not in empty}
