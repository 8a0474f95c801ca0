"""Checkpoints: where a study stands, and the states of its networks in flight.

A checkpoint is one row of the store, which says where the study stood, how the rows of its trials
were and which files hold the states, and those files, named by nobody else. It is made in this
order, so that a kill at any point loses nothing but time:

1. The epochs that led to the states are recorded (each in one transaction, before this begins).
2. The states are written to new files: each to a temporary name, synced, renamed. A kill here
   leaves the old row and its files, and new ones that no row names.
3. The row replaces the old one in a transaction that waits for the disk. It keeps the last chunk
   and the trials' rows of that moment. A kill before its end leaves the old checkpoint, one after
   it the new one: nothing between the two can be seen.
4. Files that the row does not name are removed, of those that this run found or made: one whose
   lease was taken over meanwhile must not remove what the new holder writes. A kill here leaves
   some of them; the next run, or the end of the study, removes them.

To resume is to go back to the row: chunks recorded after it are removed and the trials stand as
they stood, in one transaction. So records and states always agree, also when the resumed run is
stopped again at once. A trial's curve depends on its specification alone, so what is trained
again is recorded again to the bit, and so are the decisions that follow from it. A kill before
the first checkpoint means to train the recorded proposals from their start; a kill before the
proposals means to propose, which gives the same ones. After the last rung the row holds the best
network alone, and a kill while the result is made means to make it again from that. The result,
the status `finished` and the end of the row are one transaction; after it the files go, and a
kill on the way leaves files that the next `resume` of the finished study removes.

Files that are gone or damaged are the same as no checkpoint: all is trained again.
"""

from __future__ import annotations

import contextlib
import math
import secrets
import shutil
import time
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import DeepwellError, UsageError
from deepwell.execution._local import LocalEngine
from deepwell.storage._blobs import load_arrays, save_arrays
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._deed import Deed
from deepwell.storage._files import write_error
from deepwell.storage._study_record import StudyRecord

from ._contenders import Contenders
from ._history import Bracket, History

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy
    from deepwell.training._program import State

FOLDER = "checkpoint"

EVERY_SECONDS = 10.0
"""Least time between two checkpoints inside a rung: about what a kill can cost."""

RUNG_SECONDS = 1.0
"""Least time between two checkpoints at the end of a rung, where the fewest networks are left."""

SHARE = 0.01
"""Largest share of the working time that may go into checkpoints; they wait for it."""

_PART_BYTES = 16 * 1024**2  # of one file, so that few states are in memory twice
_FIRST_GUESS = 1.0e8  # bytes a second that a disk takes, until one was timed
_LEAST_COST = 0.02  # seconds of a small checkpoint: two or three waits for the disk


@dataclass(frozen=True)
class Position:
    """Where a bracket stands.

    Attributes:
        population: of the bracket.
        rung: the rung at work, counted from 0; their number when all are done.
        alive: the trials of that rung, those that are over by now included; where a scheduler does
            not wait, all of the bracket that may train on, at whatever rung.
        probed: those of them that are looked into on their way through it.
        wave: those of them that are at work, where not all are; empty for all.
    """

    population: int
    rung: int
    alive: tuple[int, ...]
    probed: tuple[int, ...] = ()
    wave: tuple[int, ...] = ()

    @property
    def at_work(self) -> tuple[int, ...]:
        """The trials that train now."""
        return self.wave or self.alive

    @property
    def begins(self) -> bool:
        """Whether it is the start of a bracket of which no trial was known yet."""
        return self.rung == 0 and not self.alive


