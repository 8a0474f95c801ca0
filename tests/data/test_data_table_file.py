import gzip
import os
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._table_file import read_file
from deepwell.data._text_numbers import parse_text

FRAME = pl.DataFrame({"a": [1, 2, 3], "b": [0.5, None, 2.5], "c": ["x", "y", None]})


def table(path: str | Path) -> pl.DataFrame:
    return parse_text(*read_file(path, []))


def complaint(path: str | Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_file(path, [])
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.csv", "a.data", "noending", "a.parquet"])
def test_text_is_known_by_its_content_not_its_name(tmp_path: Path, name: str) -> None:
    FRAME.write_csv(tmp_path / name)
    assert table(tmp_path / name).equals(FRAME)


def test_tsv_and_parquet(tmp_path: Path) -> None:
    FRAME.write_csv(tmp_path / "a.tsv", separator="\t")
    FRAME.write_parquet(tmp_path / "a.csv")
    assert table(tmp_path / "a.tsv").equals(FRAME)
    assert table(str(tmp_path / "a.csv")).equals(FRAME)


def test_names_are_not_patterns(tmp_path: Path) -> None:
    folder = tmp_path / "k=1"
    folder.mkdir()
    FRAME.write_parquet(folder / "a[1]*.parquet")
    FRAME.write_csv(folder / "a[1]*.csv")
    assert table(folder / "a[1]*.parquet").equals(FRAME)
    assert table(folder / "a[1]*.csv").equals(FRAME)


def test_semicolons_bring_decimal_commas(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("a;b\n1,5;x\n2,25;y\n")
    assert table(tmp_path / "a.csv")["a"].to_list() == [1.5, 2.25]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (bytes(range(256)) * 8, "is a binary file"),
        (b"a,b\n1,2\n" * 20_000 + b"\0", "is a binary file"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), "gzip-compressed"),
        ("a,b\n1,2\n".encode("utf-16"), "UTF-16"),
        (b"PAR1" + bytes(100), "cannot be read as Parquet"),
        (b"PK\x03\x04" + bytes(100), "cannot be read as NPZ"),
        (b"%PDF-1.7\n", "is a PDF"),
        (b"SQLite format 3\0", "SQLite"),
        (b"\x93NUMPY\x01\0", "single NumPy array"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_table_is_called_by_its_name(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.csv").write_bytes(content)
    assert complaint(tmp_path / "a.csv").startswith("a.csv ")
    assert words in complaint(tmp_path / "a.csv")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text("a,b\n1,2\n")
    assert 'not found; did you mean "churn.csv"?' in complaint(tmp_path / "chrun.csv")
    assert complaint(tmp_path / "no" / "such.csv").endswith("not found; check the path")
    assert "is a directory" in complaint(tmp_path)
    assert "is a directory" in complaint("")
    assert "too long a file name" in complaint("a" * 5000)
    assert "null byte" in complaint("a\0b")
    assert "not a regular file" in complaint("/dev/null")


def test_a_file_name_cannot_speak_to_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "a\x1b[2J.csv").write_bytes(b"")
    assert complaint(tmp_path / "a\x1b[2J.csv").startswith("a?[2J.csv is empty")
    assert "\x1b" not in complaint(tmp_path / "a\x1b[2K.csv")


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("a,b\n1,2\n")

    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", forbidden)
    assert complaint(path) == "a.csv may not be read: permission denied; check its permissions"


def test_four_gigabytes_are_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "big.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 20_000)
    os.truncate(path, 4_000_000_000)  # sparse: takes no space
    monkeypatch.setattr("deepwell.data._memory.available_memory", lambda: 16_000_000_000)
    assert complaint(path).startswith("big.csv (4.0 GB) needs about 48.0 GB of memory but 16.0 GB")


def test_a_parquet_file_that_unpacks_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pl.DataFrame({"a": np.zeros(100_000)}).write_parquet(tmp_path / "a.parquet")
    monkeypatch.setattr("deepwell.data._memory.available_memory", lambda: 1_000_000)
    assert "(100,000 rows x 1 columns) needs about 3.2 MB" in complaint(tmp_path / "a.parquet")
