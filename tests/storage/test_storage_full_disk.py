"""A disk that is full, for real: one sentence, and nothing that was recorded is lost."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.records import ChunkRecord, Event, TrialSpec
from deepwell.storage import open_store
from deepwell.storage._backup import backups_of, is_whole

KILOBYTES = 1200


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, as whoever may mount one has it."""
    place = tmp_path / "disk"
    place.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", f"size={KILOBYTES}k", "tmpfs", str(place)]
    if os.name == "nt" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("a small disk can only be mounted by root on Linux")
    if subprocess.run(words, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("left", [0, 40, 160, 240, 600, 1100])
def test_a_full_disk_is_told_and_loses_nothing(
    small_disk: Path, left: int, make_chunk: Callable[..., ChunkRecord]
):
    rest, recorded = small_disk / "rest", list[int]()
    rest.write_bytes(bytes(1024 * (KILOBYTES - left - 8)))

    def record() -> None:
        with open_store(small_disk / "store") as store:
            study = store.create_study("churn", {})
            specs = [(n, TrialSpec({}, seed=n)) for n in range(64)]
            store.propose(study.id, specs, Event(1.0, "propose"))
            for epoch in range(1, 1000):
                store.record_chunk(study.id, 0, make_chunk(epoch, np.full(64, 1 / epoch)))
                recorded.append(epoch)

    with pytest.raises(UsageError, match=r"is full.*free space and run again"):
        record()
    rest.unlink()
    assert recorded or left < 1100
    with open_store(small_disk / "store") as store:  # there is room again
        told = store.trials(1) if recorded else []
        assert {trial.epochs for trial in told} == set(recorded[-1:])
        with store._database.reading() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar_one() == "ok"
        store.create_study("next", {})


def test_a_backup_without_room_leaves_nothing_half_made(small_disk: Path):
    with open_store(small_disk) as store:
        study = store.create_study("churn", {})
        specs = [(n, TrialSpec({}, seed=n)) for n in range(100)]
        store.propose(study.id, specs, Event(1.0, "propose"))
        assert store.back_up()
        free = shutil.disk_usage(small_disk).free
        (small_disk / "rest").write_bytes(bytes(free - 100_000))
        with pytest.raises(UsageError, match="is full"):
            store.back_up(at_once=True)
        (made,) = backups_of(small_disk / "store.db")
        assert is_whole(made.file)
        assert [p.name for p in (small_disk / "backups").iterdir()] == [made.file.name]
        assert len(store.trials(study.id)) == 100


@pytest.mark.parametrize("left", [0, 4, 8, 16, 64])
def test_a_rename_on_a_full_disk_is_done_or_not(small_disk: Path, left: int):
    with open_store(small_disk / "store") as store:
        study = store.create_study("churn", {})
        (store.folder / "churn").mkdir()
        (store.folder / "churn" / "report.txt").write_text("all is well\n")
        free = shutil.disk_usage(small_disk).free
        (small_disk / "rest").write_bytes(bytes(free - 1024 * left))
        told = ""
        try:
            store.removal.rename(study, "wine", None)
        except UsageError as error:
            told = str(error)
        assert "is full" in told or left
    (small_disk / "rest").unlink()
    with open_store(small_disk / "store") as store:
        name = "churn" if told else "wine"
        assert [found.name for found in store.studies()] == [name]
        assert (store.folder / name / "report.txt").read_text() == "all is well\n"
        assert not (store.folder / ("wine" if told else "churn")).exists()
        assert not (store.folder / ".moves").exists()
