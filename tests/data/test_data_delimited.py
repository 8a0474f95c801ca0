import csv
import io
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data._delimited import find_separator, read_delimited


def table(text: str | bytes) -> dict[str, list[str | None]]:
    content = text if isinstance(text, bytes) else text.encode()
    return read_delimited(content, "a.csv", [])[0].to_dict(as_series=False)


def complaint(text: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        table(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


EXPECTED = {"a": ["1", "2"], "b": ["x", None]}


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1,x\n2,\n",
        "a,b\n1,x\n2,",
        "a,b\r\n1,x\r\n2,\r\n",
        "a,b\r1,x\r2,\r",
        "\ufeffa,b\n1,x\n2,\n",
        "\n\na,b\n\n1,x\n  \n2,\n\n\n",
        " a , b \n1,x\n2,\n",
        "a;b\n1;x\n2;\n",
        "a\tb\n1\tx\n2\t\n",
        "a|b\n1|x\n2|\n",
        '"a","b"\n"1","x"\n"2",""\n',
        'a,"b"\r\n\r\n1,x\r\n2,\r\n',
        '"a", "b"\n1, "x"\n2,\n',
    ],
)
def test_dialects_mean_the_same(text: str) -> None:
    found = {name: [v and v.strip() for v in values] for name, values in table(text).items()}
    assert {name: [v or None for v in values] for name, values in found.items()} == EXPECTED


def test_quoted_fields_hold_anything() -> None:
    text = 'a,b\n1,"x, ""y""\nnext line"\n2,5" pipe\n3,"a;b|c\td"\n'
    assert table(text) == {
        "a": ["1", "2", "3"],
        "b": ['x, "y"\nnext line', '5" pipe', "a;b|c\td"],
    }


def test_a_quoted_field_may_be_long() -> None:
    text = "l\u00f6ng, \n" * 40_000
    assert table(f'a,b\n"{text}",1\n"x",2\n') == {"a": [text, "x"], "b": ["1", "2"]}


def test_columns_without_a_name_are_numbered() -> None:
    assert list(table(",a,\n0,1,2\n")) == ["column_1", "a", "column_3"]


def test_one_column_needs_no_separator() -> None:
    assert table("a\n1\n2\n") == {"a": ["1", "2"]}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('x\n"1"\n""\n"3"\n', ["1", None, "3"]),
        ('"x"\r\n""\r\n1\r\n""\r\n', [None, "1", None]),
        ('x\n""\n""', [None, None]),
        ('x\n" "\n  ""\n1\n"\n"\n', [" ", None, "1", "\n"]),
        ('x\n\n1\n  \n""\n\n\n', ["1", None]),
    ],
)
def test_empty_quotes_in_a_single_column_are_a_missing_value(
    text: str, values: list[str | None]
) -> None:
    assert table(text) == {"x": values}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("x\n1\n\n3\n", "1 blank line"),
        ("\nx\n\n1\n \n\n3\n\n\n", "3 blank lines"),
        ('x\n\n"1"\n\n\n""\n\n', "3 blank lines"),
        ("x\n1\n3\n\n\n", ""),
        ('\n\nx\n""\n1\n\n', ""),
        ("x,y\n1,2\n\n3,4\n", ""),
        ('x,y\n"1",2\n\n3,4\n', ""),
    ],
)
def test_blank_lines_before_rows_of_a_single_column_are_noted(text: str, count: str) -> None:
    notes: list[str] = []
    read_delimited(text.encode(), "a.csv", notes)
    expected = f'a.csv: {count} skipped; write "" for a row without a value'
    assert notes == ([expected] if count else [])


@pytest.mark.parametrize("quote", ["", '"'])
def test_a_ragged_line_is_named(quote: str) -> None:
    start = f"{quote}a{quote},b\n1,2\n\n3,4\n"
    assert complaint(start + "5\n6,7\n").startswith("a.csv line 5 has 1 field but the first line")
    assert complaint(start + "5,6,7\n").startswith("a.csv line 5 has 3 fields but the first line")


def test_a_ragged_line_after_a_line_break_in_quotes_is_named_by_the_file_s_line() -> None:
    assert complaint('a,b\n1,"x\ny\nz"\n2\n').startswith("a.csv line 5 has 1 field")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        (b"", "a.csv is empty"),
        (b" \n\n", "a.csv is empty"),
        (b"\xef\xbb\xbf", "a.csv is empty"),
        (b"a,b\n", "a.csv has column names but no rows"),
        (b'"a",b\n', "a.csv has column names but no rows"),
        (b"a,b,a\n1,2,3\n", 'a.csv has 2 columns named "a"'),
        (b"a,b, a\n1,2,3\n", 'a.csv has 2 columns named "a"'),
        ("a\n1\ncafé\n".encode("latin1"), "a.csv is not UTF-8 text (byte 0xE9 in line 3)"),
        (b'a,b\n1,"x\n2,y\n', "a.csv line 2 cannot be read (unexpected end of data)"),
        (b'a,b\n1,2\n1,"x"y\n2,y\n', "a.csv line 3 cannot be read"),
        (b'a,b\n1,"' + b"x\n" * 100_000, "a.csv line 2 cannot be read (unexpected end of data)"),
    ],
)
def test_each_fault_has_its_sentence(text: bytes, start: str) -> None:
    assert complaint(text).startswith(start)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a;b\n1,5;2,5\n3,5;4,5\n", ";"),
        ("a,b\n1;5,2;5\n", ","),
        ("name\ttext\nx\tone, two, three\n", "\t"),
        ("a,b;c\n1,2;3\n4,5;6\n7,8\n", ","),
        ('"a,b";c\n1;2\n', ";"),
        ("lonely\n1\n", ","),
        ("", ","),
        ("x,y\n" + "1,2\n" * 30_000, ","),
    ],
)
def test_the_separator_is_the_one_that_fits(text: str, separator: str) -> None:
    assert find_separator(text[:65_536]) == separator


plain_cell = st.text(
    st.characters(codec="utf-8", exclude_characters='"\r\n\x00\ufeff\x1e\x1f'), max_size=6
)
any_cell = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00\ufeff\x1e\x1f"), max_size=6
)


def written(rows: list[list[str]], quoting: int) -> str:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator="\n").writerows(rows)
    return out.getvalue()


@given(st.lists(st.tuples(any_cell, any_cell, any_cell), min_size=1, max_size=8))
def test_what_the_standard_writer_wrote_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    text = written([["a", "b", "c"], *map(list, rows)], csv.QUOTE_ALL)
    found = read_delimited(text.encode(), "a.csv", [])[0]
    got = [[(v or "").strip() for v in row] for row in found.rows()]
    assert got == [[v.strip() for v in row] for row in rows]


@given(st.lists(st.tuples(plain_cell, plain_cell), min_size=1, max_size=8))
def test_both_readers_agree(rows: list[tuple[str, str]]) -> None:
    assume(not any(separator in cell for row in rows for cell in row for separator in ",;\t|"))
    assume(not any(cell.strip(" ") != cell for row in rows for cell in row))
    body = [["a", "b"], *map(list, rows)]
    quoted = read_delimited(written(body, csv.QUOTE_ALL).encode(), "a.csv", [])[0]
    plain = read_delimited("\n".join(",".join(r) for r in body).encode(), "a.csv", [])[0]
    assert quoted.equals(plain)


def test_every_line_counts_in_a_large_file() -> None:
    lines = [f"{i},{random.Random(i).random()}" for i in range(30_000)]
    lines[29_990] = "1,2,3"
    assert "line 29,992 has 3 fields" in complaint("a,b\n" + "\n".join(lines))
