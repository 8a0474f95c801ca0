"""Which columns hold other values in one set of rows than in another.

Numbers are compared by the largest difference of the two cumulative shares (Kolmogorov-Smirnov,
with the correction of Stephens 1970 for few rows), categories by half the sum of the differences
of their shares and Pearson's chi-square. Ties make the first one cautious. Where rows come in
copies or groups, units are counted instead of rows. Of all columns together a false one is named
with the stated chance (Holm 1979).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import ColumnShift

from ._encoded_columns import BOOLEAN, CATEGORY, DATE, TEXT, EncodedColumn, EncodedTable

LEVEL = 0.01  # chance that any column is named where none differs
_CELLS = 1_000_000  # rows x inputs of a set that are sorted
_LEAST_ROWS = 500
LEAST_EXPECTED = 5.0  # rows of a category, below which it is counted with the other rare ones
_MEAN_MOVED = 0.2  # standard deviations from which the mean is what is told
_SPREAD_MOVED = 1.2


@dataclass(frozen=True)
class TwoSets:
    """Rows to be compared.

    Attributes:
        train: (n, D) inputs; other: (k, D) of the other set.
        units: how many of these rows were dealt out independently.
        names: what the sets are called, as in `("train", "dev")`.
    """

    train: np.ndarray
    other: np.ndarray
    units: tuple[int, int]
    names: tuple[str, str] = ("train", "dev")


def shifted_columns(
    sets: TwoSets, table: EncodedTable, level: float = LEVEL
) -> tuple[tuple[ColumnShift, ...], int]:
    """Return the columns that differ, largest difference first, and how many were compared.

    Args:
        sets: the rows.
        table: their columns.
        level: chance that any column is named where none differs.
    """
    measured = [*_numbers(sets, table), *_categories(sets, table)]
    ordered = sorted(measured, key=lambda one: one[2])
    found: list[ColumnShift] = []
    adjusted = 0.0
    for place, (column, size, p_value) in enumerate(ordered):
        adjusted = max(adjusted, min(1.0, p_value * (len(ordered) - place)))
        if adjusted > level:
            break
        words = _words(sets, table, column)
        found.append(ColumnShift(column.name, size, adjusted, words))
    return tuple(sorted(found, key=lambda one: -one.size)), len(measured)


def rows_compared(rows: int, inputs: int, seed: int) -> np.ndarray:
    """Return which of so many rows are compared: all, or a sample that is cheap to sort."""
    most = max(_LEAST_ROWS, _CELLS // max(1, inputs))
    if rows <= most:
        return np.arange(rows)
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def largest_gaps(train: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return (M,) largest differences of the cumulative shares of each column.

    Args:
        train: (n, M) values.
        other: (k, M) values.
    """
    values = np.concatenate([train, other])
    step = np.repeat([-1.0 / len(train), 1.0 / len(other)], [len(train), len(other)])
    order = np.argsort(values, axis=0)
    inside = np.take_along_axis(values, order, axis=0)
    walk = np.abs(np.cumsum(step[order], axis=0))
    walk[:-1] *= inside[1:] != inside[:-1]  # equal values are passed together
    return walk[:-1].max(axis=0, initial=0.0)


def gap_p_value(gap: float, units: tuple[int, int]) -> float:
    """Return the chance of such a largest gap, or a larger one, between like sets.

    >>> round(gap_p_value(0.2, (100, 100)), 3)
    0.031
    """
    root = math.sqrt(units[0] * units[1] / (units[0] + units[1]))
    reach = gap * (root + 0.12 + 0.11 / root)
    if reach < 0.3:
        return 1.0  # the series converges slowly, to 1 within 1e-5
    terms = (-1) ** (np.arange(1, 101) + 1) * np.exp(-2 * (np.arange(1, 101) * reach) ** 2)
    return float(min(1.0, max(0.0, 2 * terms.sum())))


def chi_square_p_value(value: float, freedom: int) -> float:
    """Return the chance of a chi-square value or a larger one.

    By the recurrence Q(k + 2) = Q(k) + (x/2)^(k/2) e^(-x/2) / Gamma(k/2 + 1), from
    Q(1) = erfc(sqrt(x/2)) and Q(2) = e^(-x/2).

    >>> round(chi_square_p_value(3.841, 1), 3), round(chi_square_p_value(18.307, 10), 3)
    (0.05, 0.05)
    """
    half = value / 2
    if half <= 0:
        return 1.0
    start = 1 if freedom % 2 else 2
    total = math.erfc(math.sqrt(half)) if start == 1 else math.exp(-half)
    for k in range(start, freedom, 2):
        total += math.exp(k / 2 * math.log(half) - half - math.lgamma(k / 2 + 1))
    return min(1.0, total)


_Measured = tuple[EncodedColumn, float, float]


