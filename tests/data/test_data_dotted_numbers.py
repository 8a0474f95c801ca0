"""Dots between thousands are seen, and read as such only where nothing else can be meant."""

import polars as pl
import pytest

from deepwell.data._dotted_numbers import DottedNumbers, without_dots
from deepwell.data._table_input import read_table
from deepwell.data._text_numbers import parse_text

POINT = "is read with a decimal point; leave out dots between thousands"


def notes(texts):
    dots = DottedNumbers("a.csv")
    dots.look(pl.DataFrame({"n": pl.Series(texts, dtype=pl.String), "other": [1] * len(texts)}))
    return dots.notes(["other", "n"])


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (["1.234,50", "12,5", None, "3"], [1234.5, 12.5, None, 3.0]),
        (["-1.234.567,8", " 45.678,00 ", "NA", "."], [-1234567.8, 45678.0, None, None]),
        (["1.234,50", "1234,5"], [1234.5, 1234.5]),
    ],
)
def test_dots_before_a_decimal_comma_part_thousands(texts, numbers):
    frame = pl.DataFrame({"n": texts})
    assert parse_text(frame, decimal_comma=True)["n"].to_list() == numbers
    example = next(t.strip() for t in texts if t and "." in t)
    assert notes(texts) == [f"a.csv: n: dots part thousands, as in {example}"]
    assert parse_text(frame)["n"].dtype == pl.String


@pytest.mark.parametrize(
    "texts",
    [
        ["1.234,50", "1.234"],  # the second alone, as in another file, would be 1.234
        ["1.234,50", "1.5"],
        ["1.234,50", "31.05.2024"],
        ["0.123,50", "1,5"],
        ["1.23,50", "1,5"],
        ["1.234.567", "12"],
    ],
)
def test_a_column_with_other_dots_stays_text(texts):
    assert without_dots(pl.Series(texts)).to_list() == texts
    assert parse_text(pl.DataFrame({"n": texts}), decimal_comma=True)["n"].to_list() == texts


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["987", "1.234", "12.345"], f"1.234 {POINT}"),
        (["3,5", "-1.234", None, "n/a"], f"-1.234 {POINT}"),
        (["1.234.567", "12.345"], "read as text for dots as in 1.234.567; leave out dots between"),
        (["1.234", "9.876,5"], "read as text for dots as in 9.876,5; leave out dots between"),
    ],
)
def test_dots_that_may_part_thousands_are_noted(texts, expected):
    (note,) = notes(texts)
    assert note.startswith(f"a.csv: n: {expected}")


@pytest.mark.parametrize(
    "texts",
    [
        ["1.234", "2.345"],  # decimals of a fixed length: nothing tells of thousands
        ["1.234", "987", "1234"],
        ["1.234", "987", "1.5"],
        ["1.234", "987", "0.125"],
        ["1.234", "987", "x"],
        ["12", "1234", "3,5"],
        ["192.168.0.1", "10.0.0.1"],
        ["31.05.2024", "2"],
        [None, " ", "."],
    ],
)
def test_other_columns_are_not_noted(texts):
    assert notes(texts) == []


def test_what_the_first_cells_do_not_tell_is_seen():
    assert notes(["1"] * 5_000 + ["1.234"]) == [f"a.csv: n: 1.234 {POINT}"]
    assert notes(["1"] * 5_000 + ["1.234", "1.2"]) == []


def test_columns_that_are_read_alike_share_a_note(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a;b;c;d\n1.234;1,5;2.345;1.234,5\n12;2,5;3;1,5\n")
    found = []
    table = read_table(path, notes=found)
    assert found == ["a.csv: d: dots part thousands, as in 1.234,5", f"a.csv: a, c: 1.234 {POINT}"]
    assert table.row(0) == (1.234, 1.5, 2.345, 1234.5)
    path.write_text("a,b\n1.234,1\n987,2\n")
    assert read_table(path, notes=found).height == 2
    assert len(found) == 2
