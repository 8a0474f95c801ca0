"""A table that is streamed is the table that is read as a whole."""

import dataclasses
import io

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data import (
    _load,
    _streamed_delimited,
    _streamed_encoding,
    _streamed_load,
    _table_encoder,
    _text_columns_file,
)
from deepwell.data._load import load
from deepwell.data._memory_budget import parse_memory
from deepwell.data._streamed_table import column_groups, streamed_table
from deepwell.data._vault_reader import read_sealed

ROWS = 3_000


def table(rows=ROWS):
    rng = np.random.default_rng(5)
    number = rng.normal(size=rows)
    words = np.array(["red apple", "green pear", "blue plum sky", "one two three"])
    frame = pl.DataFrame(
        {
            "number": number,
            "whole": rng.integers(0, 40, rows),
            "holes": np.where(rng.random(rows) < 0.1, np.nan, rng.normal(3, 100, rows)),
            "digits": [str(v) for v in rng.integers(0, 9, rows)],
            "codes": [f"{v:03d}" for v in rng.integers(0, 60, rows)],
            "spaced": [f" {v} " if v else "n/a" for v in rng.integers(0, 5, rows)],
            "color": rng.choice(["red", "green", "blue", None], rows, p=[0.5, 0.3, 0.1, 0.1]),
            "text": [f"{w} {i} and more of it" for i, w in enumerate(rng.choice(words, rows))],
            "flag": rng.random(rows) < 0.3,
            "day": pl.Series(rng.integers(0, 9_000, rows)).cast(pl.Date),
            "key": np.arange(rows),
            "same": np.ones(rows),
            "group": rng.integers(0, 200, rows),
            "moment": rng.integers(0, 10**6, rows),
            "part": rng.choice(
                ["Train", "valid", "TEST", "train-dev"], rows, p=[0.6, 0.2, 0.1, 0.1]
            ),
            "amount": number * 2 + rng.normal(size=rows),
            "label": np.where(number + rng.normal(size=rows) > 0, "yes", "no"),
        }
    )
    labels = pl.when(pl.Series(rng.random(rows) < 0.02)).then(None).otherwise(pl.col("label"))
    frame = frame.with_columns(labels.alias("label"))
    return pl.concat([frame, frame.head(50)])  # copies, which stay in one part


@pytest.fixture(scope="module")
def parquet(tmp_path_factory):
    path = tmp_path_factory.mktemp("streamed") / "table.parquet"
    table().write_parquet(path, row_group_size=700)
    return path


@pytest.fixture
def streaming(monkeypatch):
    """Stream whatever can be, in small pieces and few columns at a time."""

    def every(source, budget, strict):
        return streamed_table(source, 0, strict=False)

    monkeypatch.setattr(_load, "streamed_table", every)
    monkeypatch.setattr(_streamed_encoding, "_LEAST_ROWS", 97)
    monkeypatch.setattr(_streamed_encoding, "_MOST_ROWS", 97)
    for module in (_streamed_load, _streamed_encoding):
        monkeypatch.setattr(
            module, "column_groups", lambda table, names, _: column_groups(table, names, 1_500_000)
        )
    return monkeypatch


def assert_same_data(streamed, whole):
    assert isinstance(streamed.train.x, np.memmap)
    assert streamed.weighting == whole.weighting
    for part in ("train", "dev", *(["train_dev"] if whole.train_dev is not None else [])):
        for name in ("x", "y", "weight"):
            one, other = getattr(getattr(streamed, part), name), getattr(getattr(whole, part), name)
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    assert streamed.table_encoder.to_plain() == whole.table_encoder.to_plain()
    assert streamed.target_encoder == whole.target_encoder
    assert streamed.fingerprint == whole.fingerprint
    for part, hashes in whole.row_hashes.items():
        np.testing.assert_array_equal(streamed.row_hashes[part], hashes)
    told = dataclasses.replace(streamed.facts, notes=(), sealed="")
    assert told == dataclasses.replace(whole.facts, notes=(), sealed="")
    assert set(whole.facts.notes) < set(streamed.facts.notes)
    if whole.vault is not None:
        assert streamed.vault.fingerprint == whole.vault.fingerprint
        assert read_sealed(streamed.vault).equals(read_sealed(whole.vault))


@pytest.mark.parametrize(
    "options",
    [
        {"target": "label"},
        {"target": "amount", "ignore": ["label", "key"]},
        {"target": "label", "time": "key"},
        {"target": "label", "group": "group", "keep": ["key", "group"]},
        {"target": "label", "time": "moment", "test": 0.1, "dev": 100},
        {"target": "digits", "task": "classification", "ignore": ["text"], "seed": 3},
        {"target": "label", "test": 0},
        {"target": "label", "weights": "whole", "class_weight": "balanced", "train_dev": 0.1},
        {"target": "amount", "group": "group", "weights": "whole", "train_dev": 200},
        {"target": "label", "split_column": "part"},
    ],
)
def test_a_streamed_parquet_file_is_the_one_in_memory(options, parquet, streaming, tmp_path):
    streamed = load(parquet, **options, vault=tmp_path / "one")
    streaming.undo()
    whole = load(parquet, **options, vault=tmp_path / "two")
    assert not isinstance(whole.train.x, np.memmap)
    assert_same_data(streamed, whole)


