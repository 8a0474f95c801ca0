import errno
import os
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import Event, Status, TrialSpec
from deepwell.storage import Store, open_store
from deepwell.storage._database import Database
from deepwell.storage._open import locate
from deepwell.storage._sqlite import Sqlite


def run_python(code: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_folder_and_url_lead_to_the_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert locate(None).database == tmp_path / "deepwell" / "store.db"
    assert locate("a/b").database == tmp_path / "a" / "b" / "store.db"
    assert locate(Path("sqlite:x")).folder == tmp_path / "sqlite:x"
    assert locate("sqlite:///team.db").database == tmp_path / "team.db"
    assert locate(f"sqlite:///{tmp_path}/x/team.db").folder == tmp_path / "x"
    assert list(tmp_path.iterdir()) == []  # nothing was made


def test_default_folder_is_made_and_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with open_store() as store:
        assert store.folder == tmp_path / "deepwell"
        store.create_study("churn", {"seed": 3})
    with open_store(create=False) as store:
        assert store.study("churn").config == {"seed": 3}
    # The journals are gone with the last connection: one file to copy.
    assert [p.name for p in (tmp_path / "deepwell").iterdir()] == ["store.db"]


def test_url_puts_artifacts_beside_the_database(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/team/all.db") as store:
        store.create_study("churn", {})
        assert store.folder == tmp_path / "team"
    assert (tmp_path / "team" / "all.db").is_file()


@pytest.mark.parametrize(
    "name", ["with space", "ünï-コード", 'it\'s "quoted"', "100%", "a?mode=ro", "semi;colon", "#x"]
)
def test_any_folder_name_works(tmp_path: Path, name: str):
    for where in (tmp_path / name, f"sqlite:///{tmp_path}/{name}/other.db"):
        with open_store(where) as store:
            store.create_study("churn", {})
            assert store.folder == tmp_path / name
        with open_store(where, create=False) as store:
            assert [s.name for s in store.studies()] == ["churn"]
    assert {p.name for p in tmp_path.iterdir()} == {name}


def test_missing_store_is_not_made_by_a_reader(tmp_path: Path):
    long = tmp_path / ("a" * 300)
    for where in (tmp_path / "none", tmp_path, f"sqlite:///{tmp_path}/none.db", long):
        with pytest.raises(UsageError, match="no store at"):
            open_store(where, create=False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("postgresql://me:secret@host", "must be given as postgresql://user@host/database"),
        ("postgresql://me:secret@host:x/db", "must be given as"),
        ("postgresql://me:secret@host:99999/db", "must be given as"),
        ("postgresql+psycopg://me:secret@[host/db", "must be given as"),
        ("postgresql+psycopg2://me:secret@host/db", "kind postgresql\\+psycopg2:"),
        ("postgres:secret", "must be given as"),
        ("mysql://me:secret@host/db", "kind mysql:"),
        ("sqlite://store.db", "kind sqlite:"),
        ("sqlite:store.db", "kind sqlite:"),
        ("sqlite:///", "must be a file"),
        ("sqlite:///:memory:", "must be a file"),
        ("", "must be a folder"),
        ("a\0b", "must be a folder"),
    ],
)
def test_other_places_are_refused_without_their_password(where: str, says: str):
    with pytest.raises(UsageError, match=says) as caught:
        open_store(where)
    assert "secret" not in str(caught.value)


def test_file_where_the_folder_should_be(tmp_path: Path):
    file = tmp_path / "data.csv"
    file.write_text("a,b\n")
    with pytest.raises(UsageError, match="must be a folder, but it is a file"):
        open_store(file)
    with pytest.raises(UsageError, match="a file stands where a folder is needed"):
        open_store(file / "deepwell")
    assert file.read_text() == "a,b\n"


def test_folder_where_the_database_should_be(tmp_path: Path):
    (tmp_path / "store.db").mkdir()
    with pytest.raises(UsageError, match="must be a file, not a folder"):
        open_store(tmp_path)


@pytest.mark.parametrize(
    ("code", "kind", "says"),
    [
        (errno.EACCES, UsageError, "no permission to write"),
        (errno.EROFS, UsageError, "no permission to write"),
        (errno.ENOSPC, UsageError, "disk is full"),
    ],
)
def test_folder_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, kind: type[Exception], says: str
):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(kind, match=says):
        open_store(tmp_path / "deepwell")


