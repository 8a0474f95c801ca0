"""`deepwell curve`: the table, the finding, `--json`, wrong usage."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def here(deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert deepwell("sample", "breast-cancer").code == 0
    network = ("--hidden-layers", "1", "--hidden-units", "8", "--batch-size", "32")
    fitted = deepwell(
        *("fit", "breast-cancer.csv", "--target", "label", "--trials", "2", "--epochs", "4"),
        *(*network, "--json"),
    )
    assert fitted.code == 0
    return tmp_path


def test_the_curve_is_printed_and_told_by_diagnose(deepwell, here: Path) -> None:
    shown = deepwell("curve", "breast-cancer", "--runs", "3")
    assert (shown.code, shown.err) == (0, "")
    assert "train rows  dev error" in shown.out
    assert "DW50" in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    told = deepwell("diagnose", "breast-cancer")
    assert "More data" in told.out
    assert "train rows  dev error" in told.out

    json = deepwell("curve", "breast-cancer", "--runs", "3", "--json").json
    assert json["name"] == "breast-cancer"
    assert json["finding"]["code"].startswith("DW50")
    assert [point["rows"] for point in json["points"]] == sorted(
        point["rows"] for point in json["points"]
    )
    assert {"twice", "gain", "refusal", "families", "held_out"} <= set(json)


def test_wrong_usage(deepwell, here: Path) -> None:
    assert deepwell("curve", "nobody").code == 2
    refused = deepwell("curve", "breast-cancer", "--runs", "1")
    assert refused.code == 2
    assert "runs" in refused.err
