"""Questions in SQL: answered, and never more than that."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy as sa

from deepwell._base._errors import UsageError
from deepwell.records import Answer
from deepwell.storage import Store, StudyRecord
from deepwell.storage._schema import METADATA

HOSTILE = (
    *("DELETE FROM study", "INSERT INTO tag (study_id, name) VALUES (1, 'x')", "DROP TABLE trial"),
    *("UPDATE study SET name = 'x'", "CREATE TABLE t (x)", "CREATE TEMP TABLE t (x)"),
    *("ATTACH 'other.db' AS other", "DETACH main", "PRAGMA query_only = OFF", "VACUUM"),
    *("VACUUM INTO 'copy.db'", "BEGIN IMMEDIATE", "COMMIT", "ROLLBACK", "SAVEPOINT s", "REINDEX"),
    *("ANALYZE", "PRAGMA journal_mode = DELETE", "PRAGMA writable_schema = ON"),
    *("SELECT load_extension('x')", "WITH t AS (SELECT 1) DELETE FROM study"),
    *("CREATE VIEW v AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON study BEGIN SELECT 1; END"),
    *(
        "SELECT 1; DELETE FROM study",
        "select * from pragma_query_only",
        "EXPLAIN DELETE FROM study",
    ),
    *("INSERT INTO note SELECT * FROM note RETURNING 1", "REPLACE INTO tag VALUES (1, 1, 1, 'a')"),
    *("SELECT writefile('x', 'y')", "SELECT * FROM dbstat", "SELECT hex(zeroblob(1000000000))"),
)


def contents(store: Store) -> dict[str, object]:
    """Every row of every table, and the names of all that there is."""
    with store._database.reading() as connection:
        inspector = sa.inspect(connection)
        names = sorted([*inspector.get_table_names(), *inspector.get_view_names()])
        rows = {
            table.name: [tuple(row) for row in connection.execute(sa.select(table))]
            for table in METADATA.sorted_tables
        }
    return {"names": names, **rows}


def test_an_answer_has_columns_and_rows(store: Store, study: StudyRecord):
    asked = "SELECT trial, learning_rate FROM trials ORDER BY trial;"
    assert store.query(asked, 10) == Answer(
        ("trial", "learning_rate"), ((0, 0.01), (1, 0.02), (2, 0.03), (3, 0.04)), more=False
    )
    assert store.query(asked, 3).more
    assert len(store.query(asked, 3).rows) == 3
    assert not store.query(asked, 4).more


@pytest.mark.parametrize("sql", HOSTILE)
def test_nothing_but_reading_is_done(
    store: Store, study: StudyRecord, sql: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    before, files = contents(store), sorted(tmp_path.rglob("*"))
    with pytest.raises(UsageError, match=r"only reads|not understood|which the store has not"):
        store.query(sql, 10)
    assert contents(store) == before
    assert sorted(tmp_path.rglob("*")) == files
    store.notes.add(study.id, "the store can still be written")
    assert store.query("SELECT count(*) FROM notes", 1).rows == ((1,),)


def test_what_is_wrong_is_said(store: Store, study: StudyRecord):
    cases = {
        "": "must say something",
        "SELECT * FROM trails": 'did you mean "trials"',
        "SELECT learning_rat FROM trials": 'did you mean "learning_rate"',
        "SELECT t.scor FROM trials t": 'did you mean "score"',
        "SELEC 1": "not understood: .*near",
        "SELECT 1; SELECT 2": "holds several statements",
        "SELECT '\0'": "NUL",
        "SELECT '\udcff'": "no Unicode",
    }
    for sql, told in cases.items():
        with pytest.raises(UsageError, match=told):
            store.query(sql, 10)


def test_a_schema_that_somebody_tampered_with_calls_nothing(sqlite_store: Store):
    connection = sqlite3.connect(sqlite_store.folder / "store.db")
    connection.execute("CREATE VIEW trap AS SELECT load_extension('x') AS y")
    connection.commit()
    connection.close()
    with pytest.raises(UsageError):
        sqlite_store.query("SELECT y FROM trap", 1)
