"""A category column: one column a frequent category, one for the others, one for missing."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import polars as pl

from ._column_values import as_labels

# One-hot columns of one category column: enough for countries of a trade bloc, states of the USA
# or product groups; beyond it a table of many such columns would not fit in memory, and the
# rare categories have too few rows to learn from.
CATEGORY_LIMIT = 64
# Smallest share of the train rows with a column of its own: after normalization a 1 weighs
# 1/sqrt(share), so below 1/1,000 a single cell would shout louder than 31 ordinary ones.
CATEGORY_SHARE = 0.001
CATEGORY_MIN_ROWS = 2  # a category seen once cannot be learned, only memorized


@dataclass(frozen=True)
class CategoryColumn:
    """A fitted category column.

    Attributes:
        name: of the column.
        categories: with a column of their own, the most frequent first.
        others: whether a train row held another category, which then has a column; categories
            that no train row held go there, or are all zero when there is no such column.
        missing: whether a train row held none, which then is a category of its own.
    """

    kind: ClassVar[str] = "category"
    name: str
    categories: tuple[str, ...]
    others: bool
    missing: bool

    @staticmethod
    def fit(series: pl.Series) -> CategoryColumn:
        """Return the encoder of a column of train rows."""
        labels = as_labels(series).alias("label")
        counts = labels.drop_nulls().value_counts(name="rows")
        ordered = counts.sort("rows", "label", descending=[True, False])
        least = max(CATEGORY_MIN_ROWS, math.ceil(CATEGORY_SHARE * len(series)))
        kept = ordered.filter(pl.col("rows") >= least).head(CATEGORY_LIMIT)
        categories = tuple(kept["label"].to_list())
        missing = labels.null_count() > 0
        return CategoryColumn(series.name, categories, len(kept) < len(ordered), missing)

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the encoded columns."""
        names = [f"{self.name}={category}" for category in self.categories]
        names += [f"{self.name} other"] * self.others + [f"{self.name} missing"] * self.missing
        return tuple(names)

    def encode(self, series: pl.Series) -> np.ndarray:
        """Return (n, k) float64 with at most a single 1 in each row."""
        labels = as_labels(series)
        known = len(self.categories)
        codes = np.full(len(series), known if self.others else -1)
        if known:
            found = labels.replace_strict(
                list(self.categories), list(range(known)), default=None, return_dtype=pl.Int64
            )
            codes = np.where(found.is_null(), codes, found.fill_null(0).to_numpy())
        absent = labels.is_null().to_numpy()
        codes[absent] = known + self.others if self.missing else -1
        encoded = np.zeros((len(series), known + self.others + self.missing))
        rows = np.flatnonzero(codes >= 0)
        encoded[rows, codes[rows]] = 1.0
        return encoded
