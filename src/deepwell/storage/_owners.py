"""Which databases have files in a folder: what none of one needs may be another one's.

Two stores may share a folder, as two files of SQLite in one place, or databases of a server with
one `DEEPWELL_FOLDER`. Files of SQLite are found by their content, and a database of a server leaves
its name there.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

FOLDER = ".databases"
_MAGIC = b"SQLite format 3\0"
_SET_ASIDE = "-damaged-"


def sign(folder: Path, name: str) -> None:
    """Leave the name of a database in a folder in which it does not lie itself.

    Where nobody may write, nothing is left.
    """
    with contextlib.suppress(OSError):
        mark = folder / FOLDER / name
        if not (folder / name).exists() and not mark.exists():
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()


def is_alone(folder: Path, name: str) -> bool:
    """Return whether no other database has files in a folder."""
    try:
        marks = {mark.name for mark in (folder / FOLDER).glob("*")} - {name}
        files = [f for f in folder.glob("*") if f.is_file() and f.name != name]
        others = [f for f in files if _SET_ASIDE not in f.name and _is_sqlite(f)]
    except OSError:
        return False
    return not marks and not others


def _is_sqlite(file: Path) -> bool:
    with file.open("rb") as opened:
        return opened.read(len(_MAGIC)) == _MAGIC
