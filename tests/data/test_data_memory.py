from pathlib import Path

import pytest

from deepwell._base._errors import UsageError
from deepwell.data import _memory
from deepwell.data._memory import available_memory, gigabytes, require_memory


def test_free_memory_is_plausible() -> None:
    free = available_memory()
    assert free is not None
    assert 1e6 < free < 1e15


def test_the_control_group_bounds_what_is_free(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "max").write_text("5000000\n")
    (tmp_path / "current").write_text("2000000\n")
    pair = (str(tmp_path / "max"), str(tmp_path / "current"))
    monkeypatch.setattr(_memory, "GROUP_FILES", (pair,))
    assert available_memory() == 3_000_000
    (tmp_path / "max").write_text("max\n")
    assert (available_memory() or 0) > 3_000_000


def test_too_much_is_refused_with_both_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "available_memory", lambda: 2_000_000_000)
    require_memory(2_000_000_000, "big.csv")
    with pytest.raises(UsageError, match=r"^big\.csv needs about 3\.0 GB .* 2\.0 GB are free; "):
        require_memory(3_000_000_000, "big.csv")


def test_nothing_is_refused_where_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "available_memory", lambda: None)
    require_memory(10**18, "big.csv")


def test_sizes_in_words() -> None:
    assert gigabytes(4_000_000_000) == "4.0 GB"
    assert gigabytes(1_500_000) == "1.5 MB"
