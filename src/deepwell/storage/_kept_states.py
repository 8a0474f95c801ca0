"""States of networks that are kept for good: files named by their hashes, rows that refer to them.

Equal states are one file, whoever refers to it. A file is written before the first row that refers
to it and removed after the last one, so that a kill leaves at worst a file without a row, which
`collect` finds. Reading compares the bytes with the hash: a state that was cut or changed is never
taken for a good one.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from deepwell._base._errors import DeepwellError, StudyError, UsageError

from ._blobs import load_arrays, packed_arrays
from ._database import Database
from ._files import shown_path, write_atomic, write_error
from ._kept_state import FOLDER, KeptState
from ._schema import BLOB
from ._text import storable

_SUFFIX = ".safetensors"
_YOUNG = 3_600.0  # seconds


class KeptStates:
    """Files and rows of states: `Store.states`.

    Args:
        database: of the store.
        folder: of the store's artifacts.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder / FOLDER

    def keep(
        self,
        study_id: int,
        states: Mapping[tuple[int, int], Mapping[str, np.ndarray]],
        kind: str,
    ) -> list[KeptState]:
        """Keep states, in place of those of the same trial, epoch and kind; on the disk on return.

        Args:
            study_id: the study.
            states: (trial, epoch) -> arrays by name.
            kind: `checkpoint`, `snapshot` or `best`.

        Raises:
            UsageError: when the place cannot be written or the disk is full.
        """
        with self.all_or_none() as kept:
            for key, arrays in states.items():
                kept.append(self.write(*key, kind, arrays))
            with self._database.writing(durable=True) as connection:
                insert_states(connection, study_id, kept)
        for state, arrays in zip(kept, states.values(), strict=True):
            if not self.file(state.hash).exists():  # the last row of an equal one took it along
                self.write(state.trial, state.epoch, kind, arrays)
        return kept

    @contextmanager
    def all_or_none(self) -> Generator[list[KeptState]]:
        """Give a list for the states that the block writes and refers to.

        Where it fails, as on a full disk, their files go again unless a row refers to them.
        """
        kept: list[KeptState] = []
        try:
            yield kept
        except BaseException:
            with contextlib.suppress(DeepwellError):
                self._remove_unreferred(kept)
            raise

    def write(
        self, trial: int, epoch: int, kind: str, arrays: Mapping[str, np.ndarray]
    ) -> KeptState:
        """Write the file of a state, and return what `insert_states` then records.

        Raises:
            UsageError: when the place cannot be written or the disk is full.
        """
        data = packed_arrays(arrays)
        digest = hashlib.sha256(data).hexdigest()
        file = self.file(digest)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            there = file.exists() and hashlib.sha256(file.read_bytes()).hexdigest() == digest
            if there:
                os.utime(file)  # for `collect`, which leaves young files to those who keep them
        except OSError as error:
            raise write_error(error, file) from error
        if not there:
            write_atomic(file, data)
        return KeptState(trial, epoch, kind, digest, len(data))

    def of(self, study_id: int, kind: str | None = None) -> list[KeptState]:
        """Return what is kept of a study, by trial, epoch and kind."""
        query = sa.select(BLOB).where(BLOB.c.study_id == study_id)
        if kind is not None:
            query = query.where(BLOB.c.kind == storable(kind))
        with self._database.reading() as connection:
            return sorted(_kept(row) for row in connection.execute(query))

    def read(self, state: KeptState) -> Mapping[str, np.ndarray]:
        """Return the arrays of a state.

        Raises:
            StudyError: when its file is gone, was cut or changed, or the disk fails.
        """
        file = self.file(state.hash)
        told = f"the state that was kept of trial {state.trial} at epoch {state.epoch}"
        again = "put the file back from a copy, or train the trial again"
        if not file.exists():
            raise StudyError(f"{told} is gone: there is no file {shown_path(file)}; {again}")
        try:
            stored = load_arrays(file)
        except UsageError as error:
            raise StudyError(f"{told} cannot be used: {error}; {again}") from error
        if stored.sha256 != state.hash:
            raise StudyError(
                f"{told} was changed: {shown_path(file)} does not have the sha256 that is its "
                f"name; {again}"
            )
        return stored.arrays

    def drop(self, study_id: int, states: Collection[KeptState]) -> int:
        """Keep these states no longer; return the bytes of the files that went.

        Files that another state refers to stay.
        """
        with self._database.writing() as connection:
            for state in states:
                connection.execute(sa.delete(BLOB).where(*_same(study_id, state)))
        return self._remove_unreferred(states)

    def collect(self, *, dry_run: bool = False) -> int:
        """Remove files that nothing refers to, and what kills left half-written; return the bytes.

        Args:
            dry_run: only say how many there are.
        """
        with self._database.writing() as connection:
            there = {file.stem: _size(file) for file in self._files() if _old(file)}
            unknown = set(there) - _referred(connection, sorted(there))
            drafts = [file for file in self._folder.glob("??/.*.tmp") if _old(file)]
            if dry_run:
                return sum(there[name] for name in unknown) + sum(map(_size, drafts))
            size = sum(map(_size, drafts))
            for file in drafts:
                file.unlink(missing_ok=True)
            return self._remove(unknown) + size

    def damaged(self, study_id: int) -> list[str]:
        """Return a sentence for each state of a study that cannot be used."""
        told: list[str] = []
        for state in self.of(study_id):
            try:
                self.read(state)
            except StudyError as error:
                told.append(str(error))
        return told

    def file(self, hash_: str) -> Path:
        """Return where the state of this hash lies."""
        return self._folder / hash_[:2] / f"{hash_}{_SUFFIX}"

    def _remove_unreferred(self, states: Collection[KeptState]) -> int:
        with self._database.writing() as connection:  # so nobody refers to one of them meanwhile
            hashes = {state.hash for state in states}
            return self._remove(hashes - _referred(connection, sorted(hashes)))

    def _files(self) -> Iterator[Path]:
        return self._folder.glob(f"??/*{_SUFFIX}")

    def _remove(self, hashes: Collection[str]) -> int:
        freed = 0
        for name in hashes:
            with contextlib.suppress(OSError):
                file = self.file(name)
                size = file.stat().st_size
                file.unlink()
                freed += size
        return freed