def test_other_files_are_refused_and_left_alone(tmp_path: Path):
    text = tmp_path / "data.csv"
    text.write_text("a,b\n" * 1000)
    foreign = tmp_path / "bookmarks.sqlite"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    connection.close()
    for file, says in ((text, "is not a Deepwell store"), (foreign, "database of another program")):
        before = file.read_bytes()
        with pytest.raises(UsageError, match=says):
            open_store(f"sqlite:///{file}")
        assert file.read_bytes() == before
    assert {p.name for p in tmp_path.iterdir()} == {"data.csv", "bookmarks.sqlite"}


def test_damaged_store_gets_one_sentence(tmp_path: Path):
    with open_store(tmp_path) as store:
        study = store.create_study("churn", {})
        trials = [(n, TrialSpec({}, seed=n)) for n in range(500)]
        store.propose(study.id, trials, Event(1.0, "propose"))
    file = tmp_path / "store.db"
    whole = file.read_bytes()

    file.write_bytes(whole[:20_000] + b"\xaa" * (len(whole) - 20_000))
    with pytest.raises(StudyError, match="is damaged"), open_store(tmp_path) as store:
        store.trials(study.id)

    file.write_bytes(b"\xaa" * 5000)
    with pytest.raises(UsageError, match="is not a Deepwell store"):
        open_store(tmp_path)

    file.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StudyError, match="is damaged"), open_store(tmp_path) as store:
        store.trials(study.id)


def test_full_disk_loses_nothing_committed(sqlite_store: Store):
    study = sqlite_store.create_study("churn", {})
    sqlite_store.propose(study.id, [(0, TrialSpec({}, seed=0))], Event(1.0, "propose"))
    with sqlite_store._database.writing() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    many = [(n, TrialSpec({}, seed=n)) for n in range(1, 200)]
    with pytest.raises(UsageError, match=r"the disk with the store .* is full; free space"):
        sqlite_store.propose(study.id, many, Event(2.0, "propose"))
    assert [t.number for t in sqlite_store.trials(study.id)] == [0]
    assert [e.time for e in sqlite_store.events(study.id)] == [1.0]
    with sqlite_store._database.reading() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        connection.exec_driver_sql("PRAGMA max_page_count = 100000")
    sqlite_store.propose(study.id, many, Event(2.0, "propose"))  # space was freed: it goes on
    assert len(sqlite_store.trials(study.id)) == 200


def test_store_without_write_permission(sqlite_store: Store):
    study = sqlite_store.create_study("churn", {})
    with sqlite_store._database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    with pytest.raises(UsageError, match="no permission to write the store"):
        sqlite_store.append_event(study.id, Event(1.0, "start"))
    assert sqlite_store.study("churn") == study


def test_busy_store_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    open_store(tmp_path).close()
    monkeypatch.setattr("deepwell.storage._sqlite.BUSY_SECONDS", 0.05)
    other = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with open_store(tmp_path) as store:
        with pytest.raises(StudyError, match="kept busy by another process"):
            store.create_study("churn", {})
        assert store.studies() == []  # readers go on
        other.execute("COMMIT")
        store.create_study("churn", {})
    other.close()


def test_closed_store_says_so(store: Store):
    store.close()
    store.close()
    with pytest.raises(StudyError, match="is closed; open it again"):
        store.studies()


def test_connections_are_set_up(sqlite_store: Store):
    wanted = {"journal_mode": "wal", "foreign_keys": 1, "trusted_schema": 0}
    with sqlite_store._database.reading() as connection:
        for pragma, value in wanted.items():
            assert connection.exec_driver_sql(f"PRAGMA {pragma}").scalar_one() == value
    for durable, level in ((False, 1), (True, 2), (False, 1)):
        with sqlite_store._database.writing(durable=durable) as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == level


