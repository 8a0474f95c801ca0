"""Backups, damaged stores, and putting one in the place of the other."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from deepwell._base._errors import DeepwellError, StudyError, UsageError
from deepwell.records import ChunkRecord, Event, Trial, TrialSpec
from deepwell.storage import Store, open_store
from deepwell.storage import _backup as backup
from deepwell.storage._backup import KEPT, backups_of, is_whole, newest_whole
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._claim import new_claim
from deepwell.storage._mark import marked
from deepwell.storage._network import _is_network, _is_share, _kind
from deepwell.storage._restore import restore
from deepwell.storage._schema import METADATA

Chunk = Callable[..., ChunkRecord]


def fill(store: Store, trials: int = 500) -> int:
    study = store.create_study("churn", {})
    specs = [(n, TrialSpec({"learning_rate": 0.01}, seed=n)) for n in range(trials)]
    store.propose(study.id, specs, Event(1.0, "propose"))
    return study.id


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """The database of a store that is closed, with a backup that lacks its last study."""
    with open_store(tmp_path) as store:
        fill(store)
        assert store.back_up()
        store.create_study("later", {})
    return tmp_path / "store.db"


def test_a_backup_is_the_store_of_its_moment(tmp_path: Path, filled: Path):
    (made,) = backups_of(filled)
    assert is_whole(made.file)
    with open_store(f"sqlite:///{made.file}", create=False) as copy:
        assert [s.name for s in copy.studies()] == ["churn"]
        assert len(copy.trials(1)) == 500
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backups", "store.db"]
    # One file, whole in itself.
    assert sum(p.suffix == ".db" for p in (tmp_path / "backups").iterdir()) == 1


def test_the_newest_few_backups_are_kept(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/one.db") as one:
        with open_store(f"sqlite:///{tmp_path}/two.db") as two:
            two.back_up()
        times: list[float] = []
        for n in range(KEPT + 2):
            one.create_study(f"study-{n}", {})
            assert one.back_up(at_once=True)
            times.append(backups_of(tmp_path / "one.db")[0].time)
    kept = backups_of(tmp_path / "one.db")
    assert [b.time for b in kept] == sorted(times, reverse=True)[:KEPT]
    assert len(backups_of(tmp_path / "two.db")) == 1  # that of another database is its own
    with open_store(f"sqlite:///{kept[0].file}") as newest:
        assert len(newest.studies()) == KEPT + 2


@pytest.mark.parametrize("other", ["team.sqlite", "team", "team-x.db", "team.db.db"])
def test_a_database_of_a_similar_name_has_backups_of_its_own(tmp_path: Path, other: str):
    files = [tmp_path / "team.db", tmp_path / other]
    for n, file in enumerate(files):
        with open_store(f"sqlite:///{file}") as store:
            for _ in range(n + 1):
                store.create_study("churn", {})
            assert store.back_up()
    for n, file in enumerate(files):
        (own,) = backups_of(file)
        with open_store(f"sqlite:///{own.file}") as store:
            assert len(store.studies()) == n + 1
        file.write_bytes(file.read_bytes()[:-1])
        assert restore(f"sqlite:///{file}").backup == own


def test_backups_take_a_small_part_of_the_time(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
):
    now = [1000.0]
    monkeypatch.setattr("deepwell.storage._backup.time.monotonic", lambda: now[0])
    monkeypatch.setattr("deepwell.storage._store.time.perf_counter", lambda: now[0])
    real = sqlite_store._database.back_up

    def slow() -> object:
        now[0] += 0.5
        return real()

    monkeypatch.setattr(sqlite_store._database, "back_up", slow)
    assert sqlite_store.back_up()
    now[0] += 49.0
    assert not sqlite_store.back_up()
    now[0] += 2.0
    assert sqlite_store.back_up()
    assert sqlite_store.back_up(at_once=True)


def test_a_backup_is_made_while_others_write(tmp_path: Path, make_chunk: Chunk):
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        study = fill(store)
        with other._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM trial")
            assert store.back_up()
            with open_store(f"sqlite:///{backups_of(tmp_path / 'store.db')[0].file}") as copy:
                assert len(copy.trials(study)) == 500  # what is not recorded yet is not in it
        assert other.trials(study) == []


def test_a_damaged_store_is_not_backed_up_over_good_ones(filled: Path):
    whole = filled.read_bytes()
    middle = len(whole) // 2
    filled.write_bytes(whole[:middle] + b"\xaa" * 4096 + whole[middle + 4096 :])
    before = backups_of(filled)
    for _ in range(KEPT + 1):
        with (
            pytest.raises(StudyError, match="damaged"),
            open_store(filled.parent) as store,
        ):
            store.back_up(at_once=True)
    assert backups_of(filled) == before
    assert sorted(p.suffix for p in (filled.parent / "backups").iterdir()) == [".db"]


def test_a_full_disk_leaves_the_older_backups(filled: Path, monkeypatch: pytest.MonkeyPatch):
    before = backups_of(filled)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(backup, "sync_file", full)
    with (
        open_store(filled.parent) as store,
        pytest.raises(UsageError, match="disk is full"),
    ):
        store.back_up(at_once=True)
    assert backups_of(filled) == before
    assert len(list((filled.parent / "backups").iterdir())) == 1


def test_an_upgrade_makes_a_backup_first(tmp_path: Path):
    shutil.copy(Path(__file__).parent / "data" / "schema_1.db", tmp_path / "store.db")
    with open_store(tmp_path) as store:
        assert store.studies()
    (made,) = backups_of(tmp_path / "store.db")
    connection = sqlite3.connect(made.file)
    assert connection.execute("SELECT version_num FROM deepwell_version").fetchone() == ("0001",)
    connection.close()


def some_sizes(whole: int) -> list[int]:
    pages = range(0, whole, 4096)
    edges = {n + d for n in pages for d in (-1, 0, 1, 2048)} | {1, 15, 16, 17, 99, 100, 511, 512}
    return sorted(n for n in edges if 0 <= n < whole)


def assert_cuts_are_found(file: Path, sizes: list[int]) -> None:
    whole = file.read_bytes()
    for size in sizes:
        file.write_bytes(whole[:size])
        with pytest.raises(StudyError, match=r'damaged; .*put it back with "deepwell restore') as e:
            open_store(file.parent)
        assert "\n" not in str(e.value)
    file.write_bytes(whole)
    with open_store(file.parent) as store:
        assert len(store.trials(1)) == 500


def test_a_store_cut_at_any_byte_is_found_at_opening(filled: Path):
    sizes = some_sizes(filled.stat().st_size)
    assert_cuts_are_found(filled, sizes[:12] + sizes[12::9] + sizes[-8:])


@pytest.mark.slow
def test_a_store_cut_at_very_many_bytes_is_found_at_opening(filled: Path):
    whole = filled.stat().st_size
    assert_cuts_are_found(filled, sorted({*some_sizes(whole), *range(4200), *range(0, whole, 61)}))


def test_a_store_cut_before_its_first_backup_is_found_too(tmp_path: Path):
    with open_store(tmp_path) as store:
        fill(store)
    file = tmp_path / "store.db"
    whole = file.read_bytes()
    for size in (2, 16, 100, 4096, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with pytest.raises(StudyError, match="damaged, and there is no whole backup of it"):
            open_store(tmp_path)
    (tmp_path / "vault").mkdir()
    for size in (0, 1):
        file.write_bytes(whole[:size])
        with pytest.raises(StudyError, match="damaged, and there is no whole backup of it"):
            open_store(tmp_path)


def live_copy(tmp_path: Path, make_chunk: Chunk) -> tuple[Path, list[Trial]]:
    """The files of a store whose process was killed: part of it in the log alone."""
    source, copy = tmp_path / "source", tmp_path / "copy"
    copy.mkdir()
    with open_store(source) as store:
        study = fill(store, 200)
        with store._database.reading() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")
        for epoch in (1, 2, 3):
            scores = np.random.default_rng(epoch).random(200)
            store.record_chunk(study, 0, make_chunk(epoch, scores))
        for name in ("store.db", "store.db-wal"):
            shutil.copy(source / name, copy / name)
        return copy, store.trials(study)


def test_a_store_with_a_log_is_whole_with_it_and_found_cut_without(
    tmp_path: Path, make_chunk: Chunk
):
    copy, expected = live_copy(tmp_path, make_chunk)
    file, log = (copy / name for name in ("store.db", "store.db-wal"))
    whole, logged = file.read_bytes(), log.read_bytes()
    refused: list[str] = []
    for size in [0, *some_sizes(len(whole))[::5], len(whole)]:
        file.write_bytes(whole[:size])
        log.write_bytes(logged)
        try:
            with open_store(copy, create=False) as store:
                assert store.trials(1) == expected
        except StudyError as error:
            refused.append(str(error))
    assert len(refused) > 10
    assert all("is damaged" in told for told in refused)


def test_a_log_cut_at_any_byte_leaves_an_earlier_moment(tmp_path: Path, make_chunk: Chunk):
    copy, _ = live_copy(tmp_path, make_chunk)
    file, log = (copy / name for name in ("store.db", "store.db-wal"))
    whole, logged = file.read_bytes(), log.read_bytes()
    seen: set[int] = set()
    for size in range(0, len(logged), max(1, len(logged) // 40)):
        file.write_bytes(whole)
        log.write_bytes(logged[:size])
        with open_store(copy, create=False) as store:
            (epochs,) = {trial.epochs for trial in store.trials(1)}  # never a part of a chunk
            seen.add(epochs)
            with store._database.reading() as connection:
                assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
    assert len(seen) > 1


def test_damage_inside_is_told_when_it_is_met(filled: Path):
    whole = filled.read_bytes()
    filled.write_bytes(whole[:20_000] + b"\xaa" * (len(whole) - 20_000))
    with (
        pytest.raises(StudyError, match="deepwell restore"),
        open_store(filled.parent) as store,
    ):
        store.trials(1)


def test_restoring_puts_the_newest_whole_backup_back(tmp_path: Path, filled: Path):
    with open_store(tmp_path) as store:
        store.back_up(at_once=True)
    newest, older = backups_of(filled)
    with newest.file.open("r+b") as cut:
        cut.truncate(newest.file.stat().st_size - 1)
    assert newest_whole(filled) == older
    damaged = filled.read_bytes()[:-1]
    filled.write_bytes(damaged)
    done = restore(tmp_path)
    assert done.backup == older
    assert done.aside is not None
    assert done.aside.read_bytes() == damaged
    with open_store(tmp_path, create=False) as store:
        assert [s.name for s in store.studies()] == ["churn"]
        store.create_study("next", {})
    with pytest.raises(UsageError, match="is whole, so nothing was put back"):
        restore(tmp_path)


def test_restoring_leaves_no_log_of_the_damaged_store(tmp_path: Path, make_chunk: Chunk):
    copy, _ = live_copy(tmp_path, make_chunk)
    with open_store(tmp_path / "source") as store:
        store.back_up()
    shutil.copytree(tmp_path / "source" / "backups", copy / "backups")
    with (copy / "store.db").open("r+b") as cut:
        cut.truncate(5000)
    with pytest.raises(StudyError, match="damaged"):
        open_store(copy)
    done = restore(copy)
    assert done.aside is not None
    with open_store(copy, create=False) as store:
        assert {trial.epochs for trial in store.trials(1)} == {3}


def test_a_store_that_is_gone_is_not_begun_anew_unasked(tmp_path: Path, filled: Path):
    filled.unlink()
    for create in (True, False):
        with pytest.raises(DeepwellError, match=r"deepwell restore|no store at"):
            open_store(tmp_path, create=create)
        assert not filled.exists()
    assert restore(tmp_path).aside is None
    with open_store(tmp_path, create=False) as store:
        assert [s.name for s in store.studies()] == ["churn"]


def test_restoring_without_a_backup_or_beside_a_run(tmp_path: Path, filled: Path):
    filled.write_bytes(filled.read_bytes()[:-1])
    with (
        marked(tmp_path, new_claim()),
        pytest.raises(StudyError, match=r"a study is being run by process \d+ on"),
    ):
        restore(tmp_path)
    shutil.rmtree(tmp_path / "backups")
    with pytest.raises(UsageError, match="there is no whole backup"):
        restore(tmp_path)
    with pytest.raises(UsageError, match="lies on a server"):
        restore("postgresql://ann:secret@db/team")


def test_how_to_restore_names_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    cases = {
        None: '"deepwell restore"',
        "my runs": f"\"deepwell restore --store '{tmp_path}/my runs'\"",
        "sqlite:///team.db": f'"deepwell restore --store sqlite:///{tmp_path}/team.db"',
    }
    for where, command in cases.items():
        with open_store(where) as store:
            fill(store, 50)
            store.back_up()
            file = store.folder / ("team.db" if "team" in str(where) else "store.db")
        with file.open("r+b") as cut:
            cut.truncate(file.stat().st_size - 1)
        with pytest.raises(StudyError) as caught:
            open_store(where)
        assert command in str(caught.value)


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
30 22 0:40 / /data rw shared:2 - nfs4 server:/home rw
31 30 8:2 / /data/ann/fast rw - xfs /dev/sdb rw
32 22 0:41 / /disks/my\\040disk rw - cifs //server/disk rw
33 22 0:42 / /disks/over rw - nfs server:/x rw
34 33 8:3 / /disks/over rw - ext4 /dev/sdc rw
broken line
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/srv/store.db", "ext4"),
        ("/data/ann/store.db", "nfs4"),
        ("/data/ann/fast/store.db", "xfs"),
        ("/data/ann/faster/store.db", "nfs4"),
        ("/disks/my disk/store.db", "cifs"),
        ("/disks/over/store.db", "ext4"),
    ],
)
def test_the_kind_of_a_disk_is_that_of_its_mount(path: str, kind: str):
    assert _kind(MOUNTS, path) == kind


@pytest.mark.parametrize(
    "kind",
    [
        *("nfs4", "cifs", "smb3", "9p", "vboxsf", "virtiofs", "ceph", "fuse.ceph-fuse", "fuse"),
        *("fuse.sshfs", "fuse.s3fs", "fuse.never-heard-of", "prl_fs", "fuse.vmhgfs-fuse"),
    ],
)
def test_kinds_of_disks_that_machines_share(kind: str):
    assert _is_network(kind)


@pytest.mark.parametrize(
    "kind", ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "fuseblk", "fuse.mergerfs", ""]
)
def test_kinds_of_disks_of_one_machine(kind: str):
    assert not _is_network(kind)


@pytest.mark.parametrize(
    ("path", "shared"),
    [
        (r"\\server\disk\store.db", True),
        ("//server/disk/store.db", True),
        (r"\\?\UNC\server\disk\store.db", True),
        (r"\\?\unc\server\disk\store.db", True),
        (r"\\.\UNC\server\disk\store.db", True),
        (r"\\wsl$\Debian\home\store.db", True),
        (r"\\?\C:\runs\store.db", False),
        (r"\\?\Volume{0}\store.db", False),
        (r"C:\runs\store.db", False),
        ("C:/unc/server/store.db", False),
    ],
)
def test_names_of_shared_disks_on_windows(path: str, shared: bool):
    assert _is_share(path) is shared


def test_a_store_on_a_network_disk_shares_no_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make_chunk: Chunk
):
    def mode(store: Store) -> str:
        with store._database.reading() as connection:
            return connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()

    with open_store(tmp_path) as store:  # made on a disk of this machine
        assert mode(store) == "wal"
    monkeypatch.setattr("deepwell.storage._sqlite.on_network", lambda _: True)
    with open_store(tmp_path) as store, open_store(tmp_path) as other:
        assert mode(store) == "delete"
        study = fill(store, 8)
        with store._database.writing() as connection:
            assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        for epoch in (1, 2):
            store.record_chunk(study, 0, make_chunk(epoch, np.full(8, 0.5)))
            assert {trial.epochs for trial in other.trials(study)} == {epoch}
        other.save_checkpoint(study, CheckpointRecord(1.0, 0, {}))
        assert store.back_up()
        assert not (tmp_path / "store.db-shm").exists()


def test_tables_are_all_in_the_backup(sqlite_store: Store):
    sqlite_store.back_up()
    (made,) = backups_of(sqlite_store.folder / "store.db")
    connection = sqlite3.connect(made.file)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    connection.close()
    assert {table.name for table in METADATA.sorted_tables} <= names


def test_a_store_that_is_only_busy_is_not_put_back(tmp_path: Path, filled: Path):
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode = EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("deepwell.storage._sqlite.BUSY_SECONDS", 0.1)
            with pytest.raises(StudyError, match="kept busy"):
                restore(tmp_path)
        other.execute("ROLLBACK")
    assert not list(tmp_path.glob("*-damaged-*"))


def test_a_backup_from_the_future_counts_as_the_oldest(tmp_path: Path, filled: Path):
    old = backups_of(filled)
    assert old
    ahead = old[0].file.with_name(f"{filled.stem}-20990101T000000.000000Z.db")
    shutil.copyfile(old[0].file, ahead)
    assert backups_of(filled)[0].file == old[0].file
    assert backups_of(filled)[-1].file == ahead