@pytest.mark.parametrize(
    ("separator", "quotes", "options"),
    [
        (",", "necessary", {"target": "label"}),
        (";", "always", {"target": "amount", "ignore": ["label"]}),
        ("\t", "never", {"target": "label", "group": "group", "keep": ["key", "group"]}),
        (";", "necessary", {"target": "label", "time": "moment", "dev": 100}),
        (",", "always", {"target": "amount", "split_column": "part"}),
    ],
)
def test_a_streamed_text_file_is_the_one_in_memory(
    separator, quotes, options, streaming, tmp_path, monkeypatch
):
    monkeypatch.setattr(_streamed_delimited, "_LEAST", 7_001)
    csv = tmp_path / "table.csv"
    frame = table()
    if separator == ";":
        commas = pl.col("number", "holes").cast(pl.String).str.replace(".", ",", literal=True)
        grouped = pl.Series([f"{i % 90 + 1}.{i % 1_000:03d},5" for i in range(frame.height)])
        people = pl.Series([f"{i % 900}" if i % 3 else "1.234" for i in range(frame.height)])
        frame = frame.with_columns(commas, grouped.alias("price"), people.alias("people"))
    frame.write_csv(csv, separator=separator, quote_style=quotes)
    monkeypatch.setattr(_load, "streamed_table", lambda *_, **__: streamed_table(csv, 10**6, True))
    streamed = load(csv, **options, vault=tmp_path / "one")
    assert any("its columns are kept in a file" in note for note in streamed.facts.notes)
    streaming.undo()
    whole = load(csv, **options, vault=tmp_path / "two")
    assert_same_data(streamed, whole)
    dots = [note for note in whole.facts.notes if "thousands" in note]
    assert len(dots) == (2 if separator == ";" else 0)


class Sparing(io.FileIO):
    """A raw file that takes and gives at most 1,000 bytes a call, as Linux does at 2 GiB."""

    def write(self, data):
        return super().write(memoryview(data).cast("B")[:1_000])

    def readinto(self, buffer):
        return super().readinto(memoryview(buffer).cast("B")[:1_000])

    def read(self, size=-1):
        return super().read(min(size, 1_000))


@pytest.fixture
def sparing(monkeypatch, tmp_path):
    """Take the place of the files without names; return how many were opened."""
    opened = []

    def file():
        opened.append(Sparing(tmp_path / f"file {len(opened)}", "w+"))
        return opened[-1]

    for module in (_streamed_encoding, _text_columns_file):
        monkeypatch.setattr(module, "temporary_file", file)
    return opened


def test_columns_that_one_call_of_the_system_does_not_take_come_back_whole(
    parquet, streaming, sparing, tmp_path
):
    streamed = load(parquet, target="label", vault=tmp_path / "one")
    assert len(sparing) == 2
    streaming.undo()
    assert_same_data(streamed, load(parquet, target="label", vault=tmp_path / "two"))


def test_texts_that_one_call_of_the_system_does_not_give_come_back_whole(sparing):
    frame = table().select("text", "codes")
    columns = _text_columns_file.TextColumnsFile(frame.columns, "\x1e", "\x1f")
    columns.add(frame.head(1_000))
    columns.add(frame.tail(-1_000))
    assert columns.columns(frame.columns).equals(frame)
    assert len(sparing) == 1


def test_wide_columns_are_fitted_in_pieces_alike(parquet, streaming, tmp_path, monkeypatch):
    exact = load(parquet, target="label", vault=None)
    monkeypatch.setattr(_table_encoder, "CHUNK_ROWS", 101)
    pieces = load(parquet, target="label", vault=None)
    for name in ("mean", "scale"):
        one = getattr(pieces.table_encoder, name)
        np.testing.assert_allclose(one, getattr(exact.table_encoder, name), rtol=1e-12, atol=1e-15)
    streaming.undo()
    monkeypatch.setattr(_table_encoder, "CHUNK_ROWS", 101)
    whole = load(parquet, target="label", vault=None)
    assert whole.table_encoder.to_plain() == pieces.table_encoder.to_plain()


def test_timestamps_of_databases_are_dates(streaming, tmp_path, monkeypatch):
    csv = tmp_path / "table.csv"
    days = pl.Series(np.arange(ROWS)).cast(pl.Date).cast(pl.String)
    late = pl.select(pl.when(pl.int_range(ROWS) < 30).then(pl.lit("NULL")).otherwise(days))
    texts = pl.DataFrame(
        {
            "postgresql": days + " 10:00:00.5+00",
            "bigquery": days + " 10:00:00 UTC",
            "mysql": late.to_series(),
            "label": table()["label"][:ROWS],
        }
    )
    texts.write_csv(csv)
    monkeypatch.setattr(_load, "streamed_table", lambda *_, **__: streamed_table(csv, 10**6, True))
    streamed = load(csv, target="label", vault=tmp_path / "one")
    assert [column.kind for column in streamed.table_encoder.columns] == ["date"] * 3
    streaming.undo()
    assert_same_data(streamed, load(csv, target="label", vault=tmp_path / "two"))


