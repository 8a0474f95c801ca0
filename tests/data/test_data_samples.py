import errno
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import sklearn.datasets

from deepwell._base._errors import UsageError
from deepwell.data._samples import SAMPLES, write_sample

SHAPES = {
    "digits": (1797, 65, "label"),
    "breast-cancer": (569, 31, "label"),
    "wine": (178, 14, "label"),
    "iris": (150, 5, "label"),
    "diabetes": (442, 11, "target"),
}


@pytest.mark.parametrize("name", list(SAMPLES))
@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_samples_are_complete(tmp_path: Path, name: str, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    written = write_sample(name, path)
    read = pl.read_csv(path) if suffix == "csv" else pl.read_parquet(path)
    assert (*read.shape, read.columns[-1]) == SHAPES[name]
    assert read.equals(written)
    assert all(column.isidentifier() for column in read.columns)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


def test_values_are_scikit_learn_s(tmp_path: Path) -> None:
    digits = write_sample("digits", tmp_path / "digits.csv")
    np.testing.assert_array_equal(
        digits.drop("label").to_numpy(), sklearn.datasets.load_digits().data
    )
    assert set(digits.dtypes) == {pl.Int64}
    assert (tmp_path / "digits.csv").read_text().splitlines()[1].startswith("0,0,5,13,9,1,")
    diabetes = write_sample("diabetes", tmp_path / "diabetes.csv")
    assert diabetes["age"].to_list()[:3] == [59, 48, 72]
    assert diabetes["target"][0] == 151
    iris = write_sample("iris", tmp_path / "iris.csv")
    assert iris["label"].unique().sort().to_list() == ["setosa", "versicolor", "virginica"]


def test_unknown_samples(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r'unknown sample "digit"; did you mean "digits"\?'):
        write_sample("digit", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (tmp_path / "no" / "a.csv", tmp_path, tmp_path / "a\0b", ""):
        with pytest.raises(UsageError, match=r"cannot be written \("):
            write_sample("iris", path)

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match="No space left on device"):
        write_sample("iris", tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []
