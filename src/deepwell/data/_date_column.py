"""A date column: its parts that repeat as points on circles, its year, and days gone by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from ._column_values import as_datetimes

MICROSECONDS_A_DAY = 86_400e6
CYCLES = (("month", 12.0), ("day", 31.0), ("weekday", 7.0))


@dataclass(frozen=True)
class DateColumn:
    """A fitted date column.

    December lies beside January, so month, day of the month, weekday and hour are each a point
    on a circle, `sin(2 pi part / period)` and `cos(2 pi part / period)`. The year and the days
    since `start` carry trends.

    Attributes:
        name: of the column.
        start: days from 1970-01-01 to the earliest train row.
        hours: whether a train row holds a time of day other than midnight.
        flagged: whether a train row holds no date.
    """

    kind: ClassVar[str] = "date"
    name: str
    start: float
    hours: bool
    flagged: bool

    @staticmethod
    def fit(series: pl.Series) -> DateColumn:
        """Return the encoder of a column of train rows."""
        days = _days(as_datetimes(series))
        present = days[~np.isnan(days)]
        return DateColumn(
            series.name,
            start=float(np.floor(present.min())) if len(present) else 0.0,
            hours=bool((present % 1.0 > 0).any()),
            flagged=len(present) < len(days),
        )

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        parts = ["year", "days"]
        cycles = [cycle for cycle, _ in CYCLES] + ["hour"] * self.hours
        parts += [f"{cycle} {wave}" for cycle in cycles for wave in ("sin", "cos")]
        parts += ["missing"] * self.flagged
        return tuple(f"{self.name} {part}" for part in parts)

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, k) float64, NaN in the parts of a missing date.

        Raises:
            UsageError: when a value is not a date.
        """
        dates = as_datetimes(series)
        days = _days(dates)
        columns = [_numbers(dates.dt.year()), days - self.start]
        for cycle, period in CYCLES:
            columns += _circle(_numbers(getattr(dates.dt, cycle)()), period)
        if self.hours:
            columns += _circle((days % 1.0) * 24.0, 24.0)
        if self.flagged:
            columns.append(np.isnan(days).astype(np.float64))
        return np.stack(columns, axis=1)


def _days(dates: pl.Series) -> np.ndarray:
    return _numbers(dates.cast(pl.Int64)) / MICROSECONDS_A_DAY


def _numbers(series: pl.Series) -> np.ndarray:
    return series.cast(pl.Float64).to_numpy()


def _circle(part: np.ndarray, period: float) -> list[np.ndarray]:
    angle = 2 * np.pi * part / period
    return [np.sin(angle), np.cos(angle)]
