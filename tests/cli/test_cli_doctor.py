from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import pytest

from deepwell._base._errors import StudyError
from deepwell._jax import _numerics, _start


def test_a_healthy_machine(deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = deepwell("doctor")
    assert done.code == 0
    labels = [line[:10].strip() for line in done.out.splitlines() if not line.startswith(" ")]
    assert labels == [
        "version",
        "native",
        "jax",
        "numerics",
        "machine",
        "cache",
        "store",
        "verdict",
    ]
    assert done.out.endswith("verdict   ready\n")
    assert f"jaxlib {version('jaxlib')}" in done.out
    assert list(tmp_path.iterdir()) == []


def test_the_same_for_machines(deepwell, tmp_path: Path) -> None:
    told = deepwell("doctor", "--json", "--store", str(tmp_path / "place")).json
    assert told["ok"] is True
    assert told["jax"]["jaxlib"] == version("jaxlib")
    assert told["machine"]["cores"] >= 1
    assert told["store"] == {
        "ok": True,
        "told": f"{tmp_path / 'place'}: not there yet, the first fit makes it",
        "folder": str(tmp_path / "place"),
        "writable": True,
        "there": False,
    }


def test_wrong_arithmetic_is_a_problem(deepwell, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong() -> float:
        raise StudyError("jaxlib computes wrong numbers on this machine")

    monkeypatch.setattr(_numerics, "check_numerics", wrong)
    sick = deepwell("doctor")
    assert sick.code == 1
    assert "numerics  PROBLEM: jaxlib computes wrong numbers" in sick.out
    assert "verdict   not ready" in sick.out


def test_a_broken_jax_is_told_not_raised(deepwell, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise ImportError("libjax.so: cannot open")

    monkeypatch.setattr(_start, "start", broken)
    monkeypatch.setattr(_numerics, "check_numerics", broken)
    told = deepwell("doctor", "--json")
    assert told.code == 1
    assert told.json["jax"]["ok"] is False
    assert "libjax.so: cannot open" in told.json["jax"]["told"]
    assert told.json["numerics"]["ok"] is False


def test_a_store_that_cannot_be_made_is_a_problem(deepwell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    sick = deepwell("doctor", "--store", str(tmp_path / "file" / "store"))
    assert sick.code == 1
    assert "no permission to write" in " ".join(sick.out.split())
