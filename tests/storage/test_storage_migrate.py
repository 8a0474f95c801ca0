"""Schemas: the migrations, and stored databases of released ones (made by make_schema_db.py)."""

import shutil
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa
from alembic import autogenerate
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from deepwell._base._errors import StudyError
from deepwell.records import Estimate, Event, Status, TrialSpec
from deepwell.storage import RowReuse, Store, StudyRecord, open_store
from deepwell.storage import _migrate as migrate
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._database import Database
from deepwell.storage._schema import METADATA, REVISION, TAG, VERSION
from deepwell.storage._sqlite import Sqlite

DATA = Path(__file__).parent / "data"


def set_revision(file: Path, revision: str | None) -> None:
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("DELETE FROM deepwell_version")
        if revision is not None:
            connection.execute("INSERT INTO deepwell_version VALUES (?)", (revision,))
    connection.close()


def columns(connection: sa.Connection) -> dict[str, object]:
    inspector = sa.inspect(connection)
    return {
        name: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            inspector.get_foreign_keys(name),
            [repr(with_plain_text(index)) for index in inspector.get_indexes(name)],
            inspector.get_unique_constraints(name),
        )
        for name in inspector.get_table_names()
    } | {name: inspector.get_view_definition(name) for name in inspector.get_view_names()}


def with_plain_text(index: Mapping[str, Any]) -> dict[str, object]:
    options = index.get("dialect_options", {})
    return {**index, "dialect_options": {name: str(value) for name, value in options.items()}}


def test_migrations_end_where_the_code_begins(tmp_path: Path):
    made, migrated = (Database(Sqlite(tmp_path / f"{name}.db")) for name in ("made", "migrated"))
    with made.writing() as connection:
        migrate.make_tables(connection)
        head = connection.exec_driver_sql("SELECT * FROM ledger_head").all()
        expected = columns(connection)
    with migrated.writing() as connection:
        migrate.upgrade(connection)
        assert columns(connection) == expected
        assert connection.exec_driver_sql("SELECT * FROM ledger_head").all() == head
        assert connection.execute(sa.select(VERSION)).scalar_one() == REVISION
        options = {"version_table": VERSION.name}
        context = MigrationContext.configure(connection, opts=options)
        assert autogenerate.compare_metadata(context, METADATA) == []
    made.close()
    migrated.close()


def test_a_tag_is_there_once(store: Store, study: StudyRecord):
    def tag(trial: int | None, name: str) -> None:
        with store._database.writing() as connection:
            row = {"study_id": study.id, "trial": trial, "name": name}
            connection.execute(sa.insert(TAG), row)

    for trial in (None, 1, 2):
        tag(trial, "keep")
        tag(trial, "look again")
        with pytest.raises(StudyError, match="refused contradictory records"):
            tag(trial, "keep")


def test_ids_are_never_reused_after_a_migration_either(tmp_path: Path):
    database = Database(Sqlite(tmp_path / "store.db"))
    with database.writing() as connection:
        migrate.upgrade(connection)
    database.close()
    with open_store(tmp_path) as store:
        first = store.create_study("churn", {})
        store.delete_empty(first.id)
        assert store.create_study("churn", {}).id > first.id


def test_one_line_of_migrations_ends_at_the_codes_revision():
    script = ScriptDirectory(str(migrate.MIGRATIONS), version_locations=[str(migrate.MIGRATIONS)])
    assert script.get_heads() == [REVISION]
    names = [s.revision for s in script.walk_revisions()]
    assert names == [f"{n:04d}" for n in range(int(REVISION), 0, -1)]


def test_every_released_schema_has_a_stored_database():
    assert {p.name for p in DATA.glob("*.db")} == {
        f"schema_{n + 1}.db" for n in range(int(REVISION))
    }