def _old(file: Path) -> bool:
    """Whether no process can be writing a file any more."""
    try:
        return time.time() - file.stat().st_mtime > _YOUNG
    except OSError:  # renamed or removed meanwhile
        return False


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0


def insert_states(connection: sa.Connection, study_id: int, states: Sequence[KeptState]) -> None:
    """Refer to states whose files are there, in place of those of same trial, epoch and kind."""
    for state in states:
        connection.execute(sa.delete(BLOB).where(*_same(study_id, state)))
    if states:
        rows = [{"study_id": study_id, **vars(state)} for state in states]
        connection.execute(sa.insert(BLOB), rows)


def drop_states(connection: sa.Connection, study_id: int, trials: Sequence[int], kind: str) -> None:
    """Forget the states of a kind of these trials; their files go with the next `collect`."""
    which = (BLOB.c.study_id == study_id, BLOB.c.trial.in_(trials), BLOB.c.kind == storable(kind))
    connection.execute(sa.delete(BLOB).where(*which))


def _same(study_id: int, state: KeptState) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        BLOB.c.study_id == study_id,
        BLOB.c.trial == state.trial,
        BLOB.c.epoch == state.epoch,
        BLOB.c.kind == storable(state.kind),
    )


def _kept(row: sa.Row[Any]) -> KeptState:
    return KeptState(row.trial, row.epoch, row.kind, row.hash, row.bytes)


def _referred(connection: sa.Connection, hashes: Sequence[str]) -> set[str]:
    """Return those of these hashes that a row refers to."""
    found: set[str] = set()
    for first in range(0, len(hashes), 500):  # databases take so many values at a time, not any
        some = BLOB.c.hash.in_(hashes[first : first + 500])
        found.update(connection.execute(sa.select(BLOB.c.hash).where(some).distinct()).scalars())
    return found
