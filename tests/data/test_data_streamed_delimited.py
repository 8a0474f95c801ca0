"""Delimited text read piece by piece is the text read as a whole, faults included."""

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data import _streamed_delimited
from deepwell.data._delimited import read_delimited
from deepwell.data._streamed_delimited import text_columns_of
from deepwell.data._streamed_table import streamed_table
from deepwell.data._table_input import plain_types, read_table
from deepwell.data._text_numbers import parse_text

PIECES = [1, 7, 64, 1 << 18]


def outcome(read):
    """Return the table that is read, in its final types, with its notes, or the refusal."""
    notes = []
    try:
        frame, decimal_comma = read(notes)
    except UsageError as error:
        return str(error)
    return plain_types(parse_text(frame, decimal_comma)).to_dict(as_series=False), notes


def both(content, path, piece, most_rows=10**9):
    """Return what reading as a whole and in pieces of so many bytes came to, notes included."""
    path.write_bytes(content)

    def whole(notes):
        frame, separator = read_delimited(content, path.name, notes)
        return frame, separator == ";"

    def pieces(notes):
        columns, decimal_comma = text_columns_of(path, 0, most_rows, notes)
        assert columns.names == tuple(columns.columns(columns.names).columns)
        return columns.columns(columns.names), decimal_comma

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_streamed_delimited, "_LEAST", piece)
        patch.setattr(_streamed_delimited, "_LONGEST_LINE", 1 << 20)
        return outcome(whole), outcome(pieces)


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,x\n2,\n",
        b"a,b\n1,x\n2,",
        b"a,b\r\n1,x\r\n2,\r\n",
        b"a,b\r1,x\r2,\r",
        b'a,b\r1,"x\ry"\r2,\r',
        "\ufeffa,b\n1,\u00e9\U0001f600\n2,\ufeffz\n".encode(),
        b"\n\na,b\n\n1,x\n  \n2,\n\n\n",
        b"a;b\n1,5;2,5\nNA;4,5\n",
        b'a;b\n"1,5";2,5\n"";4,5\n',
        b"lonely\n1\n\n-\n3\n",
        b'lonely\n"1"\n"-"\nn/a\n',
        b'lonely\n"1"\n\n""\n2\n""\n',
        b'"lonely"\r\n\r\n""\r\n""',
        b"a|b\n\x1e|\x1f\n2|\x1f\x1e\n",
        b'a,b\n1,"x, ""y""\nnext\r\nline"\n2,5" pipe\n3,"a;b|c\td\x1e"\n',
        b"code,b\n007,1\n008,2\n",
        b",a,\n0,1,2\n",
        b"a,b\n\r,1\r\n 2 ,\r\n",
    ],
)
def test_dialects_mean_the_same(content, piece, tmp_path):
    whole, pieces = both(content, tmp_path / "a.csv", piece)
    assert not isinstance(whole, str)
    assert pieces == whole


@pytest.mark.parametrize("piece", PIECES)
@pytest.mark.parametrize(
    ("content", "start"),
    [
        (b" \n\n", "a.csv is empty"),
        (b"\xef\xbb\xbf", "a.csv is empty"),
        (b"a,b\n", "a.csv has column names but no rows"),
        (b'"a",b\n', "a.csv has column names but no rows"),
        (b"a,b,a\n1,2,3\n", 'a.csv has 2 columns named "a"'),
        (b"a,b\n1,2\n\n3,4\n5\n6,7\n", "a.csv line 5 has 1 field but the first"),
        (b'"a",b\n1,2\n\n3,4\n5\n6,7\n', "a.csv line 5 has 1 field but the first"),
        (
            "a\n1\n\u00e9\ncaf\u00e9\n".encode("latin1"),
            "a.csv is not UTF-8 text (byte 0xE9 in line 3)",
        ),
        (b"a\n1\n\xc3\xa9\nx\xe2\x82", "a.csv is not UTF-8 text (byte 0xE2 in line 4)"),
        (b'a,b\n1,"x\n2,y\n', "a.csv line 2 cannot be read (unexpected end of data)"),
        (b'a,b\n1,2\n1,"x"y\n2,y\n', "a.csv line 3 cannot be read"),
    ],
)
def test_each_fault_has_the_sentence_of_the_whole_file(content, start, piece, tmp_path):
    whole, pieces = both(content, tmp_path / "a.csv", piece)
    assert isinstance(whole, str)
    assert whole.startswith(start)
    assert pieces == whole