class Checkpoints:
    """Keeps one study's checkpoint up to date.

    Args:
        history: the study.
        engine: has the states.
        seconds: says the working time of all runs so far.
        contenders: have what the best networks said of the dev rows.
    """

    def __init__(
        self, history: History, engine: LocalEngine, seconds: Any, contenders: Contenders
    ) -> None:
        self._history = history
        self._engine = engine
        self._contenders = contenders
        self._seconds = seconds
        self._folder = checkpoint_folder(history.store, history.record)
        self._last = time.perf_counter()
        self._wait = 0.0
        self._bytes_a_second = _FIRST_GUESS
        self._older = _files(self._folder)

    def chunk_recorded(self, bracket: Bracket, position: Position) -> None:
        """Make a checkpoint if the last one is old enough."""
        self._make_if_due(bracket, position, EVERY_SECONDS)

    def rung_ended(self, bracket: Bracket, position: Position) -> None:
        """Make a checkpoint between two rungs unless there was one just now."""
        self._make_if_due(bracket, position, RUNG_SECONDS)

    def stopped(self, bracket: Bracket, position: Position) -> None:
        """Make a checkpoint of a run that is about to end early; where it fails, keep the old one.

        The best network is kept whatever the disk says, so a failure here is no error.
        """
        with contextlib.suppress(DeepwellError):
            self._make(bracket, position, math.inf)

    def _make_if_due(self, bracket: Bracket, position: Position, least: float) -> None:
        since = time.perf_counter() - self._last
        if since >= max(least, self._wait):
            self._make(bracket, position, SHARE * since)

    def decided_since(self, position: Position) -> bool:
        """Return whether a scheduler may have decided something since the last checkpoint."""
        kept = self._history.store.checkpoint(self._history.record.id)
        told = {"population": 0, "rung": 0} if kept is None else kept.details
        here = (position.population, position.rung)
        return bool(position.wave) or (told["population"], told["rung"]) != here

    def with_deed(
        self, bracket: Bracket, position: Position, new: Collection[int], deed: Deed
    ) -> None:
        """Record a change by hand and a checkpoint that holds it, both or neither.

        Args:
            bracket: as it is with the change.
            position: where it stands then.
            new: trials that begin with the change.
            deed: what it is.

        Raises:
            UsageError: when the checkpoint cannot be written; then nothing was recorded.
        """
        before = replace(position, alive=tuple(n for n in position.alive if n not in new))
        states = self._states(before, new)
        store, study = self._history.store, self._history.record.id
        with self._new_files() as names:
            checkpoint = self._written(bracket, position, states, names)
            store.requests.carry_out(study, replace(deed, checkpoint=checkpoint))
        self._remove_older(names)
        self._last = time.perf_counter()

    def _make(self, bracket: Bracket, position: Position, affordable: float) -> None:
        began = time.perf_counter()
        states = self._states(position)
        size = sum(array.nbytes for state in states.values() for array in state.values())
        size += sum(array.nbytes for array in self._contenders.arrays().values())
        expected = _LEAST_COST + size / self._bytes_a_second
        if expected > affordable:
            self._wait = expected / SHARE
            return
        with self._new_files() as names:
            checkpoint = self._written(bracket, position, states, names)
            self._history.store.save_checkpoint(self._history.record.id, checkpoint)
        self._remove_older(names)
        self._last = time.perf_counter()
        took = self._last - began
        self._wait = took / SHARE
        if took > _LEAST_COST:
            self._bytes_a_second = max(1.0, size / took)

    def _written(
        self, bracket: Bracket, position: Position, states: Mapping[int, State], names: set[str]
    ) -> CheckpointRecord:
        """Write the files of a checkpoint, and return the row that names them.

        Args:
            bracket: at work.
            position: where it stands.
            states: of its networks.
            names: takes the name of each file before it is written.
        """
        told = self._contenders.arrays()
        files = [self._write(part, names) for part in _parts(states)]
        details = {
            "population": position.population,
            "rung": position.rung,
            "alive": list(position.alive),
            "probed": list(position.probed),
            "wave": list(position.wave),
            "files": files,
            "contenders": self._write_arrays(told, names) if told else None,
        }
        return CheckpointRecord(self._seconds(), min(bracket.specs), details)

    @contextlib.contextmanager
    def _new_files(self) -> Generator[set[str]]:
        """Give a set for the names of files; what fails in the block leaves none of them.

        So a disk that is full does not stay full of what no row names, and of what another process
        runs nothing is left that is not its own.
        """
        names: set[str] = set()
        try:
            yield names
        except BaseException:
            self._older |= names  # where the store does not tell now what it names
            with contextlib.suppress(DeepwellError):
                kept = self._history.store.checkpoint(self._history.record.id)
                if kept is None or names.isdisjoint(_named(kept)):
                    _remove(self._folder, names)
                    with contextlib.suppress(OSError):  # where there are other files in it
                        self._folder.rmdir()
            raise

    def _remove_older(self, kept: set[str]) -> None:
        _remove(self._folder, self._older - kept)
        self._older = kept

    def _states(self, position: Position, new: Collection[int] = ()) -> Mapping[int, State]:
        """Return the states that are needed to go on: of who trains, and of the best so far."""
        going = self._history.going(position.alive)
        return self._engine.states([*self._history.to_keep(going), *new])

    def _write(self, states: Mapping[int, State], names: set[str]) -> dict[str, str]:
        named = {f"{n}/{key}": a for n, state in states.items() for key, a in state.items()}
        return self._write_arrays(named, names)

    def _write_arrays(self, arrays: Mapping[str, np.ndarray], names: set[str]) -> dict[str, str]:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise write_error(error, self._folder) from error
        name = f"{secrets.token_hex(8)}.safetensors"
        names.add(name)
        return {"name": name, "sha256": save_arrays(self._folder / name, arrays)}


