"""Folders moved with the record of it: whatever ends the process, both agree when it is opened."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from deepwell._base._errors import StudyError, UsageError
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage._moves import Move, Moves

# Kills itself before the folder is moved, before the end of the transaction, or after it.
KILLED = """
import os, signal, sys
from pathlib import Path
from deepwell.storage import _moves, open_store
where, act, moment = sys.argv[1:]
def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)
moments = {
    "noted": (Path, "rename"),
    "moved": (_moves, "sync_folder"),
    "recorded": (_moves.Moves, "settle"),
}
store = open_store(where)
setattr(*moments[moment], die)
if act == "rename":
    store.removal.rename(store.study("churn"), "wine", None)
else:
    store.removal.purge(store.removal.find_deleted("churn").id)
"""


def kill(where: str, act: str, moment: str) -> None:
    command = [sys.executable, "-c", KILLED, where, act, moment]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.fixture
def folder(store: Store, study: StudyRecord) -> Path:
    """The folder of the study churn, with a file in it."""
    made = store.folder / study.name
    made.mkdir()
    (made / "report.txt").write_text("all is well\n")
    return made


def names(store: Path) -> list[str]:
    """The folders of studies, half-made ones, and of notes."""
    found = [path.name for path in store.iterdir() if path.is_dir() and path.name != ".databases"]
    return sorted("draft" if name.endswith(".tmp") else name for name in found)


@pytest.mark.parametrize("moment", ["noted", "moved", "recorded"])
def test_a_killed_rename_leaves_the_old_state_or_the_new_one(
    moment: str, store: Store, where: str, folder: Path
):
    kill(where, "rename", moment)
    name = "wine" if moment == "recorded" else "churn"
    with open_store(where, create=False) as again:
        assert [study.name for study in again.studies()] == [name]
        assert names(again.folder) == [name]
        assert (again.folder / name / "report.txt").read_text() == "all is well\n"
        again.removal.rename(again.study(name), "grapes", None)
    assert names(store.folder) == ["grapes"]


@pytest.mark.parametrize(("moment", "left"), [("moved", ["churn"]), ("recorded", ["draft"])])
def test_a_killed_removal_leaves_the_study_or_a_half_written_file(
    moment: str, left: list[str], sqlite_store: Store, tmp_path: Path
):
    made = sqlite_store.create_study("churn", {})
    (sqlite_store.folder / "churn").mkdir()
    sqlite_store.removal.delete([made.id])
    kill(str(sqlite_store.folder), "purge", moment)
    with open_store(sqlite_store.folder) as again:
        assert names(again.folder) == left
        assert [study.name for study in again.removal.deleted()] == [
            n for n in left if n != "draft"
        ]
        free = "churn-2" if left == ["churn"] else "churn"
        assert again.create_study("churn", {}).name == free


@contextmanager
def failing_commits(store: Store) -> Iterator[None]:
    def fail(_: sa.Connection) -> None:
        raise StudyError("the disk failed")

    engine = store._database._engine
    sa.event.listen(engine, "commit", fail)
    try:
        yield
    finally:
        sa.event.remove(engine, "commit", fail)


def test_a_rename_that_cannot_be_recorded_moves_nothing(
    store: Store, study: StudyRecord, folder: Path
):
    with failing_commits(store), pytest.raises(StudyError, match="the disk failed"):
        store.removal.rename(study, "wine", None)
    assert (names(store.folder), store.study("churn").id) == (["churn"], study.id)
    store.removal.rename(study, "wine", None)
    assert (names(store.folder), store.study("wine").id) == (["wine"], study.id)


def test_a_folder_that_cannot_be_moved_renames_nothing(
    store: Store, study: StudyRecord, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: Path, to: Path) -> None:
        raise PermissionError(13, os.strerror(13), str(to))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", fail)
        with pytest.raises(UsageError, match="no permission to write"):
            store.removal.rename(study, "wine", None)
    assert (names(store.folder), store.study("churn").id) == (["churn"], study.id)


def test_a_study_without_a_folder_is_renamed(store: Store, study: StudyRecord):
    store.removal.rename(study, "wine", None)
    assert (names(store.folder), store.study("wine").id) == ([], study.id)


def note(store: Store, **other: object) -> Path:
    """A note of a move of churn to wine that is not recorded."""
    told = {"database": store._database.backend.name, "source": "churn", "target": "wine"}
    file = store.folder / ".moves" / "0.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps({**told, "study": 1, "name": "wine", **other}))
    return file


def test_a_note_of_another_database_is_left_to_it(store: Store, folder: Path, where: str):
    folder.rename(store.folder / "wine")
    file = note(store, database="another.db")
    open_store(where).close()
    assert file.exists()
    assert names(store.folder) == [".moves", "wine"]


def test_folders_that_are_both_there_stay(store: Store, folder: Path, where: str):
    (store.folder / "wine").mkdir()
    file = note(store)
    open_store(where).close()
    assert not file.exists()
    assert names(store.folder) == ["churn", "wine"]


@pytest.mark.parametrize(
    "hostile",
    [
        {"target": "../wine"},
        {"target": "/tmp/wine"},
        {"source": ".."},
        {"target": ""},
        {"study": None},
        {"target": "a\\b"},
    ],
)
def test_a_note_leads_out_of_no_folder(
    hostile: dict[str, object], store: Store, folder: Path, where: str
):
    (store.folder.parent / "wine").mkdir()
    note(store, **hostile)
    with open_store(where) as again:
        assert again.study("churn")
    assert "churn" in names(store.folder)
    assert (store.folder.parent / "wine").exists()


@pytest.mark.parametrize("content", [b"", b"\xff", b"[]", b"{}", b"7"])
def test_a_note_that_says_nothing_hinders_nobody(
    content: bytes, store: Store, folder: Path, where: str
):
    note(store).write_bytes(content)
    open_store(where).close()
    assert "churn" in names(store.folder)


def test_whoever_moves_is_waited_for(store: Store, study: StudyRecord, folder: Path, where: str):
    """A store that is opened between a move and the end of its record must not undo it."""
    moves = Moves(store._database, store.folder)
    opening = threading.Thread(target=lambda: open_store(where).close())
    with moves.recording() as connection:
        connection.exec_driver_sql("UPDATE study SET name = 'wine', folded = 'wine'")
        moves.move(Move("churn", "wine", study.id, "wine"))
        opening.start()
        opening.join(0.5)
        assert opening.is_alive()
    opening.join(30)
    assert not opening.is_alive()
    assert names(store.folder) == ["wine"]