cell = st.text(st.sampled_from('ab 1,;."\r\n\té\U0001f600-0\x1e\x1f'), max_size=6)


@given(
    st.lists(st.tuples(cell, cell, cell), min_size=1, max_size=8),
    st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";"]),
    st.integers(1, 40),
)
def test_what_the_standard_writer_wrote_is_the_same_in_any_pieces(
    tmp_path_factory, rows, quoting, line_end, separator, piece
):
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=quoting, lineterminator=line_end, delimiter=separator)
    writer.writerows([("a", "b", "c"), *rows])
    path = tmp_path_factory.getbasetemp() / "written.csv"
    whole, pieces = both(out.getvalue().encode(), path, piece)
    assert pieces == whole


@given(st.binary(max_size=60).filter(lambda content: b"\0" not in content), st.integers(1, 20))
@example(b'\xef\xbb\xbf"', 1)
@example(b"\r", 2)
def test_any_bytes_come_to_the_same_in_any_pieces(tmp_path_factory, content, piece):
    path = tmp_path_factory.getbasetemp() / "bytes.csv"
    try:
        whole, pieces = both(content, path, piece)
    except UnicodeEncodeError:  # a name that polars cannot hold
        return
    if isinstance(whole, str) and "not UTF-8" not in whole:
        content.decode()
    binary = isinstance(pieces, str) and "not a table" in pieces
    assert binary or pieces == whole


def test_binary_content_is_refused_wherever_it_comes(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 200_000 + b"\0,1\n")
    with pytest.raises(UsageError, match="binary file"):
        text_columns_of(path, 0, 10**9, [])


def test_a_line_beyond_the_budget_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n" + b"x" * 3_000_000 + b",1\n")
    with pytest.raises(UsageError, match=r"line 3 is longer than 2\.1 MB"):
        text_columns_of(path, 0, 10**9, [])


@pytest.mark.parametrize("piece", [4_096, 1 << 18])
def test_a_quoted_field_may_be_long(piece, tmp_path):
    text = "l\u00f6ng, \n" * 40_000
    content = f'a,b\n"{text}",1\n"x",2\n'.encode()
    whole, pieces = both(content, tmp_path / "a.csv", piece)
    assert whole == ({"a": [text.strip(), "x"], "b": [1, 2]}, [])
    assert pieces == whole


def test_a_row_beyond_the_budget_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b'a,b\n"1",2\n3,"' + b"x\n" * 2_000_000)
    with pytest.raises(UsageError, match=r"line 3 begins a row longer than 2\.1 MB"):
        text_columns_of(path, 0, 10**9, [])


def test_rows_that_cannot_be_used_are_not_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 500_000)
    columns, _ = text_columns_of(path, 0, 1_000, [])
    assert 1_000 < columns.rows < 500_000


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a,b\n1,2\n")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_streamed_delimited.TextColumnsFile, "add", full)
    with pytest.raises(UsageError, match="set DEEPWELL_CACHE to a folder with room"):
        text_columns_of(path, 0, 10**9, [])


def test_the_streamed_table_is_the_table_that_is_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"a;b;c;d\n" + (b"1,5; x ;007;%s\nNA;;8;\n" % (b"y" * 90)) * 4_000)
    table = streamed_table(path, 3_000_000, strict=True)
    whole = read_table(path)
    assert table is not None
    assert table.rows == len(whole)
    assert table.columns(["c", "a"]).equals(whole.select("c", "a"))
    assert table.columns(["b"]).equals(whole.select("b"))
    assert table.cell_bytes("a") == 128
    assert table.cell_bytes("d") == 4 * (90 + 2) // 2
