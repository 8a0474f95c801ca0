from __future__ import annotations

import csv
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("name", "rows", "columns", "target"),
    [
        ("digits", 1797, 65, "label"),
        ("breast-cancer", 569, 31, "label"),
        ("wine", 178, 14, "label"),
        ("iris", 150, 5, "label"),
        ("diabetes", 442, 11, "target"),
    ],
)
def test_samples(deepwell, tmp_path: Path, name: str, rows: int, columns: int, target: str) -> None:
    path = tmp_path / "table.csv"
    told = deepwell("sample", name, "-o", str(path), "--json").json
    assert told == {"path": str(path), "rows": rows, "columns": columns, "target": target}
    with path.open(newline="") as stream:
        table = list(csv.reader(stream))
    assert len(table) == rows + 1
    assert {len(row) for row in table} == {columns}
    assert table[0][-1] == target


def test_the_default_file_is_named_after_the_sample(
    deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert deepwell("sample", "iris").out == (
        "saved     iris.csv (150 rows x 5 columns, target label)\n"
    )
    assert (tmp_path / "iris.csv").exists()


def test_no_folder_no_file(deepwell, tmp_path: Path) -> None:
    refused = deepwell("sample", "iris", "-o", str(tmp_path / "no" / "iris.csv"))
    assert refused.code == 2
    assert refused.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
