"""Running a study's file, and what it says otherwise than the study of that name in the store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._load import DEFAULT_VAULT, load
from deepwell.records import StudyResult
from deepwell.storage._open import open_store

from ._asked import from_config, origin_of
from ._observer import Observer
from ._study import Study
from ._study_file import StudyFile, as_file, flat
from ._study_file_read import read_study_file

_LONGEST = 200


@dataclass(frozen=True)
class Changes:
    """What a file says otherwise than a study that is kept.

    Attributes:
        study: its name.
        lines: one a key, as in `study.search: random -> bayesian`; none for an unchanged file.
    """

    study: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class ReadyStudy:
    """A study made from a file, its data read.

    Attributes:
        study: not run yet.
        sizes: the arguments of its run.
        changes: against the study of that name, or else that in whose folder the file lies; None
            where the store has neither.
    """

    study: Study
    sizes: Mapping[str, Any]
    changes: Changes | None

    def run(self) -> StudyResult:
        """Train it."""
        return self.study.run(**self.sizes)


def run_file(
    path: str | Path,
    *,
    name: str | None = None,
    store: str | Path | None = None,
    observer: Observer | None = None,
) -> StudyResult:
    """Train what a study's file says, as a new study, and return the outcome.

    `fit` leaves such a file, `study.toml`, in the folder of each study. With `trials` in it, the
    same file gives the same networks, bit for bit, on the same machine and versions.

    >>> import deepwell as dw                                   # doctest: +SKIP
    >>> dw.run_file("deepwell/churn/study.toml").dev            # doctest: +SKIP
    Estimate(value=0.186, low=0.167, high=0.207)

    Args:
        path: of the file; paths in it are relative to its folder.
        name: of the new study; None takes the file's. A taken name becomes `name-2`.
        store: folder or URL; None means `./deepwell`.
        observer: hears what happens.

    Raises:
        UsageError: when the file cannot be read or says what cannot be.
        StudyError: when the run fails as any may.
    """
    return ready(path, name=name, store=store, observer=observer).run()


def ready(
    path: str | Path,
    *,
    name: str | None = None,
    store: str | Path | None = None,
    observer: Observer | None = None,
    vault: str | Path | None = DEFAULT_VAULT,
) -> ReadyStudy:
    """Return the study that a file describes, with its data read; as `run_file`.

    Args:
        path: of the file.
        name: of the new study; None takes the file's.
        store: folder or URL; None means `./deepwell`.
        observer: hears what happens.
        vault: folder in which the test rows are sealed until the study takes them over; None
            seals none.
    """
    file = read_study_file(path)
    options = dict(file.data)
    options["seed"] = options.pop("split_seed", None)
    data = load(options.pop("source"), **options, memory=file.run.get("memory"), vault=vault)
    given: dict[str, Any] = {**file.study, **({} if name is None else {"name": name})}
    study = Study(data, file.space or None, store=store, observer=observer, **given)
    for values in file.tries:
        study.enqueue(values)
    sizes = {key: value for key, value in file.run.items() if key != "memory"}
    return ReadyStudy(study, sizes, _changes(study.as_file(**sizes), store, Path(path)))


def _changes(asked: StudyFile, store: str | Path | None, file: Path) -> Changes | None:
    """Return what is asked for otherwise than of the study of that name.

    Where there is none, than of the study in whose folder the file lies; None without that too.
    """
    try:
        with open_store(store, create=False) as opened:
            records = {record.name: record for record in opened.studies()}
            place = file.resolve().parent
            own = place.name if place.parent == opened.folder.resolve() else ""
    except UsageError:  # no store yet
        return None
    record = records.get(str(asked.study["name"])) or records.get(own)
    if record is None:
        return None
    kept = flat(as_file(from_config(record), origin_of(record), record.name))
    new = flat(asked)
    if "study.program" not in new:  # what is left open is no change
        kept.pop("study.program", None)
    return Changes(record.name, tuple(_lines(kept, new)))


def _lines(kept: Mapping[str, Any], new: Mapping[str, Any]) -> Sequence[str]:
    names = [*new, *(name for name in kept if name not in new)]
    told = [
        f"{safe_text(name)}: {_shown(kept, name)} -> {_shown(new, name)}"
        for name in names
        if kept.get(name) != new.get(name)
    ]
    if not told and _space_of(kept) != _space_of(new):
        told.append("the order of the space, which decides what is drawn")
    return told


def _space_of(values: Mapping[str, Any]) -> list[str]:
    return [name for name in values if name.startswith("space.")]


def _shown(values: Mapping[str, Any], name: str) -> str:
    return safe_text(values[name], _LONGEST) if name in values else "not set"
