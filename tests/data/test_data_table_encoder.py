import json

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

from deepwell._base._errors import UsageError
from deepwell.data._column_kinds import InputColumn, column_kinds
from deepwell.data._table_encoder import TableEncoder

FRAME = pl.DataFrame(
    {
        "age": [20, 30, None, 50, 60, 20],
        "city": ["Paris", "Rome", "Paris", None, "Rome", "Oslo"],
        "member": [True, False, True, True, False, True],
        "since": ["2020-01-01", "2021-06-30", "2022-03-15", "2020-01-01", "2023-12-31", None],
        "comment": ["a fine day", "rain", "sun and rain", "a storm", None, "snow"],
    }
)
KINDS = ("number", "category", "boolean", "date", "text")
INPUTS = [InputColumn(name, kind) for name, kind in zip(FRAME.columns, KINDS, strict=True)]
ENCODER = TableEncoder.fit(FRAME, INPUTS)


def complaint(frame: pl.DataFrame) -> str:
    with pytest.raises(UsageError) as caught:
        ENCODER.transform(frame)
    return str(caught.value)


@pytest.mark.proves("D6", "independent")
def test_plain_numbers_agree_with_scikit_learn() -> None:
    values = load_breast_cancer().data
    frame = pl.DataFrame(values, schema=[f"x{j}" for j in range(30)])
    kinds = column_kinds(frame)
    encoder = TableEncoder.fit(frame[:300], [InputColumn(n, k) for n, k in kinds.items()])
    expected = StandardScaler().fit(values[:300]).transform(values)
    encoded = encoder.transform(frame)
    assert encoded.dtype == np.float32
    np.testing.assert_allclose(encoded, expected, rtol=1e-5, atol=1e-6)


def test_all_kinds_together() -> None:
    encoded = ENCODER.transform(FRAME)
    assert encoded.shape == (6, len(ENCODER.feature_names))
    assert np.isfinite(encoded).all()
    np.testing.assert_allclose(encoded.mean(axis=0), 0, atol=1e-6)
    dates = [j for j, name in enumerate(ENCODER.feature_names) if name.startswith("since ")][:-1]
    deviation = encoded.std(axis=0)
    deviation[dates] = encoded[:5, dates].std(axis=0)  # the date of the last row is missing
    assert (np.isclose(deviation, 1, atol=1e-5) | (deviation == 0)).all()
    assert (encoded[5, dates] == 0).all()
    assert [(c.name, c.kind) for c in ENCODER.columns] == [(i.name, i.kind) for i in INPUTS]


def test_the_numbers_come_from_train_alone() -> None:
    other = FRAME.with_columns(age=pl.lit(1e6), city=pl.lit("Mars"))
    before = ENCODER.transform(FRAME)
    shifted = ENCODER.transform(other)
    np.testing.assert_array_equal(ENCODER.transform(FRAME), before)
    age = ENCODER.feature_names.index("age")
    filled = [20, 30, 30, 50, 60, 20]
    assert shifted[0, age] == pytest.approx((1e6 - np.mean(filled)) / np.std(filled), rel=1e-6)


def test_order_extra_columns_and_types_do_not_matter() -> None:
    expected = ENCODER.transform(FRAME)
    text = FRAME.with_columns(
        pl.col("age").cast(pl.String), pl.col("member").cast(pl.String), extra=pl.lit("x")
    )
    np.testing.assert_array_equal(ENCODER.transform(text.select(reversed(text.columns))), expected)
    dates = FRAME.with_columns(pl.col("since").str.to_date())
    np.testing.assert_array_equal(ENCODER.transform(dates), expected)


def test_all_missing_rows_are_imputed() -> None:
    empty = pl.DataFrame({name: [None] for name in FRAME.columns})
    encoded = ENCODER.transform(empty)
    assert np.isfinite(encoded).all()
    age = ENCODER.feature_names.index("age")
    assert encoded[0, age] == ENCODER.transform(FRAME)[2, age]


def test_no_rows_are_no_problem() -> None:
    assert ENCODER.transform(FRAME[:0]).shape == (0, len(ENCODER.feature_names))


def test_rows_do_not_depend_on_each_other() -> None:
    whole = ENCODER.transform(FRAME)
    for i in range(6):
        np.testing.assert_array_equal(ENCODER.transform(FRAME[i : i + 1]), whole[i : i + 1])


def test_wide_columns_are_encoded_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = ENCODER.transform(FRAME)
    monkeypatch.setattr("deepwell.data._table_encoder.CHUNK_ROWS", 2)
    monkeypatch.setattr("deepwell.data._table_encoder.WIDE", 0)
    np.testing.assert_array_equal(ENCODER.transform(FRAME), whole)


def test_missing_columns_are_named() -> None:
    renamed = FRAME.rename({"age": "Age"})
    assert complaint(renamed) == (
        'column "age" is missing; did you mean "Age"? columns: Age, city, member, since, comment'
    )
    assert complaint(FRAME.drop("age", "city")).startswith("2 columns are missing: age, city;")


def test_what_a_kind_does_not_allow_is_named() -> None:
    wrong = FRAME.with_columns(age=pl.Series(["1", "2", "x\x07", "4", "5", "6"]))
    assert complaint(wrong).startswith('column "age" must hold numbers, got "x?" in row 3')
    late = FRAME.with_columns(since=pl.lit("31.12.2024"))
    assert complaint(late).startswith('column "since" must hold dates')


def test_json_keeps_every_bit() -> None:
    plain = json.loads(json.dumps(ENCODER.to_plain(), allow_nan=False))
    again = TableEncoder.from_plain(plain)
    np.testing.assert_array_equal(again.transform(FRAME), ENCODER.transform(FRAME))
    assert again.feature_names == ENCODER.feature_names
    assert again.columns == ENCODER.columns


def test_weights_count() -> None:
    frame = pl.DataFrame({"a": [0.0, 1.0, 5.0]})
    encoder = TableEncoder.fit(frame, [InputColumn("a", "number")], np.array([1.0, 3.0, 0.0]))
    assert encoder.mean[0] == pytest.approx(0.75)
    assert encoder.scale[0] == pytest.approx(np.sqrt(0.75 * 0.25))
