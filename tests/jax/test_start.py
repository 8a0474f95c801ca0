"""E7: how JAX is started, what is reported when it was running before, where programs are kept."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path
from typing import Any

import pytest

from deepwell._jax import _start
from deepwell._jax._start import cache_folder, start, usable_cores

GUARD = "--xla_cpu_experimental_ynn_fusion_type=individual_dot"
Processes = dict[str, dict[str, Any]]


def guarded() -> bool:
    return start().jaxlib == "0.10.2"


def test_started_first_every_core_is_a_device_and_nothing_is_too_late(processes: Processes) -> None:
    said = processes["early"]
    assert said["too_late"] == []
    assert said["joined"] is False
    assert said["devices"] == said["cores"] == usable_cores()
    assert said["same"] is True


def test_the_guard_joins_the_users_flags(processes: Processes) -> None:
    flags = processes["early"]["flags"].split()
    assert flags[0] == "--xla_cpu_enable_fast_math=false"
    assert flags[1:] == ([GUARD] if guarded() else [])


def test_programs_are_kept_in_a_folder_of_the_user_and_the_release(
    processes: Processes, passed_before: Path
) -> None:
    folder = Path(processes["early"]["cache"])
    assert folder == passed_before / f"jax-{start().jaxlib}"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert any(folder.iterdir())


def test_what_came_too_late_is_said(processes: Processes) -> None:
    said = processes["late"]
    about_flags = [line for line in said["too_late"] if GUARD in line]
    about_cores = [line for line in said["too_late"] if "1 CPU device(s)" in line]
    assert said["joined"] is True
    assert len(about_flags) == (1 if guarded() else 0)
    assert len(about_cores) == (1 if said["cores"] > 1 else 0)
    assert len(said["too_late"]) == len(about_flags) + len(about_cores)


def test_without_a_usable_cache_there_is_simply_none(processes: Processes) -> None:
    said = processes["no cache"]
    assert said["cache"] == ""
    assert said["too_late"] == []
    assert said["refused"] == ""
    assert 0.0 < said["checked"] < 1e-4  # measured each time


def test_the_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEEPWELL_CACHE", "chosen")
    assert cache_folder() == Path("chosen")
    monkeypatch.delenv("DEEPWELL_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "base")
    assert cache_folder() == Path("base/deepwell")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(Path("person").absolute()))
    assert cache_folder() == Path("person/.cache/deepwell").absolute()


def test_a_user_without_a_home_has_a_cache_folder_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("DEEPWELL_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(_start.Path, "home", homeless)
    assert cache_folder().parent == Path(tempfile.gettempdir())


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of POSIX")
def test_a_folder_that_others_can_write_is_no_cache(tmp_path: Path) -> None:
    for mode, ours in [(0o700, True), (0o755, True), (0o770, False), (0o757, False)]:
        tmp_path.chmod(mode)
        assert _start._only_ours(tmp_path) is ours
    if os.getuid() == 0:
        tmp_path.chmod(0o700)
        os.chown(tmp_path, 12345, 12345)
        assert not _start._only_ours(tmp_path)


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 3, 5}, raising=False)
    assert usable_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1