def _numbers(sets: TwoSets, table: EncodedTable) -> list[_Measured]:
    """Return column, size and p-value of all columns that are no categories."""
    columns = [column for column in table.columns if column.kind != CATEGORY]
    places = [_places(column) for column in columns]
    flat = [place for group in places for place in group]
    if not flat:
        return []
    gaps = largest_gaps(sets.train[:, flat], sets.other[:, flat])
    measured: list[_Measured] = []
    start = 0
    for column, group in zip(columns, places, strict=True):
        gap = float(gaps[start : start + len(group)].max())
        start += len(group)
        measured.append((column, gap, min(1.0, len(group) * gap_p_value(gap, sets.units))))
    return measured


def _places(column: EncodedColumn) -> list[int]:
    """Return the inputs that are compared of a column that is no category."""
    if column.kind == TEXT:
        return list(range(column.first, column.first + column.width))
    blank = [] if column.blank is None else [column.first + column.blank]
    return [column.first + column.value, *blank]


def _categories(sets: TwoSets, table: EncodedTable) -> list[_Measured]:
    measured: list[_Measured] = []
    for column in table.columns:
        if column.kind != CATEGORY:
            continue
        counts = np.stack(
            [
                np.bincount(table.codes(x, column), minlength=column.width + 1)
                for x in (sets.train, sets.other)
            ]
        ).astype(np.float64)
        shares = counts / counts.sum(axis=1, keepdims=True)
        size = float(np.abs(shares[0] - shares[1]).sum() / 2)
        measured.append((column, size, homogeneity_p_value(counts, sets.units)))
    return measured


def homogeneity_p_value(counts: np.ndarray, units: tuple[int, int]) -> float:
    """Return Pearson's p-value of a table of two rows of counts, of so many units each.

    Columns of which fewer than 5 are expected in a row are counted together.
    """
    counts = counts * (np.array(units) / counts.sum(axis=1))[:, None]
    pooled = counts.sum(axis=0)
    rare = pooled * min(units) / sum(units) < LEAST_EXPECTED
    cells = np.column_stack([counts[:, ~rare], counts[:, rare].sum(axis=1)])
    cells = cells[:, cells.sum(axis=0) > 0]
    expected = cells.sum(axis=1, keepdims=True) * cells.sum(axis=0) / cells.sum()
    if cells.shape[1] < 2:
        return 1.0
    return chi_square_p_value(float(((cells - expected) ** 2 / expected).sum()), cells.shape[1] - 1)


def _words(sets: TwoSets, table: EncodedTable, column: EncodedColumn) -> str:
    """Return the difference in the column's own terms."""
    if column.kind == TEXT:
        return "other words"
    if column.kind == CATEGORY:
        return _category_words(sets, table, column)
    values = [table.values(x, column) for x in (sets.train, sets.other)]
    present = [one[~np.isnan(one)] for one in values]
    blank = [1 - len(one) / len(all_) for one, all_ in zip(present, values, strict=True)]
    if abs(blank[1] - blank[0]) > 0.1 or not all(len(one) for one in present):
        return _told(sets, "blank", [_percent(share) for share in blank])
    if column.kind == BOOLEAN:
        return _told(sets, "true", [_percent(float(one.mean())) for one in present])
    means = [float(one.mean()) for one in present]
    if column.kind == DATE:
        days = [np.datetime64(int(column.start + mean), "D") for mean in means]
        return _told(sets, "mean", [str(day) for day in days])
    spreads = [float(one.std()) for one in present]
    if abs(means[1] - means[0]) < _MEAN_MOVED * max(spreads):
        if max(spreads) > _SPREAD_MOVED * min(spreads):
            return _told(sets, "deviation", _figures(spreads))
        quarters = [np.quantile(one, (0.25, 0.75)) for one in present]
        place = int(np.abs(quarters[1] - quarters[0]).argmax())
        at = ("a quarter below", "a quarter above")[place]
        return _told(sets, at, _figures([float(one[place]) for one in quarters]))
    return _told(sets, "mean", _figures(means))


def _category_words(sets: TwoSets, table: EncodedTable, column: EncodedColumn) -> str:
    shares = [
        np.bincount(table.codes(x, column), minlength=column.width + 1) / len(x)
        for x in (sets.train, sets.other)
    ]
    place = int(np.abs(shares[1] - shares[0]).argmax())
    label = column.labels[place] if place < column.width else "values that train lacks"
    return _told(sets, label, [_percent(float(one[place])) for one in shares])


def _told(sets: TwoSets, what: str, figures: Sequence[str]) -> str:
    return f"{what} {figures[0]} in {sets.names[0]}, {figures[1]} in {sets.names[1]}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _figures(values: Sequence[float]) -> list[str]:
    """Return figures with three digits, more where these would look the same."""
    for digits in (3, 5, 8):
        shown = [f"{value:.{digits}g}" for value in values]
        if shown[0] != shown[1]:
            break
    return shown
