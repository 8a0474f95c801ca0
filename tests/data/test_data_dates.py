import datetime
import re

import polars as pl
import pytest

from deepwell.data._dates import dates_in, naive_datetimes, parse_dates


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-31",
        "2024/05/31",
        "2024-05-31 10:20",
        "2024-05-31 10:20:30",
        "2024-05-31T10:20:30",
        "2024-05-31T10:20:30.250",
        "2024-05-31T10:20:30Z",
        "2024-05-31T10:20:30+02:00",
        "2024-05-31T10:20:30.5-0800",
        "2024-05-31 10:20Z",
        "2024-05-31 10:20+02",
        "2024-05-31 10:20:30+00",
        "2024-05-31 10:20:30.123456-05",
        "2024-05-31 10:20:30+05:53:28",
        "2024-05-31 10:20 UTC",
        "2024-05-31 10:20:30 UTC",
        "2024-05-31 10:20:30.123456 UTC",
        "2024-05-31T10:20:30 UTC",
        "2024-05-31 10:20:30 GMT",
    ],
)
def test_iso_8601_agrees_with_the_standard_library(text: str) -> None:
    plain = re.sub(" (UTC|GMT)$", "Z", text.replace("/", "-").replace("-0800", "-08:00"))
    expected = datetime.datetime.fromisoformat(plain).replace(tzinfo=None)
    found = dates_in(pl.Series("d", [text]))
    assert found is not None
    assert found[0] == expected


@pytest.mark.parametrize(
    "text",
    [
        "2024-13-01",
        "31.05.2024",
        "2024-05-31 10:20 CET",
        "2024-05-31 10:20+2",
        "2024",
        "20240531",
        "May 2024",
        "x",
    ],
)
def test_what_is_no_date_stays_text(text: str) -> None:
    assert dates_in(pl.Series("d", ["2024-05-31", text])) is None


def test_missing_values_stay_missing() -> None:
    found = dates_in(pl.Series("d", ["2024-05-31", None, "NA"]))
    assert found is not None
    assert found.to_list() == [datetime.datetime(2024, 5, 31), None, None]


@pytest.mark.parametrize("marker", ["NULL", "n/a", "-"])
def test_missing_values_may_come_first(marker: str) -> None:
    texts = [marker] * 25 + ["2024-05-31"]
    for column in (texts, texts[::-1]):
        found = dates_in(pl.Series("d", column))
        assert found is not None
        assert found.null_count() == 25
    assert dates_in(pl.Series("d", [marker] * 25)) is None


def test_unreadable_dates_are_missing() -> None:
    assert parse_dates(pl.Series("d", ["2024-02-30", "2024-02-29"])).null_count() == 1


def test_the_clock_s_own_reading_is_kept() -> None:
    utc = pl.Series("d", [datetime.datetime(2024, 1, 1, 12)]).dt.replace_time_zone("UTC")
    paris = utc.dt.convert_time_zone("Europe/Paris")
    assert naive_datetimes(paris)[0] == datetime.datetime(2024, 1, 1, 13)
    assert naive_datetimes(pl.Series("d", [datetime.date(2024, 1, 1)]))[0] == datetime.datetime(
        2024, 1, 1
    )
