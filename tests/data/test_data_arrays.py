import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data import _memory
from deepwell.data._arrays import array_columns, frame_of, read_mapping, read_npz, series_of_objects


def test_axes_become_columns() -> None:
    assert [c.name for c in array_columns("a", np.zeros((5, 3)))] == ["a_0", "a_1", "a_2"]
    images = np.arange(12.0).reshape(3, 2, 2)
    flat = array_columns("x", images)
    assert [c.to_list() for c in flat] == images.reshape(3, 4).T.tolist()
    assert array_columns("y", np.arange(3))[0].to_list() == [0, 1, 2]


@pytest.mark.parametrize(
    ("array", "values"),
    [
        (np.array(["u", "v"]), ["u", "v"]),
        (np.array([b"u", b"v"]), ["u", "v"]),
        (np.array(["u", 3, None, 2.5], dtype=object), ["u", "3", None, "2.5"]),
        (np.array([1.5, None, float("nan")], dtype=object), [1.5, None, None]),
        (np.array([1.5, 2.5], np.float16), [1.5, 2.5]),
        (np.array([True, False]), [True, False]),
        (np.array([1.5, 2.5], np.longdouble), [1.5, 2.5]),
    ],
)
def test_values_of_all_types_arrive(array: np.ndarray, values: list[object]) -> None:
    assert array_columns("a", array)[0].to_list() == values


def test_what_is_no_table_is_refused() -> None:
    with pytest.raises(UsageError, match="complex"):
        array_columns("a", np.zeros(3, complex))
    with pytest.raises(UsageError, match="single value"):
        array_columns("a", np.float64(3))
    with pytest.raises(UsageError, match='"a" has 3 and "b" has 2'):
        read_mapping({"a": [1, 2, 3], "b": [1, 2]})
    with pytest.raises(UsageError, match='two columns are named "a_0"'):
        read_mapping({"a_0": [1], "a": np.zeros((1, 2))})
    with pytest.raises(UsageError, match="no columns"):
        frame_of([])


def test_mappings_of_lists_arrays_and_series() -> None:
    frame = read_mapping({"a": [1, "x"], 2: np.zeros((2, 2)), "s": pl.Series([True, None])})
    assert frame.columns == ["a", "2_0", "2_1", "s"]
    assert frame["a"].to_list() == ["1", "x"]


def test_objects_that_polars_does_not_know_become_text() -> None:
    assert series_of_objects("p", [Path("a"), None]).to_list() == ["a", None]


def test_npz_round_trip(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=(6, 2))
    np.savez(tmp_path / "a.npz", X=x, y=np.arange(6), name=np.array(list("abcdef")))
    frame = read_npz(tmp_path / "a.npz", "a.npz")
    assert frame.columns == ["x_0", "x_1", "y", "name"]
    np.testing.assert_array_equal(frame.select("x_0", "x_1").to_numpy(), x)


def npz_complaint(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_npz(path, path.name)
    return str(caught.value)


def test_npz_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, X=np.array([{}, 1], dtype=object))
    assert "Python objects" in npz_complaint(path)
    path.write_bytes(b"PK\x03\x04 nonsense")
    assert "cannot be read as NPZ" in npz_complaint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("sheet.xml", "<x/>")
    assert "zip archive (an Excel file is one too)" in npz_complaint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.npy", b"\x93NUMPY\x01")
    assert "cannot be read as NPZ" in npz_complaint(path)
    np.savez_compressed(path, X=np.zeros((1000, 1000)))  # 8 MB from a file of 8 kB
    monkeypatch.setattr(_memory, "available_memory", lambda: 1_000_000)
    assert "needs about 32.0 MB of memory" in npz_complaint(path)
