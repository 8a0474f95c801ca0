"""`deepwell rates`: the table, `--json`, nothing kept, wrong usage."""

from __future__ import annotations

from pathlib import Path

import pytest

SHORT = ("--runs", "2", "--rates", "9", "--epochs", "2", "--hidden-units", "8")


@pytest.fixture
def here(deepwell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert deepwell("sample", "iris").code == 0
    return tmp_path


def test_the_table_and_the_rate(deepwell, here: Path) -> None:
    shown = deepwell("rates", "iris.csv", "--target", "label", *SHORT)
    assert (shown.code, shown.err) == (0, "")
    for word in ("network", "9 rates", "train cost", "rate ", "diverges", "--space learning_rate"):
        assert word in shown.out
    assert max(map(len, shown.out.splitlines())) <= 80
    assert [path.name for path in here.iterdir()] == ["iris.csv"]


def test_json(deepwell, here: Path) -> None:
    told = deepwell("rates", "iris.csv", "--target", "label", *SHORT, "--json").json
    assert told["name"] == "iris"
    assert len(told["rates"]) == len(told["costs"]) == 9
    assert told["recommended"]["low"] <= told["recommended"]["value"]
    assert told["runs"] == 2


@pytest.mark.parametrize(
    ("more", "what"),
    [
        (("--learning-rate", "0.1"), "--low"),
        (("--low", "1", "--high", "0.1"), "`low` must be below"),
        (("--rates", "2"), "rates"),
    ],
)
def test_wrong_usage(deepwell, here: Path, more: tuple[str, ...], what: str) -> None:
    refused = deepwell("rates", "iris.csv", "--target", "label", *more)
    assert refused.code == 2
    assert what in refused.err
