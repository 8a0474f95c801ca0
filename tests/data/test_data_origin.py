"""Where data came from: enough to read the same again from any working directory."""

import json
from pathlib import Path

import numpy as np
import pytest

from deepwell.data._load import load


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(0)
    for name, rows in (("t.csv", 60), ("dev.csv", 20)):
        x = rng.normal(size=(rows, 2)).round(3)
        lines = [f"{a},{b},{int(a > 0)}" for a, b in x]
        (tmp_path / name).write_text("\n".join(["a,b,y", *lines]) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dev": "dev.csv", "test": "0.3"},
        {"dev": Path("dev.csv"), "keep": iter(["a"]), "ignore": ("b",), "seed": 3, "name": "n"},
        {"class_weight": {1: 5, "0": np.float32(0.5)}},
        {"class_weight": "1=5"},
    ],
)
def test_files_are_read_again_alike(
    here: Path, monkeypatch: pytest.MonkeyPatch, options: dict
) -> None:
    first = load("t.csv", "y", **options, vault=None)
    assert first.origin is not None
    plain = json.loads(json.dumps([first.origin.source, first.origin.options]))
    (here / "elsewhere").mkdir()
    monkeypatch.chdir(here / "elsewhere")
    again = load(plain[0], **plain[1], vault=None)
    assert again.fingerprint == first.fingerprint
    np.testing.assert_array_equal(again.train.x, first.train.x)
    np.testing.assert_array_equal(again.dev.x, first.dev.x)
    np.testing.assert_array_equal(again.dev.weight, first.dev.weight)
    assert again.origin == first.origin
    assert again.name == first.name


def test_rows_from_memory_have_no_origin(here: Path) -> None:
    table = {"a": [0.5, 1.25, 2.5, 4.0] * 10, "y": [0, 1] * 20}
    assert load(table, "y", vault=None).origin is None
    rows = {"a": [0.1] * 6, "b": [0.2] * 6, "y": [0, 1] * 3}
    assert load("t.csv", "y", dev=rows, vault=None).origin is None
