"""What is particular to stores on a PostgreSQL server."""

import builtins
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from benchmarks.store.server import PASSWORD, PostgresqlServer
from tests.storage.test_storage_migrate import DATA, check_contents, columns

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import ChunkRecord, Event
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage import _migrate as migrate
from deepwell.storage import _postgres as postgres
from deepwell.storage._address import read_address
from deepwell.storage._database import Database
from deepwell.storage._open import FOLDER_VARIABLE
from deepwell.storage._postgres import Postgres
from deepwell.storage._schema import METADATA, REVISION, VERSION

Chunk = Callable[..., ChunkRecord]


@pytest.fixture
def kind() -> str:
    return "postgresql"


@pytest.fixture
def database(postgresql: PostgresqlServer, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Make databases that are gone after the test."""
    made: list[str] = []

    def make(options: str = "") -> str:
        made.append(f"made_{len(made)}")
        return postgresql.make_database(made[-1], options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(FOLDER_VARIABLE, str(tmp_path / "files"))
        yield make
    for name in made:
        postgresql.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_a_store_on_a_server_is_opened_again(where: str, tmp_path: Path):
    with open_store(where) as store:
        made = store.create_study("churn", {"seed": 3})
        assert store.folder == tmp_path / "deepwell"
    with open_store(where, create=False) as store:
        assert store.studies() == [made]
    # The records are elsewhere.
    assert [path.name for path in (tmp_path / "deepwell").iterdir()] == [".databases"]


def test_the_password_opens_the_port_and_is_never_told(
    postgresql: PostgresqlServer, where: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    open_store(where).close()
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    url = postgresql.url_of_port("tests")
    with open_store(url) as store:
        store.create_study("churn", {})
        store.close()
        with pytest.raises(StudyError, match="is closed") as caught:
            store.studies()
    assert PASSWORD not in str(caught.value)
    for password in (":wrong-" + PASSWORD, ":" + PASSWORD[:-1]):
        with pytest.raises(UsageError, match=r"could not be reached: .*; check the") as refused:
            open_store(postgresql.url_of_port("tests", password))
        assert password[1:] not in str(refused.value)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with open_store(postgresql.url_of_port("tests", ""), create=False) as store:
        assert [s.name for s in store.studies()] == ["churn"]


def test_a_server_that_is_not_there_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql: PostgresqlServer
):
    monkeypatch.chdir(tmp_path)
    for url, says in (
        ("postgresql://ann:hush@127.0.0.1:1/team", r'"postgresql://ann@127.0.0.1:1/team" could'),
        (postgresql.url("nothing"), 'database "nothing" does not exist'),
        (postgresql.url("postgres", sslmode="hush"), "could not be reached"),
        (f"postgresql:///team?host={tmp_path}", "could not be reached"),
    ):
        with pytest.raises(UsageError, match=says) as caught:
            open_store(url)
        assert "hush@" not in str(caught.value)
        assert str(caught.value).isprintable()
    assert list(tmp_path.iterdir()) == []


def test_a_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch):
    real = builtins.__import__

    def refuse(name: str, *arguments: Any, **options: Any) -> object:
        if name == "psycopg":
            raise ImportError("No module named 'psycopg'")
        return real(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(UsageError, match=r'psycopg; run "pip install deepwell\[postgresql\]"'):
        open_store("postgresql://ann:hush@db/team")


def test_a_reader_makes_no_store(database: Callable[..., str]):
    url = database()
    with pytest.raises(UsageError, match=r"no store at .*, which is empty"):
        open_store(url, create=False)
    open_store(url).close()
    open_store(url, create=False).close()


def test_a_database_of_another_program_stays_untouched(
    database: Callable[..., str], postgresql: PostgresqlServer
):
    url = database()
    postgresql.run("CREATE TABLE bookmarks (url text)", "made_0")
    with pytest.raises(UsageError, match="is a database of another program"):
        open_store(url)
    found = postgresql.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", "made_0")
    assert found == [("bookmarks",)]
    # A schema of its own is a place beside it.
    postgresql.run("CREATE SCHEMA deepwell", "made_0")
    with open_store(url + "&options=-csearch_path%3Ddeepwell") as store:
        assert store.create_study("churn", {}).name == "churn"


def test_a_database_that_cannot_hold_every_text_is_refused(database: Callable[..., str]):
    url = database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(UsageError, match="must have the encoding UTF8, got LATIN1"):
        open_store(url)


def test_who_may_only_read_is_told(database: Callable[..., str], postgresql: PostgresqlServer):
    url = database()
    with open_store(url) as store:
        store.create_study("churn", {})
    postgresql.run("CREATE ROLE guest LOGIN")
    try:
        postgresql.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", "made_0")
        with open_store(url.replace("postgres@", "guest@"), create=False) as store:
            assert [s.name for s in store.studies()] == ["churn"]
            with pytest.raises(UsageError, match="no permission to read or write the store"):
                store.create_study("other", {})
        postgresql.run("REVOKE SELECT ON ALL TABLES IN SCHEMA public FROM guest", "made_0")
    finally:
        postgresql.run("DROP ROLE guest")


def test_a_writer_waits_for_another_one_and_says_when_it_was_too_long(
    where: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(postgres, "BUSY_SECONDS", 0.05)
    with open_store(where) as store, open_store(where) as other:
        study = store.create_study("churn", {})
        with store._database.writing():
            with pytest.raises(StudyError, match="was kept busy by another process"):
                other.append_event(study.id, Event(1.0, "start"))
            assert other.studies() == [study]  # readers go on
        monkeypatch.setattr(postgres, "BUSY_SECONDS", 30.0)
        began, waits = threading.Event(), threading.Event()

        def write() -> None:
            began.set()
            other.append_event(study.id, Event(2.0, "start"))
            waits.set()

        with store._database.writing():
            thread = threading.Thread(target=write)
            thread.start()
            began.wait()
            assert not waits.wait(0.05)
        thread.join()
        assert [event.time for event in store.events(study.id)] == [2.0]


def test_a_reader_sees_one_state_and_cannot_write(store: Store, study: StudyRecord):
    with store._database.reading() as connection:
        count = "SELECT count(*) FROM event"
        before = connection.exec_driver_sql(count).scalar_one()
        store.append_event(study.id, Event(2.0, "start"))
        assert connection.exec_driver_sql(count).scalar_one() == before
    with (
        pytest.raises(UsageError, match="can only be read there"),
        store._database.reading() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM event")
    assert len(store.events(study.id)) == before + 1


def test_only_what_cannot_be_made_again_waits_for_the_disk(store: Store):
    for durable, level in ((False, "off"), (True, "on"), (False, "off")):
        with store._database.writing(durable=durable) as connection:
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar_one() == level


def test_a_lost_connection_is_told_and_the_next_one_is_made(
    store: Store, study: StudyRecord, postgresql: PostgresqlServer
):
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'tests'"
    postgresql.run(end)  # between two transactions: nobody notices
    store.append_event(study.id, Event(2.0, "start"))

    def lose() -> None:
        with store._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM event")
            postgresql.run(end)
            connection.exec_driver_sql("DELETE FROM trial")

    with pytest.raises(StudyError, match=r"the connection to the store .* was lost"):
        lose()
    assert [event.time for event in store.events(study.id)] == [1.0, 2.0]
    assert len(store.trials(study.id)) == 4


def test_odd_numbers_and_bytes_come_back(store: Store, study: StudyRecord, make_chunk: Chunk):
    scores = [5e-324, -0.0, 1e308, 0.1]
    with store._database.writing() as connection:
        for number, score in enumerate(scores):
            text = sa.text("UPDATE trial SET score = :score WHERE number = :number")
            connection.execute(text, {"score": score, "number": number})
    assert sorted(t.score for t in store.trials(study.id)) == sorted(scores)
    every_byte = np.frombuffer(bytes(range(256)) * 8, np.uint64)
    store.row_hashes.record(study.id, "train", every_byte)
    np.testing.assert_array_equal(store.row_hashes.read(study.id, "train"), np.sort(every_byte))


def test_migrations_end_where_the_code_begins(database: Callable[..., str]):
    made, migrated = (Database(Postgres(read_address(database()))) for _ in range(2))
    with made.writing() as connection:
        migrate.make_tables(connection)
        expected = columns(connection)
    with migrated.writing() as connection:
        migrate.upgrade(connection)
        assert columns(connection) == expected
        assert connection.execute(sa.select(VERSION)).scalar_one() == REVISION
    made.close()
    migrated.close()


@pytest.mark.parametrize("schema", range(1, int(REVISION) + 1))
def test_a_database_of_each_released_schema_is_read_whole(
    database: Callable[..., str], schema: int
):
    """Its rows are those of the stored file of that schema."""
    url = database()
    older = Database(Postgres(read_address(url)))
    with older.writing() as connection:
        migrate.run_migrations(connection, f"{schema:04d}")
        copy_rows(DATA / f"schema_{schema}.db", connection)
    older.close()
    with open_store(url, create=False) as store:
        check_contents(store)
        assert store.create_study("churn", {}).name == "churn-3"
        with store._database.reading() as connection:
            assert connection.execute(sa.select(VERSION)).scalar_one() == REVISION


def copy_rows(file: Path, connection: sa.Connection) -> None:
    with closing(sqlite3.connect(file)) as stored:
        stored.row_factory = sqlite3.Row
        for table in METADATA.sorted_tables:
            known = stored.execute("SELECT 1 FROM sqlite_master WHERE name = ?", [table.name])
            if not known.fetchone():
                continue
            connection.execute(table.delete())
            for row in stored.execute(f"SELECT * FROM {table.name}").fetchall():
                names = ", ".join(row.keys())
                places = ", ".join(f":{name}" for name in row.keys())  # noqa: SIM118
                insert = f"INSERT INTO {table.name} ({names}) VALUES ({places})"
                connection.execute(sa.text(insert), dict(row))
            if "id" in table.c and table.name != "ledger_head":
                last = f"SELECT coalesce(max(id), 0) + 1 FROM {table.name}"
                counter = f"pg_get_serial_sequence('{table.name}', 'id')"
                connection.exec_driver_sql(f"SELECT setval({counter}, ({last}), false)")


def test_two_schemas_of_a_database_are_two_stores(
    postgresql: PostgresqlServer, database: Callable[..., str]
):
    url = database()
    with open_store(url) as first:
        with first._database.writing() as connection:
            connection.exec_driver_sql("CREATE SCHEMA team")
        first.create_study("churn", {})
        with open_store(f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3Dteam") as team:
            assert first._database.shown == team._database.shown
            assert not first.is_same(team)
            assert team.studies() == []
        with open_store(url) as again:
            assert first.is_same(again)
