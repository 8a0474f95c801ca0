"""Each case of bad input gets one clear sentence, and nothing half-written is left."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deepwell._base._errors import UsageError
from deepwell.data import load

RANDOM = np.random.default_rng(0)
TWICE = [1] * 30 + [2] * 30
GOOD: dict[str, Any] = {
    "x": RANDOM.normal(size=60),
    "kind": ["u", "v", "w"] * 20,
    "day": [f"2024-01-{1 + i % 28:02d}" for i in range(60)],
    "y": ["no", "yes"] * 30,
}


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.rglob("*.tmp"))
    assert not (tmp_path / "deepwell").exists()


def complaint(source: Any, target: str | None = "y", **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load(source, target, **options)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert len(sentence) < 400
    return sentence


def repeated(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (repeated(y=[None] * 60), 'target "y" is missing in all 60 rows'),
        (repeated(y=["", " "] * 30), 'target "y" is missing in all 60 rows'),
        (repeated(y=["a"] * 60), 'one class only, "a" in all rows'),
        (repeated(y=[f"label {i}" for i in range(60)]), "60 different labels in 60 rows"),
        (repeated(y=[["a"]] * 60), 'target "y" must hold one number or label a row'),
        (repeated(x=[*[0.5] * 16, np.inf, *[1.5] * 43]), 'column "x" must hold finite numbers'),
        (repeated(y=[*np.arange(59) / 7, -np.inf]), 'column "y" must hold finite numbers'),
        ({"x": [1.5, 2.5, 3.5], "y": ["a", "b", "a"]}, "3 rows with a target are too few"),
        ({"x": [1.5] * 60, "c": ["a"] * 60, "y": GOOD["y"]}, "(constant: x, c); add columns"),
        ({"x": [None] * 60, "y": GOOD["y"]}, "(all missing: x); add columns that vary"),
        ({"id": list(range(60)), "y": GOOD["y"]}, "(unique per row: id); add columns that vary"),
        ({"y": GOOD["y"]}, "no input column is left of 1 column"),
        ({"x": TWICE, "z": TWICE, "y": ["a"] * 30 + ["b"] * 30}, "same content"),
    ],
)
def test_data_that_cannot_be_used(source: dict[str, Any], words: str) -> None:
    assert words in complaint(source)


def test_the_infinite_value_s_row_is_named() -> None:
    values = GOOD["x"].copy()
    values[16] = np.inf
    assert "in row 17;" in complaint(repeated(x=values))
    # A column that is left out may hold anything.
    assert load(repeated(x=values), "y", ignore=["x"], vault=None).facts.features > 0


def test_a_column_that_is_not_there() -> None:
    assert complaint(GOOD, "z") == 'target "z" not found; columns: x, kind, day, y'
    assert 'target "dayy" not found; did you mean "day"? columns:' in complaint(GOOD, "dayy")
    for option in ("group", "time"):
        assert 'column "kin" not found; did you mean "kind"?' in complaint(GOOD, **{option: "kin"})
    for option in ("keep", "ignore"):
        assert 'column "kin" not found' in complaint(GOOD, **{option: ["kin"]})
        assert 'column "y" is the target' in complaint(GOOD, **{option: ["y"]})
    assert "which column is to be predicted? give --target COLUMN" in complaint(GOOD, None)


def test_a_long_list_of_columns_is_cut() -> None:
    wide = {f"column {j}": [1.5, 2.5] * 10 for j in range(2_000)}
    assert complaint(wide, "colum 7").endswith("column 11 and 1,988 more")


def test_a_file_without_column_names() -> None:
    Path("a.csv").write_text("1.5,2.5,a\n" + "3.5,4.5,b\n" * 20)
    assert "the first line must hold the column names" in complaint("a.csv")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"split": "stratifed"}, 'did you mean "stratified"?'),
        ({"task": "classify"}, "`task` must be one of classification, regression"),
        ({"seed": -1}, "`seed` must be a whole number of at least 0, got"),
        ({"seed": 1.5}, "`seed` must be a whole number"),
        ({"seed": True}, "`seed` must be a whole number"),
        ({"split": "group"}, "split group needs a column; give --group COLUMN"),
        ({"split": "time"}, "split time needs a column; give --time COLUMN"),
        ({"group": "kind", "split": "random"}, "`group` belongs to split group, got split random"),
        ({"time": "day", "split": "stratified"}, "`time` belongs to split time"),
        ({"time": "day", "group": "kind"}, "not both"),
        ({"keep": ["x"], "ignore": ["x"]}, '`keep` and `ignore` both name "x"'),
        ({"time": "kind"}, 'time column "kind" must hold numbers or dates'),
        ({"group": "y"}, 'column "y" is the target'),
        ({"dev": 0}, "`dev` must hold rows, got 0"),
        ({"dev": True}, "`dev` must be a number of rows"),
        ({"dev": -5}, "`dev` must be a number of rows"),
        ({"test": 60}, "none of 60 rows to train on"),
        ({"dev": 0.5, "test": 0.5}, "none of 60 rows to train on"),
        ({"dev": "no-such-file.csv"}, 'file "no-such-file.csv" not found'),
        ({"dev": {"x": [1.0]}}, 'the dev rows lack the column "kind"'),
        ({"dev": GOOD}, "every row of the table is also among the given"),
        ({"dev": GOOD, "test": GOOD}, "every row of the table is also among the given"),
        ({"task": "regression"}, 'column "y" must hold numbers, got "no" in row 1'),
    ],
)
def test_options_that_cannot_be_met(options: dict[str, Any], words: str) -> None:
    assert words in complaint(GOOD, **options)


def test_stratified_numbers() -> None:
    assert "split stratified needs classes" in complaint(
        {"x": GOOD["x"], "y": np.arange(60) / 7}, split="stratified"
    )


def test_missing_times_and_too_few_groups() -> None:
    assert "must have a value in every row, got 20 blanks" in complaint(
        repeated(day=["2024-01-01", "2024-01-02", None] * 20), time="day"
    )
    assert "at least 3 groups, got 2" in complaint(repeated(kind=["u", "v"] * 30), group="kind")


def test_a_train_part_of_one_class() -> None:
    table = repeated(step=np.arange(60), y=["no"] * 40 + ["yes"] * 20)
    assert "all train rows of the time split have the class" in complaint(table, time="step")


def test_the_vault_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "cannot be sealed" in complaint(GOOD)