@pytest.mark.parametrize("stored", sorted(DATA.glob("*.db")), ids=lambda p: p.stem)
def test_stored_database_is_read_whole(tmp_path: Path, stored: Path):
    shutil.copy(stored, tmp_path / "store.db")
    with open_store(tmp_path, create=False) as store:
        check_contents(store)
        check_views(store)
        schema = int(stored.stem.removeprefix("schema_"))
        check_schema_4(store, schema)
        check_probes(store, [0, 1, 2] if schema >= 3 else [])
        check_checkpoint(store, schema)
        check_probes(store, [0, 1] if schema >= 3 else [])  # the second epoch was taken back
        with store._database.reading() as connection:
            assert connection.execute(sa.select(VERSION)).scalar_one() == REVISION
        assert store.create_study("churn", {}).name == "churn-3"


def check_contents(store: Store) -> None:
    study, second, *_ = store.studies()
    assert (study.name, study.status, study.config) == (
        *("churn", "finished", {"target": "churned", "seed": 3}),
    )
    assert (second.name, second.status, second.config) == ("churn-2", "running", {})
    assert store.result(study.id) == {"dev": 0.25}
    assert store.events(study.id) == [
        Event(1.5, "propose", None, {"count": 3}),
        Event(2.5, "finish"),
    ]
    zero, one, two = store.trials(study.id, curves=True)
    assert zero.spec == TrialSpec({"learning_rate": 0.01, "hidden_units": 8}, seed=0)
    assert [t.status for t in (zero, one, two)] == [
        *(Status.FINISHED, Status.PRUNED, Status.DIVERGED),
    ]
    assert two.message == "diverged at step 12"
    assert (zero.epochs, zero.best_epoch, zero.score, zero.cost) == (2, 2, 0.25, 0.5)
    np.testing.assert_array_equal(one.curves["dev_score"], [0.25, 0.5])
    np.testing.assert_array_equal(two.curves["train_cost"], [0.375])
    assert [t.number for t in store.best_trials(study.id, 3)] == [0, 1, 2]
    rows = np.array([0, 1, 10, 21, 99], np.uint64)
    assert store.row_hashes.reuse_of(second.id, rows) == [
        *(RowReuse("churn", "train", 2), RowReuse("churn", "dev", 1), RowReuse("churn", "test", 1)),
    ]
    openings = store.ledger.openings("f" * 64)
    assert [o.number for o in openings] == [1, 2]
    assert openings[0].test == Estimate(0.3, 0.2, 0.4)
    assert openings[0].notes == ("a note",)
    store.ledger.verify()


def check_views(store: Store) -> None:
    """Whatever the schema was, its views are those of today."""
    asked = "SELECT study, status, runner FROM studies ORDER BY id"
    assert store.query(asked, 10).rows == (
        *(("churn", "finished", None), ("churn-2", "interrupted", None)),
    )


def check_schema_4(store: Store, schema: int) -> None:
    """From schema 4 on there is a row of each kind that it brought; before there were none."""
    tables = ("lease", "request", "note", "tag", "blob")
    with store._database.reading() as connection:
        found = {
            name: [tuple(row) for row in connection.exec_driver_sql(f"SELECT * FROM {name}")]
            for name in tables
        }
        deleted = connection.exec_driver_sql("SELECT name, deleted FROM study ORDER BY id").all()
        tags = connection.exec_driver_sql("SELECT * FROM tags").all()
    if schema < 4:
        assert found == {name: [] for name in tables}
        assert deleted == [("churn", None), ("churn-2", None)]
        assert tags == []
        return
    asked = '{"learning_rate": "x0.5"}'
    assert found == {
        "lease": [(2, "process 7 on a", "t", 9.5)],
        "request": [(1, 1, 1.5, "nudge", 1, asked, 2.5), (2, 1, 3.5, "stop", None, asked, None)],
        "note": [(1, 1, None, 4.5, "a first try"), (2, 1, 1, 5.5, "ünstable")],
        "tag": [(1, 1, None, "keep"), (2, 1, 1, "keep")],
        "blob": [(1, 1, 2, kind, "d" * 64, 64) for kind in ("best", "snapshot")],
    }
    assert deleted == [("churn", None), ("churn-2", None), ("gone", 6.5)]
    assert tags == [("churn", None, "keep"), ("churn", 1, "keep")]


