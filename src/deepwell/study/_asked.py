"""What a study was asked to do, as it is kept in the store: enough for another process to go on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._origin import Origin
from deepwell.data._vault import SealedTest
from deepwell.records import from_plain, to_plain
from deepwell.search.spaces._plain import space_from_plain, space_to_plain
from deepwell.storage._study_record import StudyRecord

from ._arrays import score_scale
from ._given import Given, given_from_plain, given_to_plain
from ._probe_choice import NONE
from ._retention import BEST
from ._settings import Settings
from ._warm import WarmStart, warm_from_plain, warm_to_plain


@dataclass(frozen=True)
class Asked:
    """All that decides what a study trains, its data apart.

    Attributes:
        settings: the choices of the study, the epochs of the run among the fixed values.
        program: what trains, `native` or `jax`.
        trials: networks to train, or None.
        budget: seconds of working time, or None.
        memory: bytes for data, networks in training and workspaces; None for no bound.
        parent: the study that this one improves, and by what, in words; empty for none.
        given: configurations that are tried before what the sampler proposes.
        warm: the earlier study that the sampler starts from, or None.
        until_settled: whether the study ends before its time where one more round is not expected
            to pay.
        points: configurations that a sampler which has an end in mind, a grid, is planned for;
            None where nobody said how many, so that it goes by its own steps.
    """

    settings: Settings
    program: str
    trials: int | None = None
    budget: float | None = None
    memory: int | None = None
    parent: str = ""
    given: tuple[Given, ...] = ()
    warm: WarmStart | None = None
    until_settled: bool = False
    points: int | None = None


def to_config(asked: Asked, data: Data, sealed: SealedTest | None) -> dict[str, object]:
    """Return what the store keeps of a study, as plain values.

    Args:
        asked: the choices.
        data: what is trained on.
        sealed: the test rows in the store's own vault.
    """
    settings = asked.settings
    return {
        **search_config(asked),
        "scheduler": settings.scheduler,
        "seed": settings.seed,
        "metric": settings.metric,
        "score_scale": score_scale(data, settings.metric),
        "best_possible": settings.best_possible,
        "folds": settings.folds,
        "probe": list(settings.probe) if isinstance(settings.probe, tuple) else settings.probe,
        "probe_every": settings.probe_every,
        "checkpoints": settings.checkpoints,
        "program": asked.program,
        "memory": asked.memory,
        "parent": asked.parent,
        "warm": warm_to_plain(asked.warm),
        "data": to_plain(data.facts),
        "origin": None if data.origin is None else asdict(data.origin),
        "fingerprint": data.fingerprint,
        "encoding": encoding(data),
        "weighting": to_plain(data.weighting),
        "vault": None if sealed is None else {**vars(sealed), "path": Path(sealed.path).name},
    }


def search_config(asked: Asked) -> dict[str, object]:
    """Return of it what changes when a study goes on by another space or sampler, or for longer."""
    return {
        "space": space_to_plain(asked.settings.space),
        "search": asked.settings.search,
        "trials": asked.trials,
        "budget": asked.budget,
        "given": given_to_plain(asked.given),
        "until_settled": asked.until_settled,
        "points": asked.points,
    }


def from_config(record: StudyRecord) -> Asked:
    """Return what `to_config` kept.

    Raises:
        UsageError: when an older Deepwell kept less than is needed.
    """
    config: Mapping[str, Any] = record.config
    if "encoding" not in config:
        raise UsageError(
            f"study {safe_text(record.name)} was begun by a Deepwell that could not resume "
            "studies, and too little of it is kept; fit again"
        )
    settings = Settings(
        space=space_from_plain(config["space"]),
        search=config["search"],
        scheduler=config["scheduler"],
        seed=config["seed"],
        metric=config["metric"],
        best_possible=config["best_possible"],
        folds=config.get("folds", 0),
        probe=config.get("probe", NONE),  # studies of before the probes had none
        probe_every=config.get("probe_every", 0),
        checkpoints=config.get("checkpoints", BEST),
    )
    memory = config.get("memory")  # which studies of before the budget have not
    parent = config.get("parent", "")
    return Asked(
        *(settings, config["program"], config["trials"], config["budget"], memory, parent),
        given=given_from_plain(config.get("given", ())),  # nor these
        warm=warm_from_plain(config.get("warm")),
        until_settled=config.get("until_settled", False),
        points=config.get("points", config["trials"]),
    )


def origin_of(record: StudyRecord) -> Origin | None:
    """Return where a study's data came from, or None when they were given from memory."""
    kept = record.config["origin"]
    return None if kept is None else from_plain(Origin, kept)


def encoding(data: Data) -> str:
    """Return a sha256 of how rows become inputs and targets, as fitted on the train rows."""
    encoders = [data.table_encoder.to_plain(), data.target_encoder.to_plain()]
    return hashlib.sha256(json.dumps(encoders, sort_keys=True).encode()).hexdigest()
