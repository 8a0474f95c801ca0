"""The lease: held by one process at a time, and freed by the system however that one ends."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.storage import _lease
from deepwell.storage._lease import lease_holder, leased

HOLD = """
import sys
from pathlib import Path
from deepwell.storage._lease import leased
with leased(Path(sys.argv[1]), "churn"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_lease_is_held_once_and_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "churn" / "checkpoint"
    assert lease_holder(folder) is None
    assert not folder.exists()  # asking makes nothing
    with leased(folder, "churn"):
        holder = lease_holder(folder)
        assert holder is not None
        assert holder.startswith(f"process {os.getpid()} on ")
        with (
            pytest.raises(StudyError, match=rf"study churn is being run by process {os.getpid()}"),
            leased(folder, "churn"),
        ):
            raise AssertionError("taken twice")
    assert lease_holder(folder) is None
    with pytest.raises(RuntimeError), leased(folder, "churn"):
        raise RuntimeError
    with leased(folder, "churn"):
        pass


def test_a_killed_process_gives_its_lease_back(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert (lease_holder(tmp_path) or "").startswith(f"process {process.pid} on ")
    with pytest.raises(StudyError, match="wait for it, or stop"), leased(tmp_path, "churn"):
        raise AssertionError("taken twice")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert lease_holder(tmp_path) is None
    with leased(tmp_path, "churn"):
        assert (lease_holder(tmp_path) or "").startswith(f"process {os.getpid()} on ")


def test_a_disk_without_locks_runs_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(_lease.fcntl, "flock", unknown)
    with leased(tmp_path, "churn"), leased(tmp_path, "churn"):
        assert lease_holder(tmp_path) is None


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(UsageError, match="a file stands where a folder is needed"),
        leased(tmp_path / "file" / "checkpoint", "churn"),
    ):
        raise AssertionError("no place")


def test_a_hostile_name_in_a_lock_is_harmless(tmp_path: Path) -> None:
    with leased(tmp_path, "churn"):
        (tmp_path / "lock").write_text("\x1b[2J me")
        assert lease_holder(tmp_path) == "?[2J me"