def checkpoint_folder(store: Store, record: StudyRecord) -> Path:
    """Return where a study's lease and states lie while it is not finished."""
    return store.folder / record.name / FOLDER


def discard(folder: Path) -> None:
    """Remove what a finished study no longer needs."""
    shutil.rmtree(folder, ignore_errors=True)


def read_position(
    store: Store, record: StudyRecord, take: Callable[[Mapping[int, State]], None]
) -> Position | None:
    """Return where a study stood at its checkpoint, or None without a good one.

    Args:
        store: an open store.
        record: the study's row.
        take: is given the states of one file after another; what it was given before a file turns
            out to be damaged means nothing.
    """
    kept = store.checkpoint(record.id)
    if kept is None:
        return None
    details: Mapping[str, Any] = kept.details
    if read_contenders(store, record) is None:
        return None
    for file in details["files"]:
        try:
            part = load_arrays(checkpoint_folder(store, record) / file["name"])
        except UsageError:
            return None
        if part.sha256 != file["sha256"]:
            return None
        take(_states_in(part.arrays))
        del part  # before the next one is read
    probed = tuple(details.get("probed", ()))  # which checkpoints of before the probes have not
    wave = tuple(details.get("wave", ()))
    return Position(details["population"], details["rung"], tuple(details["alive"]), probed, wave)


def read_states(store: Store, record: StudyRecord) -> dict[int, State]:
    """Return the states of a study's checkpoint, none without a good one."""
    found: dict[int, State] = {}
    return {} if read_position(store, record, found.update) is None else found


def read_contenders(store: Store, record: StudyRecord) -> Mapping[str, np.ndarray] | None:
    """Return what was kept of the contenders at a checkpoint, None where its file is damaged.

    Checkpoints of before there were any have none; the luck of the choice is not measured then.
    """
    kept = store.checkpoint(record.id)
    file: Any = None if kept is None else kept.details.get("contenders")
    if file is None:
        return {}
    try:
        part = load_arrays(checkpoint_folder(store, record) / str(file["name"]))
    except UsageError:
        return None
    return part.arrays if part.sha256 == file["sha256"] else None


def _named(kept: CheckpointRecord) -> set[str]:
    """Return the names of the files that a checkpoint's row names."""
    details: Mapping[str, Any] = kept.details
    contenders: Any = details.get("contenders")
    files = [*details.get("files", ()), *([contenders] if contenders else ())]
    return {str(file["name"]) for file in files}


def _states_in(arrays: Mapping[str, np.ndarray]) -> dict[int, State]:
    states: dict[int, State] = {}
    for name, array in arrays.items():
        number, _, key = name.partition("/")
        states.setdefault(int(number), {})[key] = array
    return states


def _parts(states: Mapping[int, State]) -> Iterator[dict[int, State]]:
    """Yield the states in groups that are small enough for a file."""
    part: dict[int, State] = {}
    size = 0
    for number, state in states.items():
        bytes_ = sum(np.asarray(array).nbytes for array in state.values())
        if part and size + bytes_ > _PART_BYTES:
            yield part
            part, size = {}, 0
        part[number] = state
        size += bytes_
    if part:
        yield part


def _files(folder: Path) -> set[str]:
    """Return the states of older checkpoints, and what a kill left half-written."""
    with contextlib.suppress(OSError):
        return {f.name for f in folder.iterdir() if f.suffix in (".safetensors", ".tmp")}
    return set()


def _remove(folder: Path, names: Collection[str]) -> None:
    with contextlib.suppress(OSError):
        for name in names:
            (folder / name).unlink(missing_ok=True)
