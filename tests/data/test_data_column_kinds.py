import datetime
import string

import numpy as np
import polars as pl
import pytest

from deepwell.data._column_kinds import column_kinds, input_kind

RANDOM = np.random.default_rng(0)
ROWS = 200


def kind(values: object, name: str = "col") -> str:
    series = values if isinstance(values, pl.Series) else pl.Series(name, values)
    return column_kinds(pl.DataFrame({name: series}))[name]


def keys(count: int) -> list[str]:
    letters = list(string.ascii_uppercase)
    return ["".join(RANDOM.choice(letters, 8)) + f"-{i:04d}" for i in range(count)]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (RANDOM.normal(size=ROWS), "number"),
        (RANDOM.integers(0, 50, ROWS), "number"),
        ([1.0, None] * 100, "number"),
        ([True, False] * 100, "boolean"),
        (["true", "FALSE"] * 100, "boolean"),
        (["yes", "no"] * 100, "category"),
        ([datetime.date(2024, 1, 1 + i % 28) for i in range(ROWS)], "date"),
        ([datetime.datetime(2024, 1, 1, i % 24) for i in range(ROWS)], "date"),
        ([f"2024-01-{1 + i % 28:02d}" for i in range(ROWS)], "date"),
        ([f"2024-01-01T00:{i // 60:02d}:{i % 60:02d}" for i in range(ROWS)], "date"),
        ([datetime.timedelta(seconds=i % 9) for i in range(ROWS)], "number"),
        ([datetime.time(i % 9) for i in range(ROWS)], "number"),
        ([f"city {i % 90}" for i in range(ROWS)], "category"),
        ([f"the quick brown fox {i} jumps" for i in range(ROWS)], "text"),
        ([f"three words {i % 80}" for i in range(ROWS)], "text"),
        ([f"word{i % 150}" for i in range(ROWS)], "text"),
        ([None] * ROWS, "empty"),
        (pl.Series([None] * ROWS, dtype=pl.Float64), "empty"),
        ([5] * ROWS, "constant"),
        (["x"] * ROWS, "constant"),
        ([5.5, None] * 100, "number"),
        (["x", None] * 100, "category"),
    ],
)
def test_kinds(values: object, expected: str) -> None:
    assert kind(values) == expected


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (keys(ROWS), "customer"),
        ([*keys(ROWS - 1), None], "customer"),
        (list(range(ROWS)), "a"),
        (list(range(1, ROWS + 1))[::-1], "a"),
        (RANDOM.permutation(ROWS) + 5_000, "a"),
        ([float(i) for i in range(ROWS)], "a"),
        (RANDOM.permutation(10**6)[:ROWS], "customer_id"),
        (RANDOM.permutation(10**6)[:ROWS], "customerID"),
        (RANDOM.permutation(10**6)[:ROWS], "Id"),
        ([*range(ROWS), 7], "a"),
    ],
)
def test_ids_are_noticed(values: object, name: str) -> None:
    assert kind(values, name) == "id"


@pytest.mark.parametrize(
    ("values", "name"),
    [
        (RANDOM.normal(size=ROWS), "customer_id"),
        (np.arange(ROWS) + 0.5, "a"),
        (RANDOM.permutation(10**6)[:ROWS], "population"),
        (RANDOM.integers(0, ROWS, ROWS), "a"),
        (list(range(8)), "a"),
        (keys(8), "a"),
        ([f"John {key}" for key in keys(ROWS)], "name"),
        (RANDOM.permutation(10**6)[:ROWS], "humid"),
    ],
)
def test_what_is_only_unique_is_no_id(values: object, name: str) -> None:
    assert kind(values, name) != "id"


def test_a_kept_id_is_used_by_its_type() -> None:
    assert input_kind(pl.Series("a", range(ROWS))) == "number"
    assert input_kind(pl.Series("a", keys(ROWS))) == "text"
    assert input_kind(pl.Series("a", [None, None])) == "number"


def test_kinds_come_in_the_order_of_the_columns() -> None:
    frame = pl.DataFrame({"a": ["x", "y"], "b": [1, 2], "c": [True, False]})
    assert column_kinds(frame) == {"a": "category", "b": "number", "c": "boolean"}
    assert list(column_kinds(frame)) == ["a", "b", "c"]
    assert column_kinds(frame.select([])) == {}
