import datetime

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._column_values import as_datetimes, as_flags, as_labels, as_numbers


def complaint(function: object, values: list[object], **kind: object) -> str:
    with pytest.raises(UsageError) as caught:
        function(pl.Series("col", values, **kind))  # type: ignore[operator]
    return str(caught.value)


@pytest.mark.parametrize(
    ("series", "values"),
    [
        (pl.Series([1, None, 3]), [1, np.nan, 3]),
        (pl.Series([1.5, None]), [1.5, np.nan]),
        (pl.Series([True, False, None]), [1, 0, np.nan]),
        (pl.Series([None, None]), [np.nan, np.nan]),
        (pl.Series(["1", " 2.5 ", "", "NA", None]), [1, 2.5, np.nan, np.nan, np.nan]),
        (pl.Series([datetime.timedelta(seconds=90), None]), [90, np.nan]),
        (pl.Series([datetime.time(1, 0, 30), None]), [3630, np.nan]),
        (pl.Series([2**53, 1], dtype=pl.UInt64), [2**53, 1]),
    ],
)
def test_numbers_in_any_type(series: pl.Series, values: list[float]) -> None:
    found = as_numbers(series)
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, values)


def test_what_is_no_number_is_named_with_its_row() -> None:
    assert complaint(as_numbers, ["1", "2", "abc"]) == (
        'column "col" must hold numbers, got "abc" in row 3; leave the cell empty where the value '
        "is missing"
    )
    assert 'got "abc" in row 3' in complaint(as_numbers, ["1,5", "NA", "abc", "2,5"])
    assert 'got "1,5" in row 2' in complaint(as_numbers, ["1", "1,5", "2,5"])
    assert "infinite one in row 2" in complaint(as_numbers, [1.0, float("-inf")])
    assert "infinite one in row 1" in complaint(as_numbers, ["inf"])
    assert "must hold numbers, got dates" in complaint(as_numbers, [datetime.date(2024, 1, 1)])
    assert "type List" in complaint(as_numbers, [[1], [2]])
    assert "\x1b" not in complaint(as_numbers, ["\x1b[31m"])


def test_flags() -> None:
    np.testing.assert_array_equal(as_flags(pl.Series([True, None, False])), [1, np.nan, 0])
    np.testing.assert_array_equal(as_flags(pl.Series(["TRUE", None, "false"])), [1, np.nan, 0])
    np.testing.assert_array_equal(as_flags(pl.Series([1, 0, None])), [1, 0, np.nan])
    assert 'true or false, got "maybe" in row 2' in complaint(as_flags, ["true", "maybe"])
    assert 'true or false, got "2" in row 1' in complaint(as_flags, [2, 0])


@pytest.mark.parametrize(
    ("series", "labels"),
    [
        (pl.Series([1, None, 3]), ["1", None, "3"]),
        (pl.Series([1.0, None, 3.0]), ["1", None, "3"]),
        (pl.Series(["1.0", " ", " 3 "]), ["1", None, "3"]),
        (pl.Series([0.5, float("nan"), -2.0]), ["0.5", None, "-2"]),
        (pl.Series([True, False, None]), ["True", "False", None]),
        (pl.Series(["00501", "v1.0", "a b"]), ["00501", "v1.0", "a b"]),
        (pl.Series([datetime.date(2024, 1, 31)]), ["2024-01-31"]),
        (pl.Series([None, None]), [None, None]),
    ],
)
def test_labels_are_tidy(series: pl.Series, labels: list[str | None]) -> None:
    assert as_labels(series).to_list() == labels


def test_datetimes() -> None:
    day = datetime.datetime(2024, 5, 31)
    assert as_datetimes(pl.Series(["2024-05-31", None, "NA"])).to_list() == [day, None, None]
    assert as_datetimes(pl.Series([day.date()])).to_list() == [day]
    assert as_datetimes(pl.Series(["2024-05-31 00:00:00+02", "NULL"])).to_list() == [day, None]
    assert as_datetimes(pl.Series(["2024-05-31 00:00:00 UTC"])).to_list() == [day]
    assert as_datetimes(pl.Series([None])).to_list() == [None]
    assert 'dates such as 2024-05-31, got "31.5." in row 1' in complaint(as_datetimes, ["31.5."])
    assert "must hold dates, got values of type Int64" in complaint(as_datetimes, [3])
