import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.data._missing_markers import MISSING_MARKERS
from deepwell.data._text_numbers import parse_text


@pytest.mark.parametrize(
    ("texts", "kind", "values"),
    [
        (["1", "2", "-3"], pl.Int64, [1, 2, -3]),
        (["1", " 2 ", ""], pl.Int64, [1, 2, None]),
        (["1.5", "2", ".5", "1e3"], pl.Float64, [1.5, 2.0, 0.5, 1000.0]),
        (["29.85", " ", "108.15"], pl.Float64, [29.85, None, 108.15]),
        (["1", "NA", "?", "NaN", "n/a", "-"], pl.Int64, [1, None, None, None, None, None]),
        (["0", "10", "0"], pl.Int64, [0, 10, 0]),
        (["0.5", "00.5"], pl.Float64, [0.5, 0.5]),
        (["9" * 30, "1"], pl.Float64, [1e30, 1.0]),
        (["00501", "10001"], pl.String, ["00501", "10001"]),
        (["1", "2", "three"], pl.String, ["1", "2", "three"]),
        (["NA", "none", "-"], pl.String, ["NA", "none", "-"]),
        ([" a ", "", "b"], pl.String, ["a", None, "b"]),
        (["1,5", "2"], pl.String, ["1,5", "2"]),
        (["1_000", "2"], pl.String, ["1_000", "2"]),
        ([None, None], pl.String, [None, None]),
        (["", " "], pl.String, [None, None]),
    ],
)
def test_text_becomes_numbers_only_when_all_of_it_is(
    texts: list[str | None], kind: pl.DataType, values: list[object]
) -> None:
    column = parse_text(pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)}))["a"]
    assert column.dtype == kind
    assert column.to_list() == values


def test_decimal_commas_only_where_they_may_be() -> None:
    frame = pl.DataFrame({"a": ["1,5", "2", " 3,25"], "name": ["Doe, J", "Roe, R", "x"]})
    assert parse_text(frame, decimal_comma=True)["a"].to_list() == [1.5, 2.0, 3.25]
    assert parse_text(frame, decimal_comma=True)["name"][0] == "Doe, J"
    assert parse_text(frame)["a"].dtype == pl.String


def test_other_columns_and_their_order_stay() -> None:
    frame = pl.DataFrame({"b": [1, 2], "a": ["1", "x"], "c": ["2", "3"], "d": [True, False]})
    parsed = parse_text(frame)
    assert parsed.columns == ["b", "a", "c", "d"]
    assert parsed.schema["c"] == pl.Int64
    assert parse_text(pl.DataFrame({"b": [1]})).equals(pl.DataFrame({"b": [1]}))
    categories = frame.select(pl.col("c").cast(pl.Categorical))
    assert parse_text(categories).equals(categories)


cells = st.one_of(
    st.integers(-(10**15), 10**15).map(str),
    st.floats(-1e9, 1e9, allow_nan=False).map(repr),
    st.sampled_from([*sorted(MISSING_MARKERS), "", " ", "NA", "NULL"]),
    st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=5),
)


@given(st.lists(cells, min_size=1, max_size=12))
def test_numbers_mean_what_python_reads(texts: list[str]) -> None:
    column = parse_text(pl.DataFrame({"a": pl.Series(texts, dtype=pl.String)}))["a"]
    if not column.dtype.is_numeric():
        assert [v or "" for v in column] == [text.strip() for text in texts]
        return
    for text, value in zip(texts, column, strict=True):
        if value is None:
            assert text.strip() == "" or text.strip().lower() in MISSING_MARKERS
        else:
            assert float(text) == pytest.approx(value, rel=1e-15)
