import datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.data._row_hashes import fingerprint, row_sums
from deepwell.data._stable_hash import mix64


def hashes(frame: pl.DataFrame) -> np.ndarray:
    return mix64(row_sums(frame, [set(frame.columns)])[0])


FRAME = pl.DataFrame(
    {
        "a": [1, 2, 1, 1],
        "b": ["x", "y", "x", None],
        "c": [0.5, None, 0.5, 0.5],
        "d": [datetime.date(2024, 1, 1)] * 4,
    }
)


def test_equal_rows_and_only_they_have_equal_hashes() -> None:
    found = hashes(FRAME)
    assert found.dtype == np.uint64
    assert found[0] == found[2]
    assert len(set(found.tolist())) == 3


def test_the_order_of_columns_does_not_count_but_their_names_do() -> None:
    np.testing.assert_array_equal(hashes(FRAME.select("d", "b", "a", "c")), hashes(FRAME))
    swapped = FRAME.rename({"a": "c", "c": "a"})
    assert not (hashes(swapped) == hashes(FRAME)).any()


def test_values_are_not_exchanged_between_columns() -> None:
    frame = pl.DataFrame({"a": [1, 2], "b": [2, 1]})
    assert len(set(hashes(frame).tolist())) == 2


@pytest.mark.parametrize(
    "column",
    [[1, 0, None], [1.0, -0.0, None], ["1", "0", None], [True, False, None], ["1.0", "0", None]],
)
def test_types_do_not_count(column: list[object]) -> None:
    expected = hashes(pl.DataFrame({"a": [1, 0, None]}))
    np.testing.assert_array_equal(hashes(pl.DataFrame({"a": column})), expected)


def test_dates_are_dates_in_text_too() -> None:
    dates = pl.DataFrame({"d": [datetime.date(2024, 5, 31), None]})
    expected = hashes(dates)
    for column in (["2024-05-31", None], [datetime.datetime(2024, 5, 31), None]):
        np.testing.assert_array_equal(hashes(pl.DataFrame({"d": column})), expected)
    late = hashes(pl.DataFrame({"d": ["NULL"] * 25 + ["2024-05-31"]}))
    assert (late[-1], late[0]) == (expected[0], expected[1])
    assert hashes(pl.DataFrame({"d": [19_874, None]}))[0] != expected[0]
    assert hashes(pl.DataFrame({"d": [1, None]}))[1] == expected[1]


def test_codes_with_leading_zeros_are_no_numbers() -> None:
    assert len(set(hashes(pl.DataFrame({"a": ["1", "01", "001", "1x"]})).tolist())) == 4


def test_only_selected_columns_count() -> None:
    first, second = row_sums(FRAME, [{"a"}, {"a", "b"}])
    assert len(set(first.tolist())) == 2
    assert len(set(second.tolist())) == 3
    np.testing.assert_array_equal(mix64(first), hashes(FRAME.select("a")))


def test_hashes_never_change() -> None:
    found = hashes(pl.DataFrame({"a": [1], "b": ["x"]}))
    assert found.tolist() == [9375859291386985360]


def test_fingerprint() -> None:
    found = fingerprint(hashes(FRAME), FRAME.columns, "a")
    assert len(found) == 64
    assert fingerprint(hashes(FRAME), FRAME.columns[::-1], "a") == found
    assert fingerprint(hashes(FRAME), FRAME.columns, "b") != found
    assert fingerprint(hashes(FRAME)[::-1], FRAME.columns, "a") != found


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["u", "v", None])), min_size=1))
def test_hashes_group_rows_as_polars_does(rows: list[tuple[int, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    groups = frame.select(pl.struct("a", "b").rank("dense")).to_series().to_list()
    pairs = set(zip(groups, hashes(frame).tolist(), strict=True))
    assert len(pairs) == len(set(groups)) == len({h for _, h in pairs})
