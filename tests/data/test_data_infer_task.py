import datetime

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._infer_task import infer_task, sorted_labels


def complaint(values: object, kind: str | None = None) -> str:
    with pytest.raises(UsageError) as caught:
        infer_task(pl.Series("y", values), kind)
    return str(caught.value)


@pytest.mark.parametrize(
    ("values", "classes"),
    [
        (["no", "yes"] * 20, ("no", "yes")),
        ([True, False] * 20, ("False", "True")),
        ([0, 1] * 20, ("0", "1")),
        ([0.0, 1.0] * 20, ("0", "1")),
        ([-1.0, 1.0] * 20, ("-1", "1")),
        ([0.5, 1.5] * 20, ("0.5", "1.5")),
        (list(range(10)) * 5, tuple(str(i) for i in range(10))),
        (["10", "9", "x"] * 10, ("10", "9", "x")),
        (["low", " low ", "high"] * 10, ("high", "low")),
    ],
)
def test_classes(values: object, classes: tuple[str, ...]) -> None:
    task, _ = infer_task(pl.Series("y", values), None)
    assert (task.kind, task.classes) == ("classification", classes)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).normal(size=50),
        list(range(50)),
        list(range(20)) * 2,
        [0.5, 1.5, 2.5] * 20,
        [datetime.timedelta(seconds=i * i) for i in range(50)],
    ],
)
def test_numbers(values: object) -> None:
    assert infer_task(pl.Series("y", values), None)[0].kind == "regression"


def test_what_was_assumed_is_said_with_the_flag_that_changes_it() -> None:
    assert infer_task(pl.Series("y", [0, 1, 2] * 9), None)[1] == (
        "y holds 3 different numbers: classification (--task regression)",
    )
    assert infer_task(pl.Series("y", np.arange(60) / 7), None)[1] == (
        "y holds numbers: regression (--task classification)",
    )
    assert infer_task(pl.Series("y", ["a", "b"] * 9), None)[1] == ()
    assert infer_task(pl.Series("y", [0, 1, 2] * 9), "regression")[1] == ()


def test_the_user_decides() -> None:
    digits = pl.Series("y", list(range(10)) * 5)
    assert infer_task(digits, "regression")[0].kind == "regression"
    assert infer_task(digits.cast(pl.Float64) / 2, "classification")[0].classes[1] == "0.5"
    text = pl.Series("y", ["1.5", "2.5", "NA"])
    assert infer_task(text, "regression")[0].kind == "regression"


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (["a"] * 20, None, 'one class only, "a" in all rows'),
        ([3] * 20, None, 'one class only, "3" in all rows'),
        ([3.5] * 20, "regression", "is 3.5 in all rows"),
        (["a", "b"] * 20, "regression", 'must hold numbers, got "a" in row 1'),
        ([f"label {i}" for i in range(50)], None, "50 different labels in 50 rows"),
        ([f"c{i % 1001}" for i in range(5000)], None, "1,001 different labels in 5,000 rows"),
        (["2024-01-01", "2024-01-02"] * 20, None, "holds dates"),
        ([datetime.date(2024, 1, 1)] * 20, None, "holds dates"),
        ([1, 2] * 20, "clasification", 'did you mean "classification"?'),
    ],
)
def test_what_cannot_be_learned_is_said(values: object, kind: str | None, words: str) -> None:
    assert words in complaint(values, kind)


def test_labels_sort_by_value_where_they_are_numbers() -> None:
    assert sorted_labels(["10", "9", "-1"]) == ("-1", "9", "10")
    assert sorted_labels(["b", "a", "10"]) == ("10", "a", "b")
