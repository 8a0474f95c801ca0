"""Questions to a store on a server, by a role that may do everything: they read rows, no more."""

import time
from collections.abc import Callable, Iterator

import pytest
from benchmarks.store.server import PostgresqlServer
from tests.storage.test_storage_postgresql import database as database

from deepwell._base._errors import UsageError
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage import _server_query as server_query
from deepwell.storage._postgres import _WRITERS
from deepwell.storage._views import VIEWS, view_queries


@pytest.fixture
def kind() -> str:
    return "postgresql"


HOSTILE = (
    *("select pg_read_file('/etc/hostname')", "select pg_catalog.pg_read_file('/etc/hostname')"),
    *("select \"pg_read_file\"('/etc/hostname')", "SELECT PG_READ_FILE ('/etc/hostname')"),
    *("select pg_sleep(60)", 'select pg_catalog . "pg_sleep" (60)', "select pg_sleep/**/(60)"),
    *('select U&"pg\\005fsleep"(60)', "select u&\"pg!005fsleep\" uescape '!'(60)"),
    *("select * from pg_ls_dir('.')", "select pg_stat_file('.')", "select lo_import('/etc/hosts')"),
    *(f"select pg_advisory_lock({_WRITERS})", f"select pg_try_advisory_xact_lock({_WRITERS})"),
    *("select set_config('search_path', 'nowhere', false)", "select current_setting('hba_file')"),
    *("select pg_terminate_backend(1)", "select pg_reload_conf()", "select pg_notify('a', 'b')"),
    *("select query_to_xml('select pg_' || 'sleep(60)', true, true, '')", "select nextval('x')"),
    *("select * from pg_authid", "select * from pg_catalog.pg_settings", "select * from pg_locks"),
    *("select * from ts_stat('select pg_' || 'sleep(60)')", "select pg_switch_wal()"),
    *(
        "select own(1)",
        "select OWN(1)",
        'select "my own"(1)',
        "select public.own(s.id) from study s",
    ),
    "select count(*) from study where (select lo_get(1)) is null",
    "select 'pg_sleep is not wanted in a text either'",
)


@pytest.fixture
def made(database: Callable[..., str], postgresql: PostgresqlServer) -> Iterator[Store]:
    """A store in whose database somebody has added functions and a view."""
    with open_store(database()) as store:
        body = "returns integer language plpgsql as $$ begin perform pg_sleep(60); return 1; end $$"
        for name in ("own", '"my own"'):
            postgresql.run(f"create function {name}(integer) {body}", "made_0")
        yield store


def test_functions_of_the_server_are_refused_by_name(made: Store):
    began = time.monotonic()
    for sql in HOSTILE:
        with pytest.raises(UsageError, match=r"must not (name|spell)"):
            made.query(sql, 10)
    assert time.monotonic() - began < 30
    assert made.create_study("churn", {}).name == "churn"


def test_what_the_views_need_is_understood(store: Store, study: StudyRecord):
    """No column of a view is called as a function that is refused."""
    for name in VIEWS:
        told = store.query(f"SELECT * FROM {name}", 1)
        columns = ", ".join(f'"{column}"' for column in told.columns)
        assert store.query(f"SELECT {columns} FROM {name}", 1) == told
    assert set(view_queries("postgresql")) == set(VIEWS)
    asked = (
        "WITH t AS (SELECT trial, round(avg(learning_rate)::numeric, 3) AS r, random() AS x "
        "FROM trials WHERE message NOT LIKE '%\"%' GROUP BY trial) "
        "SELECT trial, coalesce(r, 0), pg_typeof(r)::text FROM t WHERE x >= 0 ORDER BY trial"
    )
    assert [row[0] for row in store.query(asked, 10).rows] == [0, 1, 2, 3]


def test_what_takes_too_long_is_ended(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(server_query, "SECONDS", 0.2)
    with pytest.raises(UsageError, match=r"took longer than 0\.2 seconds and was ended"):
        store.query("SELECT count(*) FROM generate_series(1, 1000000000) a", 1)
    assert store.query("SELECT 1", 1).rows == ((1,),)
    assert store.create_study("churn", {}).name == "churn"  # which has no such limit


@pytest.mark.parametrize(
    "hidden",
    [
        "set_config('search_path', 'nowhere', false)",
        "set_config('default_transaction_read_only', 'on', false)",
        f"pg_advisory_lock({_WRITERS})::text",
    ],
)
def test_what_a_view_of_somebody_hides_ends_with_the_question(
    hidden: str, database: Callable[..., str], postgresql: PostgresqlServer
):
    url = database()
    open_store(url).close()
    postgresql.run(f"create view trap as select {hidden} as x", "made_0")
    with open_store(url) as store:
        assert len(store.query("select * from trap", 1).rows) == 1
        assert store.studies() == []
        with open_store(url) as other:
            assert other.create_study("churn", {}).name == "churn"
        assert [study.name for study in store.studies()] == ["churn"]


def test_a_question_leaves_its_transaction_reading(database: Callable[..., str]):
    with open_store(database()) as store:
        for sql in ("select id from study for update", "with x as (delete from note) select 1"):
            with pytest.raises(UsageError, match="only reads"):
                store.query(sql, 1)