def test_without_a_write_ahead_log_every_write_is_synced(sqlite_store: Store):
    sqlite_store.close()
    connection = sqlite3.connect(sqlite_store.folder / "store.db")
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.close()
    database = Database(Sqlite(sqlite_store.folder / "store.db"))
    with database.writing() as write:
        assert write.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
    database.close()


def test_opening_loads_neither_jax_nor_the_migration_tool(tmp_path: Path):
    code = """
        import sys
        import deepwell.storage
        assert not {"sqlalchemy", "alembic", "jax", "safetensors"} & set(sys.modules)
        deepwell.storage.open_store(sys.argv[1]).close()
        assert "sqlalchemy" in sys.modules
        assert not {"alembic", "jax"} & set(sys.modules)
    """
    process = run_python(code, str(tmp_path))
    _, errors = process.communicate()
    assert process.returncode == 0, errors


def test_processes_that_open_a_new_store_at_once_get_different_names(tmp_path: Path, where: str):
    code = """
        import pathlib, sys, time
        import deepwell.storage._store
        from deepwell.storage import open_store
        folder = pathlib.Path(sys.argv[1])
        print("ready", flush=True)
        while not (folder / "go").exists():
            time.sleep(0.001)
        with open_store(sys.argv[2]) as store:
            for _ in range(5):
                print(store.create_study("churn", {}).name)
    """
    processes = [run_python(code, str(tmp_path), where) for _ in range(4)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    (tmp_path / "go").touch()
    names: list[str] = []
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        names += output.split()
    wanted = {"churn"} | {f"churn-{n}" for n in range(2, 21)}
    assert len(names) == 20
    assert set(names) == wanted
    with open_store(where, create=False) as store:
        assert {s.name for s in store.studies()} == wanted


def test_killed_process_loses_at_most_the_chunk_in_flight(where: str, kind: str):
    code = """
        import sys
        import numpy as np
        from deepwell.records import ChunkRecord, Event, Status, TrialSpec
        from deepwell.storage import open_store
        store = open_store(sys.argv[1])
        study = store.create_study("churn", {})
        numbers = np.arange(64)
        store.propose(study.id, [(n, TrialSpec({}, seed=n)) for n in range(64)], Event(1.0, "p"))
        for epoch in range(1, 100_000):
            values = np.full(64, 1 / epoch, np.float32)
            metrics = {"train_cost": values, "dev_cost": values, "dev_score": values}
            chunk = ChunkRecord(epoch, numbers, metrics, {epoch % 64: Status.RUNNING}, numbers)
            store.record_chunk(study.id, 0, chunk)
            print(epoch, flush=True)
    """
    process = run_python(code, where)
    assert process.stdout is not None
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    output, errors = process.communicate()
    assert errors == ""
    said = [int(line) for line in output.splitlines(keepends=True) if line.endswith("\n")]
    last = said[-1] if said else 20
    with open_store(where, create=False) as store:
        trials = store.trials(store.study("churn").id, curves=True)
        assert len(trials) == 64
        epochs = trials[0].epochs
        assert last <= epochs <= last + 1
        for trial in trials:
            expected = [1 / e for e in range(1, epochs + 1)]
            assert trial.curves["dev_score"].tolist() == pytest.approx(expected, rel=1e-6)
            assert (trial.epochs, trial.best_epoch) == (epochs, epochs)
        assert sum(t.status is Status.RUNNING for t in trials) == min(epochs, 64)
        if kind == "sqlite":
            with store._database.reading() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"


def test_stores_are_the_same_by_their_files_and_not_by_what_is_shown_of_them(tmp_path: Path):
    long = tmp_path / ("x" * 120) / ("y" * 120)
    long.mkdir(parents=True)
    (tmp_path / "alias").symlink_to(long)
    with (
        open_store(long / "one") as one,
        open_store(long / "two") as two,
        open_store(f"sqlite:///{long}/one/other.db") as other,
        open_store(tmp_path / "alias" / "one") as alias,
    ):
        assert one.is_same(one)
        assert one.is_same(alias)
        assert not one.is_same(two)
        assert not one.is_same(other)
