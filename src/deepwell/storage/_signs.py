"""Whose files a folder has, said inside of it from its study's first rename on.

A database that is put back from before a rename has the study's older name, and the disk the folder
with the newer one. The sign in the folder names the study by what no rename changes, so that the
record follows the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Any

from deepwell._base._errors import UsageError

from ._files import write_atomic
from ._names import folded, free_name, renamed_result, valid_name
from ._text import from_json, to_json

FILE = ".study"

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, OverflowError, UsageError)


def sign(folder: Path, database: str, study: int, created: float) -> None:
    """Say in a study's folder which study of which database it is of.

    Raises:
        UsageError: when the folder cannot be written.
    """
    told = {"database": database, "study": study, "created": created}
    write_atomic(folder / FILE, json.dumps(told, sort_keys=True).encode())


def follow_folders(
    connection: sqlite3.Connection, folder: Path, database: str
) -> list[tuple[str, str]]:
    """Give each study the name that its folder has.

    Another study that has this name, and no such folder, gets a free one.

    Args:
        connection: to the database, which nobody else uses.
        folder: of the store.
        database: name of its file.

    Returns:
        (name until now, name from now on) of each study that got another one.
    """
    signs = _signs(folder, database)
    names: dict[int, str] = {}
    wanted: dict[int, str] = {}
    for study, created, name in connection.execute("SELECT id, created, name FROM study"):
        names[study] = name
        places = signs.get((study, created), [])
        if len(places) == 1 and places[0] != name:
            wanted[study] = places[0]
    connection.execute("BEGIN IMMEDIATE")
    for study in wanted:  # out of the way: two may have each other's name
        _set_name(connection, study, f".{study}")
    for study, name in list(wanted.items()):
        found = "SELECT id FROM study WHERE folded = ?"
        holder = connection.execute(found, (folded(name),)).fetchone()
        if holder is not None:
            taken = {row[0] for row in connection.execute("SELECT folded FROM study")}
            free = free_name(name, taken, lambda one: os.path.lexists(folder / one))
            wanted[holder[0]] = free
            _set_name(connection, holder[0], free)
        _set_name(connection, study, name)
    for study, name in wanted.items():
        _set_result(connection, study, names[study], name)
    connection.execute("COMMIT")
    return [(names[study], name) for study, name in wanted.items()]


def without_folder(connection: sqlite3.Connection, folder: Path) -> list[str]:
    """Return the names of studies that have an outcome and no folder."""
    ended = connection.execute("SELECT name FROM study WHERE result IS NOT NULL ORDER BY id")
    return [name for (name,) in ended if not (folder / name).is_dir()]


def _signs(folder: Path, database: str) -> dict[tuple[int, float], list[str]]:
    """Return (id, time of creation) of a study -> the folders that say they are its."""
    found: dict[tuple[int, float], list[str]] = {}
    for file in sorted(folder.glob(f"*/{FILE}")):
        with contextlib.suppress(*_UNREADABLE):
            told: dict[str, Any] = json.loads(file.read_bytes())
            name = valid_name(file.parent.name)  # a half-removed one is none
            if told["database"] == database:
                found.setdefault((int(told["study"]), float(told["created"])), []).append(name)
    return found


def _set_name(connection: sqlite3.Connection, study: int, name: str) -> None:
    values = (name, folded(name), study)
    connection.execute("UPDATE study SET name = ?, folded = ? WHERE id = ?", values)


def _set_result(connection: sqlite3.Connection, study: int, old: str, new: str) -> None:
    kept = connection.execute("SELECT result FROM study WHERE id = ?", (study,)).fetchone()[0]
    if kept is not None:
        told = to_json(renamed_result(from_json(kept), old, new))
        connection.execute("UPDATE study SET result = ? WHERE id = ?", (told, study))
