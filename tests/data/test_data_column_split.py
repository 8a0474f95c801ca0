"""D2: the user's own assignment of rows to parts, read from a column."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data import load
from deepwell.data._column_split import NAMES, column_parts
from deepwell.data._vault_reader import read_sealed

ROWS = 100
PARTS = ["train"] * 60 + ["dev"] * 15 + ["test"] * 25


@pytest.fixture(autouse=True)
def in_own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def table(parts: list[Any] = PARTS) -> pl.DataFrame:
    order = np.random.default_rng(1).permutation(ROWS)
    frame = pl.DataFrame(
        {"x": np.arange(ROWS) / 3, "part": parts, "y": ["no", "yes"] * (ROWS // 2)}, strict=False
    )
    return frame[order]


def complaint(parts: list[Any] = PARTS, **options: Any) -> str:
    with pytest.raises(UsageError) as caught:
        load(table(parts), "y", **{"split_column": "part", **options}, vault=None)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.proves("D2", "formula")
def test_every_row_goes_where_its_column_says() -> None:
    frame = table()
    data = load(frame, "y", split_column="part")
    assert data.facts.split == "column"
    assert data.facts.sizes == (60, 15, 25)
    assert read_sealed(data.vault).equals(frame.filter(pl.col("part") == "test"))
    for rows, name in ((data.train, "train"), (data.dev, "dev")):
        x = frame.filter(pl.col("part") == name)["x"].to_numpy()
        encoder = data.table_encoder
        np.testing.assert_allclose(rows.x[:, 0], (x - encoder.mean) / encoder.scale, rtol=1e-5)
    assert [column.name for column in data.table_encoder.columns] == ["x"]
    assert "part says which rows are train, dev and test: not an input" in data.facts.notes
    assert load(frame, "y", split="column", split_column="part").facts == data.facts


@pytest.mark.proves("D2", "formula")
@given(st.lists(st.sampled_from(sorted(NAMES)), min_size=1), st.randoms())
def test_names_come_in_any_case_with_spaces(names: list[str], random: Any) -> None:
    everything = [*names, "train", "dev", "test"]
    cased = [
        f" {''.join(random.choice((c.upper(), c)) for c in name)} ".rstrip(random.choice(" x"))
        for name in everything
    ]
    parts = column_parts(pl.Series("p", cased), needs_test=True, cuts_train_dev=False)
    assert parts.tolist() == [NAMES[name] for name in everything]


def test_a_train_dev_slice_may_be_marked_too() -> None:
    data = load(table(["train"] * 40 + ["Train-Dev"] * 20 + PARTS[60:]), "y", split_column="part")
    assert data.facts.sizes == (40, 15, 25)
    assert data.facts.train_dev_rows == len(data.train_dev) == 20
    cut = load(table(), "y", split_column="part", train_dev=10)
    assert (cut.facts.sizes, cut.facts.train_dev_rows) == ((50, 15, 25), 10)


@pytest.mark.proves("D2", "formula")
def test_copies_leave_the_parts_that_they_leak_into() -> None:
    parts = ["train"] * 5 + ["train_dev"] * 2 + ["dev"] * 2 + ["test"]
    parts += ["train"] * 55 + ["dev"] * 15 + ["test"] * 20
    x = np.arange(ROWS) / 3
    x[:10] = 7.25  # one content in all four parts: it stays in test alone
    x[[20, 21, 70]] = 8.125  # twice in train and once in dev: it stays in dev
    x[[30, 31]] = 9.5  # twice in train: both stay
    frame = pl.DataFrame({"x": x, "part": parts, "y": ["yes"] * 32 + ["no"] * 68})
    counts = {part: parts.count(part) for part in ("train", "train_dev", "dev", "test")}
    assert parts[70] == "dev"
    frame = frame.with_columns(y=pl.when(pl.col("x") == 8.125).then(pl.lit("yes")).otherwise("y"))
    data = load(frame, "y", split_column="part")
    assert data.facts.sizes == (counts["train"] - 7, counts["dev"] - 2, counts["test"])
    assert data.train_dev is None
    assert "11 rows also among the given dev or test rows: left out elsewhere" in data.facts.notes


def test_the_same_rows_are_known_again_under_another_assignment() -> None:
    one = load(table(), "y", split_column="part")
    other = load(table(PARTS[::-1]), "y", split_column="part")
    moved = set(one.row_hashes["train"].tolist()) & set(other.row_hashes["test"].tolist())
    assert len(moved) == 25


@pytest.mark.parametrize("without", ["test", "blank"])
def test_what_is_not_needed_may_be_missing(without: str) -> None:
    if without == "test":
        parts = [part.replace("test", "train") for part in PARTS]
        data = load(table(parts), "y", split_column="part", test=0)
        assert data.facts.sizes == (85, 15, 0)
        return
    frame = table([*PARTS[:-1], None]).with_columns(
        y=pl.when(pl.col("part").is_null()).then(None).otherwise("y")
    )
    assert load(frame, "y", split_column="part").facts.sizes == (60, 15, 24)


@pytest.mark.parametrize(
    ("parts", "options", "words"),
    [
        (["train"] * 99 + ["holdout"], {}, "test or train-dev in every row, got holdout"),
        (["train"] * 99 + ["tets"], {}, 'got tets; did you mean "test"?'),
        ([0, 1, 2, 3] * 25, {}, "in every row, got 0, 1, 2, 3"),
        ([*PARTS[:-2], None, ""], {}, "in every row, got 2 blanks; fill them"),
        (["train"] * 60 + ["test"] * 40, {}, 'split column "part" marks no row as dev'),
        (["dev"] * 60 + ["test"] * 40, {}, "marks no row as train; mark some"),
        (["train"] * 60 + ["dev"] * 40, {}, "marks no row as test; mark some, or give --test 0"),
        (PARTS, {"test": 0}, "marks 25 rows as test, and `test` 0 wants none"),
        (["train-dev", *PARTS[1:]], {"train_dev": 5}, "marks 1 row as train-dev"),
        (PARTS, {"dev": 10}, "says which rows are dev rows, and so does `dev`; leave one out"),
        (PARTS, {"test": 0.2}, "says which rows are test rows, and so does `test`"),
        (PARTS, {"test": "more.csv"}, "says which rows are test rows, and so does `test`"),
        (PARTS, {"keep": ["part"]}, "it cannot be an input, so leave `keep` out"),
        (PARTS, {"weights": "part"}, 'column "part" splits the rows; it cannot be their weight'),
        (PARTS, {"group": "x"}, "give `group` or `split_column`, not both"),
        (PARTS, {"split": "random"}, "`split_column` belongs to split column, got split random"),
        (PARTS, {"split": "column", "split_column": None}, "give --split-column COLUMN"),
        (PARTS, {"split_column": "prt"}, 'column "prt" not found; did you mean "part"?'),
        (PARTS, {"split_column": "y"}, 'column "y" is the target'),
    ],
)
def test_what_cannot_be_meant_is_refused(parts: list[Any], options: Any, words: str) -> None:
    assert words in complaint(parts, **options)
