"""A process that is killed while it makes or changes the tables of a store."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from tests.storage.test_storage_migrate import DATA, check_contents
from tests.storage.test_storage_postgresql import copy_rows
from tests.storage.test_storage_postgresql import database as database

from deepwell.storage import _migrate as migrate
from deepwell.storage import open_store
from deepwell.storage._address import read_address
from deepwell.storage._database import Database
from deepwell.storage._postgres import Postgres
from deepwell.storage._schema import REVISION, VERSION

# Kills itself after so many statements that change something.
KILLED = """
import os, signal, sys
import sqlalchemy as sa
from deepwell.storage import open_store
left = [int(sys.argv[2])]
def count(connection, cursor, statement, *_):
    left[0] -= statement.lstrip()[:6].upper() in ("CREATE", "ALTER ", "INSERT", "UPDATE", "DROP V")
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
sa.event.listen(sa.engine.Engine, "after_cursor_execute", count)
open_store(sys.argv[1]).close()
print("came to its end")
"""
FEW = (1, 9, 30)


def killed(where: str, statements: int) -> bool:
    """Open a store in a process that is killed on the way; return whether it was."""
    command = [sys.executable, "-c", KILLED, where, str(statements)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    return done.returncode != 0


def check_older(tmp_path: Path, moments: range | tuple[int, ...]) -> int:
    """Kill an upgrade at each moment; return how often it was killed."""
    hits = 0
    for moment in moments:
        place = tmp_path / str(moment)
        place.mkdir()
        shutil.copy(DATA / "schema_1.db", place / "store.db")
        hits += killed(str(place), moment)
        with open_store(place, create=False) as store:
            check_contents(store)
            with store._database.reading() as connection:
                assert connection.execute(sa.select(VERSION)).scalar_one() == REVISION
    return hits


def test_a_killed_upgrade_changes_nothing_and_is_made_again(tmp_path: Path):
    assert check_older(tmp_path, FEW) == len(FEW)


@pytest.mark.slow
def test_upgrades_killed_at_every_statement(tmp_path: Path):
    assert check_older(tmp_path, range(1, 70)) > 30


def check_creation(where: str) -> None:
    """Kill a creation at each moment, and begin a study where it left things."""
    for moment in FEW:
        assert killed(where, moment) or moment > FEW[0]
    with open_store(where) as store:
        assert store.create_study("churn", {}).name == "churn"


def test_a_killed_creation_leaves_nothing_that_hinders(tmp_path: Path):
    check_creation(str(tmp_path / "deepwell"))


def test_a_killed_creation_on_a_server_leaves_nothing_that_hinders(database: Callable[..., str]):
    check_creation(database())


def test_a_killed_upgrade_on_a_server(database: Callable[..., str]):
    url = database()
    older = Database(Postgres(read_address(url)))
    with older.writing() as connection:
        migrate.run_migrations(connection, "0001")
        copy_rows(DATA / "schema_1.db", connection)
    older.close()
    for moment in FEW:
        assert killed(url, moment)
    with open_store(url, create=False) as store:
        check_contents(store)