def check_probes(store: Store, epochs: list[int]) -> None:
    """Schema 1 and 2 knew none; from schema 3 on trial 1 was looked into."""
    found = store.probes(store.studies()[0].id)
    assert [(p.trial, p.epoch, p.step) for p in found] == [(1, n, 10 * n) for n in epochs]
    for p in found:
        assert p.layers == ("hidden 1", "output")
        first = 1000 + 100 * p.epoch
        np.testing.assert_array_equal(p.activations[0], first + np.arange(7))
        np.testing.assert_array_equal(p.weights[1], first + 27 + 14 + np.arange(7))
        np.testing.assert_array_equal(p.dead, [first + 21, first + 48])
        np.testing.assert_array_equal(p.update_norm, [first + 26, first + 53])


def check_checkpoint(store: Store, schema: int) -> None:
    """Schema 1 knew none; from schema 2 on one is kept after the first of two epochs."""
    study = store.studies()[0]
    if schema == 1:
        assert study.seconds == 0
        assert store.checkpoint(study.id) is None
        return
    assert study.seconds == 2.5
    details = {"population": 0, "rung": 1, "files": []}
    assert store.checkpoint(study.id) == CheckpointRecord(1.25, 1, details)
    repeated = store.roll_back(study.id, ("finish",), Event(9.0, "resume"))
    assert (repeated.epochs, repeated.seconds) == (3, 1.25)
    zero, one, two = store.trials(study.id, curves=True)
    assert zero.status is Status.FINISHED  # older than the checkpoint's first trial
    assert (one.status, one.epochs, one.score) == (Status.WAITING, 1, 0.25)
    assert (two.status, two.epochs, two.message) == (Status.WAITING, 1, "")


def test_newer_store_is_refused_untouched(tmp_path: Path):
    open_store(tmp_path).close()
    file = tmp_path / "store.db"
    set_revision(file, "0099")
    before = file.read_bytes()
    with pytest.raises(StudyError, match=r"newer Deepwell \(schema 0099, this one knows 0005\)"):
        open_store(tmp_path)
    assert file.read_bytes() == before


@pytest.mark.parametrize("revision", [None, "", "abc", "\x1b[2J", "-1", "²"])
def test_store_that_does_not_name_its_schema(tmp_path: Path, revision: str | None):
    open_store(tmp_path).close()
    set_revision(tmp_path / "store.db", revision)
    with pytest.raises(StudyError, match="is damaged: it does not name its schema"):
        open_store(tmp_path)


def test_upgrade_that_fails_half_way_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    shutil.copy(DATA / "schema_1.db", tmp_path / "store.db")
    set_revision(tmp_path / "store.db", "0000")  # as if it lacked a migration

    def half(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE more (x INTEGER)")
        connection.exec_driver_sql("DROP TABLE event")
        connection.exec_driver_sql("CREATE TABLE trial (x INTEGER)")  # exists: fails

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "upgrade", half)
        with pytest.raises(StudyError, match="could not be read or written"):
            open_store(tmp_path)
    set_revision(tmp_path / "store.db", "0001")
    with open_store(tmp_path) as store:
        check_contents(store)
        with store._database.reading() as connection:
            assert "more" not in sa.inspect(connection).get_table_names()


def test_creation_that_fails_half_way_leaves_an_empty_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def half(connection: sa.Connection) -> None:
        METADATA.create_all(connection)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(migrate, "make_tables", half)
        with pytest.raises(KeyboardInterrupt):
            open_store(tmp_path)
    with open_store(tmp_path) as store:  # the next one makes it
        assert store.create_study("churn", {}).name == "churn"