@pytest.mark.parametrize("order", ["C", "F"])
def test_mapped_arrays_are_those_in_memory(order, streaming, tmp_path):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2_000, 7)).astype(np.float32)
    x[3, 2] = np.nan
    y = rng.integers(0, 3, 2_000)
    np.save(tmp_path / "x.npy", np.asarray(x, order=order))
    np.save(tmp_path / "y.npy", y)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    streamed = load((mapped, np.load(tmp_path / "y.npy", mmap_mode="r")), vault=tmp_path / "one")
    streaming.undo()
    assert_same_data(streamed, load((x, y), vault=tmp_path / "two"))


def test_bad_cells_are_refused_as_in_memory(parquet, streaming, tmp_path):
    frame = table().with_columns(
        pl.when(pl.int_range(pl.len()) == 1234).then(np.inf).otherwise("number").alias("number")
    )
    frame.write_parquet(tmp_path / "infinite.parquet")
    with pytest.raises(UsageError, match="infinite one in row 1,235"):
        load(tmp_path / "infinite.parquet", target="label", vault=None)
    with pytest.raises(UsageError, match="not found"):
        load(parquet, target="lable", vault=None)


def test_a_budget_below_one_column_is_refused(parquet):
    table = streamed_table(parquet, 0, strict=False)
    with pytest.raises(UsageError, match="too small for a column"):
        list(column_groups(table, ["number"], 1000))


@pytest.mark.parametrize("given", [("dev",), ("test",), ("dev", "test")])
def test_given_rows_beside_a_stream_are_those_beside_a_table_in_memory(
    given, parquet, streaming, tmp_path
):
    """Columns of other types, in another order, an optional one left out, and copies of rows."""
    rng = np.random.default_rng(9)
    options = {"target": "label", "time": "moment", "keep": ["key"]}
    for part in given:
        rows = pl.concat([table().sample(400, seed=len(part)), table().head(30)])
        shift = pl.Series(rng.normal(size=430) * ([1.0] * 400 + [0.0] * 30))
        rows = rows.with_columns(
            pl.col("number") + shift,
            pl.col("digits").cast(pl.Float64) + shift.round(),
            pl.col("flag").cast(pl.String) if part == "dev" else pl.col("flag"),
        )
        rows = rows.select(reversed(rows.columns)).drop("moment")
        rows.write_csv(tmp_path / f"{part}.csv")
        options[part] = tmp_path / f"{part}.csv"
    if len(given) == 1:
        options[{"dev": "test", "test": "dev"}[given[0]]] = 200
    else:
        options |= {"time": None, "ignore": ["moment"]}
    streamed = load(parquet, **options, vault=tmp_path / "one")
    streaming.undo()
    whole = load(parquet, **options, vault=tmp_path / "two")
    assert_same_data(streamed, whole)


def test_given_rows_that_do_not_fit_are_refused(parquet, streaming):
    streaming.setattr(_streamed_load, "_GIVEN_SHARE", 200)
    with pytest.raises(UsageError, match=r"too small for 2,9.. given dev and test rows"):
        load(parquet, target="label", dev=parquet, vault=None, memory=16_000_000)
    streaming.setattr(_streamed_load, "TEXT_FACTOR", 10**4)
    with pytest.raises(UsageError, match=r"too small for a file of dev or test rows"):
        load(parquet, target="label", dev=parquet, vault=None, memory=16_000_000)


def test_what_fits_is_not_streamed_and_what_does_not_is(parquet, tmp_path):
    assert streamed_table(parquet, 10**9, strict=True) is None
    assert streamed_table(parquet, 10**5, strict=True) is not None
    assert streamed_table((np.zeros((9, 2)), np.zeros(9)), 1, strict=True) is None
    csv = tmp_path / "table.csv"
    table().write_csv(csv)
    assert streamed_table(csv, 10**9, strict=True) is None
    assert streamed_table(csv, 10**6, strict=False) is not None
    np.savez(tmp_path / "a.npz", X=np.zeros((1000, 9)), y=np.zeros(1000))
    with pytest.raises(UsageError, match="mmap_mode"):
        streamed_table(tmp_path / "a.npz", 10**4, strict=True)
    assert streamed_table(tmp_path / "missing.parquet", 1, strict=True) is None


@pytest.mark.parametrize(
    ("given", "size"),
    [("64MB", 64_000_000), ("4 GiB", 4 * 2**30), ("0.5gb", 500_000_000), (10**8, 10**8),
     ("20000KB", 20_000_000), (None, None)],
)  # fmt: skip
def test_sizes_are_read(given, size):
    assert parse_memory(given) == size


@pytest.mark.parametrize("given", ["4", "GB", "-4GB", "4XB", "", True, [1], float("nan"), "1e3GB"])
def test_what_is_no_size_is_refused(given):
    with pytest.raises(UsageError, match="`memory` must be a size such as 512MB"):
        parse_memory(given)


def test_a_budget_that_is_too_small_is_refused():
    with pytest.raises(UsageError, match=r"at least 16\.0 MB"):
        parse_memory("1MB")
