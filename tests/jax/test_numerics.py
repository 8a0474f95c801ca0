"""The check of the arithmetic: right with the guard, wrong without it where JAX is faulty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from deepwell._base._errors import StudyError
from deepwell._jax import _numerics
from deepwell._jax._numerics import check_numerics, measure
from deepwell._jax._start import start

Processes = dict[str, dict[str, Any]]

faulty = pytest.mark.skipif(
    start().jaxlib != "0.10.2", reason="only jaxlib 0.10.2 is known to compute wrongly"
)


def test_this_process_computes_rightly() -> None:
    assert measure() < 1e-6
    assert check_numerics() <= 1e-4


@faulty
def test_the_measure_sees_the_fault(processes: Processes) -> None:
    assert processes["late"]["error"] > 1e-4
    assert processes["early"]["error"] < 1e-6


@faulty
def test_wrong_arithmetic_is_refused_although_a_guarded_process_passed(
    processes: Processes,
) -> None:
    """The mark of the guarded process must not speak for one that JAX started without it."""
    assert processes["early"]["checked"] <= 1e-4
    assert processes["late"]["checked"] is None
    refused = processes["late"]["refused"]
    assert refused.startswith("StudyError: jaxlib 0.10.2 computes wrong numbers")
    assert "start Deepwell before any other JAX code" in refused


def test_a_pass_is_remembered_by_release_and_flags(
    passed_before: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPWELL_CACHE", str(passed_before))
    monkeypatch.setattr(_numerics, "measure", lambda: 1e-9)
    assert check_numerics.__wrapped__() == 0.0
    monkeypatch.setenv("XLA_FLAGS", "--another_flag=1")
    assert check_numerics.__wrapped__() == 1e-9


@pytest.mark.parametrize("error", [2e-4, float("inf"), float("nan")])
def test_a_wrong_sum_raises_and_is_not_remembered(
    error: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEEPWELL_CACHE", str(tmp_path))
    monkeypatch.setattr(_numerics, "measure", lambda: error)
    with pytest.raises(StudyError, match="computes wrong numbers"):
        check_numerics.__wrapped__()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["x" * 300, "file/below"])
def test_an_unusable_cache_folder_only_costs_the_memory(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("not a folder")
    monkeypatch.setenv("DEEPWELL_CACHE", str(tmp_path / name))
    monkeypatch.setattr(_numerics, "measure", lambda: 1e-9)
    assert check_numerics.__wrapped__() == 1e-9
