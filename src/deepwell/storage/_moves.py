"""Folders moved in one act with the record of it, whatever ends the process on the way.

No transaction of a database moves a folder. So a note of the move is left on the disk before it,
inside the transaction that records it: which folder, where to, and the name that the study has once
all is recorded. Afterwards the note goes. Where it is still there when a store is opened, a kill, a
full disk or a lost connection came in between, and the database decides: with that name in it the
folder belongs in its new place, without it in its old one.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deepwell._base._atomic_file import sync_folder
from deepwell._base._errors import DeepwellError

from ._database import Database
from ._files import write_atomic, write_error
from ._schema import STUDY
from ._signs import sign
from ._study_record import StudyRecord

FOLDER = ".moves"
"""Beside the studies' folders; no study can have this name."""

_SUFFIX = ".json"


@dataclass(frozen=True)
class Move:
    """A folder that goes to another place, and how the database tells that it has.

    Attributes:
        source, target: its names before and after, beside each other in the store's folder.
        study: id of the study whose record goes with it.
        name: what the study is called when the move is recorded, and not before.
    """

    source: str
    target: str
    study: int
    name: str


class Moves:
    """The moves of one store's folders.

    Args:
        database: of the store.
        folder: of its artifacts.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder
        self._notes = folder / FOLDER

    @contextmanager
    def recording(self) -> Generator[sa.Connection, None, None]:
        """Give the connection of the only writer, for records that go with moves.

        However the block ends, the folders lie where the database says, and where that cannot be
        had now they will at the next opening of the store.
        """
        try:
            with self._database.writing(durable=True) as connection:
                yield connection
        finally:
            self.settle()

    def move(self, move: Move) -> None:
        """Move a folder, if it is there: inside of `recording`, the last act before its end.

        Raises:
            UsageError: when it cannot be moved; then nothing is.
        """
        here, there = self._folder / move.source, self._folder / move.target
        if not os.path.lexists(here):
            return
        try:
            self._notes.mkdir(exist_ok=True)
            told = {"database": self._database.backend.name, **asdict(move)}
            write_atomic(self._notes / f"{secrets.token_hex(8)}{_SUFFIX}", _packed(told))
            here.rename(there)
            sync_folder(self._folder)
        except OSError as error:
            raise write_error(error, there) from error
        finally:
            with contextlib.suppress(OSError):  # empty, where the note itself found no room
                self._notes.rmdir()

    def sign(self, study: StudyRecord) -> None:
        """Say in a study's folder, if it is there, that it is of this study of this database.

        Raises:
            UsageError: when it cannot be written.
        """
        folder = self._folder / study.name
        if folder.is_dir():
            sign(folder, self._database.backend.name, study.id, study.created)

    def settle(self) -> None:
        """Put the folders of moves that broke off where the database says.

        What cannot be done, as where nobody may write, is left to the next opening.
        """
        with contextlib.suppress(DeepwellError, OSError):
            if not self._own():  # a look, at every opening
                return
            # Whoever moves a folder holds the writers' lock until all is recorded.
            with self._database.writing() as connection:
                for note, move in self._own():
                    self._put(connection, move)
                    note.unlink(missing_ok=True)
                with contextlib.suppress(OSError):  # another database has some too
                    self._notes.rmdir()

    def _own(self) -> list[tuple[Path, Move]]:
        """Return the notes of this database, and what they say."""
        read = ((note, _read(note)) for note in sorted(self._notes.glob(f"*{_SUFFIX}")))
        own = self._database.backend.name
        return [(note, told[1]) for note, told in read if told is not None and told[0] == own]

    def _put(self, connection: sa.Connection, move: Move) -> None:
        named = sa.select(STUDY.c.name).where(STUDY.c.id == move.study)
        recorded = connection.execute(named).scalar_one_or_none() == move.name
        places = self._folder / move.source, self._folder / move.target
        wrong, right = places if recorded else reversed(places)
        if os.path.lexists(wrong) and not os.path.lexists(right):
            wrong.rename(right)
            sync_folder(self._folder)


def _packed(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True).encode()


def _read(note: Path) -> tuple[str, Move] | None:
    """Return whose note it is and what it says; None for one that is gone, or says no move."""
    try:
        told: dict[str, Any] = json.loads(note.read_bytes())
        move = Move(str(told["source"]), str(told["target"]), int(told["study"]), str(told["name"]))
        inside = all(map(_stays_inside, (move.source, move.target)))
        return (str(told["database"]), move) if inside else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _stays_inside(name: str) -> bool:
    """Whether a name leads to no other folder: a store may come from anyone."""
    return name not in ("", ".", "..") and not set(name) & set("/\\:\0")
