import datetime
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from deepwell._base._errors import UsageError
from deepwell.data._table_input import describe_source, read_table

PLAIN = {"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", None, "y"], "d": [True, False, True]}


def complaint(source: object) -> str:
    with pytest.raises(UsageError) as caught:
        read_table(source)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def sources(tmp_path: Path) -> dict[str, object]:
    frame = pl.DataFrame(PLAIN)
    frame.write_parquet(tmp_path / "a.parquet")
    return {
        "polars": frame,
        "lazy": frame.lazy(),
        "pandas": pd.DataFrame(PLAIN),
        "pyarrow": pa.table(PLAIN),
        "mapping": PLAIN,
        "path": tmp_path / "a.parquet",
        "text path": str(tmp_path / "a.parquet"),
    }


def test_every_source_gives_the_same_table(tmp_path: Path) -> None:
    for name, source in sources(tmp_path).items():
        assert read_table(source).to_dict(as_series=False) == PLAIN, name


def test_nan_is_missing_and_types_become_plain() -> None:
    frame = pl.DataFrame(
        {
            "nan": [1.0, float("nan")],
            "cat": pl.Series(["u", "v"], dtype=pl.Categorical),
            "enum": pl.Series(["u", "v"], dtype=pl.Enum(["u", "v"])),
            "decimal": pl.Series(["1.50", "2.25"]).cast(pl.Decimal(10, 2)),
            "half": pl.Series([1.5, 2.5], dtype=pl.Float32),
            "digits": pl.Series(["1", "2"], dtype=pl.Categorical),
        }
    )
    table = read_table(frame)
    assert table["nan"].to_list() == [1.0, None]
    assert table["cat"].to_list() == table["enum"].to_list() == ["u", "v"]
    assert table["decimal"].to_list() == [1.5, 2.25]
    assert table.schema["half"] == pl.Float32
    assert table.schema["digits"] == pl.String  # a categorical type stays categories


def test_pandas_in_all_its_forms() -> None:
    frame = pd.DataFrame(
        {
            0: [1, 2],
            "mixed": ["x", 3],
            "missing": pd.array([1, None], dtype="Int64"),
            "when": pd.to_datetime(["2024-01-01", None]),
            "total": ["1.5", " "],
        }
    )
    table = read_table(frame)
    assert table.columns == ["0", "mixed", "missing", "when", "total"]
    assert table["mixed"].to_list() == ["x", "3"]
    assert table["missing"].to_list() == [1, None]
    assert table["when"].to_list() == [datetime.datetime(2024, 1, 1), None]
    assert table["total"].to_list() == [1.5, None]
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"])
    assert "same name" in complaint(twice)


def test_pandas_without_pyarrow(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_pyarrow(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("pyarrow")

    monkeypatch.setattr(pl, "from_pandas", no_pyarrow)
    frame = pd.DataFrame({"a": [1.5, None], "b": ["u", None], "c": [True, False]})
    assert read_table(frame).to_dict(as_series=False) == {
        "a": [1.5, None],
        "b": ["u", None],
        "c": [True, False],
    }


def test_arrays_and_pairs() -> None:
    x = np.arange(6.0).reshape(3, 2)
    assert read_table(x).columns == ["x_0", "x_1"]
    assert read_table((x, [1, 2, 3])).columns == ["x_0", "x_1", "target"]
    assert read_table((x, np.array([[1], [2], [3]])), "label")["label"].to_list() == [1, 2, 3]
    named = (pd.DataFrame({"a": [1, 2]}), pd.Series(["u", "v"], name="kind"))
    assert read_table(named).to_dict(as_series=False) == {"a": [1, 2], "kind": ["u", "v"]}
    structured = np.array([(1, 2.5), (3, 4.5)], dtype=[("i", int), ("f", float)])
    assert read_table(structured).to_dict(as_series=False) == {"i": [1, 3], "f": [2.5, 4.5]}


def test_what_is_no_table() -> None:
    assert "dense array" in complaint(scipy.sparse.csr_matrix(np.eye(3)))
    assert '"NoneType"' in complaint(None)
    assert '"int"' in complaint(3)
    assert "shape (3,)" in complaint(np.zeros(3))
    assert "3 items" in complaint((1, 2, 3))
    assert "got 3 rows and 2" in complaint((np.zeros((3, 2)), [1, 2]))
    assert "one value a row" in complaint((np.zeros((3, 2)), np.zeros((3, 2))))
    assert "no rows" in complaint(pl.DataFrame({"a": []}))
    assert "no columns" in complaint({})
    assert 'column "^a.*$" begins with ^ and ends with $' in complaint({"^a.*$": [1], "ab": [2]})
    assert "like a column of X" in complaint((pd.DataFrame({"a": [1]}), pd.Series([1], name="a")))


def test_sources_have_a_short_description() -> None:
    assert describe_source("some/where/churn.csv") == "churn.csv"
    assert describe_source((1, 2)) == "arrays"
    assert describe_source({}) == "columns"
    assert describe_source(pd.DataFrame()) == "pandas frame"
    assert describe_source(pl.DataFrame()) == "polars frame"


def test_names_that_mean_something_to_polars_are_only_names() -> None:
    names = ["*", "^a", "a$", "literal", "len", "count"]
    table = read_table({name: [f"{i}.5", " x" if i % 2 else " 2"] for i, name in enumerate(names)})
    assert table.columns == names
    assert table["*"].to_list() == [0.5, 2.0]
    assert table["^a"].to_list() == ["1.5", "x"]


def test_columns_without_a_name_are_numbered() -> None:
    assert read_table(pl.DataFrame({"a": [1], " ": [2]})).columns == ["a", "column_2"]
    assert read_table(pd.DataFrame([[1, 2]], columns=["", "a"])).columns == ["column_1", "a"]
    assert "name it" in complaint(pl.DataFrame({" ": [1], "column_1": [2]}))
