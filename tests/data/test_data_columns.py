"""The encoders of one column, each against what it says it does."""

import datetime
import json
import random
import tracemalloc

import numpy as np
import polars as pl
import pytest

from deepwell.data._boolean_column import BooleanColumn
from deepwell.data._category_column import CATEGORY_LIMIT, CategoryColumn
from deepwell.data._date_column import DateColumn
from deepwell.data._number_column import NumberColumn
from deepwell.data._table_encoder import COLUMN_KINDS
from deepwell.data._text_column import CHUNK_ROWS, TextColumn
from deepwell.records import from_plain, to_plain


def test_numbers_are_imputed_by_the_median_of_train() -> None:
    column = NumberColumn.fit(pl.Series("a", [1.0, None, 3.0, 100.0]))
    assert (column.median, column.flagged) == (3.0, True)
    assert column.features == ("a", "a missing")
    encoded = column.encode(pl.Series("a", ["7", None]))
    np.testing.assert_array_equal(encoded, [[7.0, 0.0], [3.0, 1.0]])


def test_numbers_without_blanks_have_no_flag_but_take_blanks_later() -> None:
    column = NumberColumn.fit(pl.Series("a", [1, 2, 6]))
    assert column.features == ("a",)
    np.testing.assert_array_equal(column.encode(pl.Series("a", [None, 5])), [[2.0], [5.0]])


def test_a_number_column_without_any_train_value() -> None:
    column = NumberColumn.fit(pl.Series("a", [None, None], dtype=pl.Float64))
    np.testing.assert_array_equal(column.encode(pl.Series("a", [None, 5.0])), [[0, 1], [5, 0]])


def test_booleans() -> None:
    column = BooleanColumn.fit(pl.Series("a", ["true", "true", "False", None]))
    assert column.features == ("a", "a missing")
    encoded = column.encode(pl.Series("a", [False, None, True]))
    np.testing.assert_array_equal(encoded, [[0, 0], [1, 1], [1, 0]])
    assert BooleanColumn.fit(pl.Series("a", [True, False, False])).mostly is False


def test_categories_are_one_hot_with_other_and_missing() -> None:
    train = pl.Series("c", ["u"] * 4 + ["v"] * 3 + ["rare"] + [None])
    column = CategoryColumn.fit(train)
    assert column.features == ("c=u", "c=v", "c other", "c missing")
    encoded = column.encode(pl.Series("c", ["v", "rare", "never seen", None, " u "]))
    np.testing.assert_array_equal(
        encoded, [[0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 1, 0], [0, 0, 0, 1], [1, 0, 0, 0]]
    )


def test_without_rare_categories_unseen_ones_are_all_zero() -> None:
    column = CategoryColumn.fit(pl.Series("c", ["u", "v"] * 5))
    assert column.features == ("c=u", "c=v")
    encoded = column.encode(pl.Series("c", ["w", None, "v"]))
    np.testing.assert_array_equal(encoded, [[0, 0], [0, 0], [0, 1]])


def test_categories_do_not_care_about_the_type_they_come_in() -> None:
    column = CategoryColumn.fit(pl.Series("c", ["1", "2", "x"] * 5))
    expected = column.encode(pl.Series("c", ["1", "2", None]))
    for values in ([1, 2, None], [1.0, 2.0, None], ["1.0", "2", " "]):
        np.testing.assert_array_equal(column.encode(pl.Series("c", values)), expected)
    assert column.encode(pl.Series("c", [None], dtype=pl.Null)).sum() == 0


def test_many_categories_are_cut_to_the_most_frequent() -> None:
    values = [f"c{i}" for i in range(100) for _ in range(i + 2)]
    column = CategoryColumn.fit(pl.Series("c", values))
    assert len(column.categories) == CATEGORY_LIMIT
    assert column.categories[0] == "c99"
    assert set(column.categories) == {f"c{i}" for i in range(36, 100)}
    assert column.others


def test_a_share_below_one_in_a_thousand_is_rare() -> None:
    column = CategoryColumn.fit(pl.Series("c", ["a"] * 5_000 + ["b"] * 6 + ["c"] * 5))
    assert column.categories == ("a", "b")


@pytest.mark.parametrize("name", ["rows", "v", "count", "literal", "label", "text"])
def test_no_column_name_is_special(name: str) -> None:
    for series in (
        pl.Series(name, ["u", "v", "v", None]),
        pl.Series(name, [1, 2, 2, None]),
        pl.Series(name, ["2024-01-01", None, "2024-02-02", None]),
    ):
        assert CategoryColumn.fit(series).encode(series).shape[0] == 4
        assert TextColumn.fit(series).encode(series).shape == (4, 64)
    dates = pl.Series(name, ["2024-01-01", None])
    assert DateColumn.fit(dates).encode(dates).shape[0] == 2


def test_dates_become_parts() -> None:
    train = pl.Series("d", [datetime.date(2024, 1, 1), datetime.date(2024, 7, 1)])
    column = DateColumn.fit(train)
    values = column.encode(pl.Series("d", ["2024-03-31"]))[0]
    encoded = dict(zip(column.features, values, strict=True))
    assert encoded["d year"] == 2024
    assert encoded["d days"] == 90
    assert encoded["d month sin"] == pytest.approx(np.sin(2 * np.pi * 3 / 12))
    assert encoded["d month cos"] == pytest.approx(np.cos(2 * np.pi * 3 / 12), abs=1e-15)
    assert encoded["d day sin"] == pytest.approx(np.sin(2 * np.pi * 31 / 31), abs=1e-15)
    assert encoded["d weekday sin"] == pytest.approx(np.sin(2 * np.pi * 7 / 7), abs=1e-15)  # Sunday
    assert not any("hour" in name or "missing" in name for name in column.features)


def test_december_lies_beside_january() -> None:
    train = pl.Series("d", ["2024-01-15", "2024-06-15", "2024-12-15"])
    column = DateColumn.fit(train)
    month = column.encode(train)[:, 2:4]
    assert np.linalg.norm(month[0] - month[2]) < 0.6 < np.linalg.norm(month[0] - month[1])


def test_hours_and_missing_dates() -> None:
    train = pl.Series("d", ["2024-01-01T06:00:00", None])
    column = DateColumn.fit(train)
    assert column.features[-3:] == ("d hour sin", "d hour cos", "d missing")
    encoded = column.encode(train)
    np.testing.assert_allclose(encoded[0, -3:], [1.0, 0.0, 0.0], atol=1e-9)
    assert np.isnan(encoded[1, :-1]).all()
    assert encoded[1, -1] == 1.0


def test_text_blocks_have_length_one() -> None:
    texts = pl.Series("t", ["A fine film, a FINE film!", "dreadful", None, "!!!", "日本 の 映画"])
    encoded = TextColumn.fit(texts).encode(texts)
    for block in (encoded[:, :32], encoded[:, 32:]):
        lengths = np.linalg.norm(block, axis=1)
        np.testing.assert_allclose(lengths[[0, 1, 4]], 1.0)
        np.testing.assert_array_equal(lengths[2], 0.0)
    assert encoded[3, :32].sum() == 0


def test_text_ignores_case_and_punctuation_and_not_words() -> None:
    texts = pl.Series("t", ["A fine film", "a  FINE, film.", "an awful film"])
    encoded = TextColumn.fit(texts).encode(texts)
    np.testing.assert_array_equal(encoded[0], encoded[1])
    assert np.abs(encoded[0] - encoded[2]).max() > 0.1


def test_spellings_share_letters() -> None:
    texts = pl.Series("t", ["international", "internationally", "zoo"])
    letters = TextColumn.fit(texts).encode(texts)[:, 32:]
    assert letters[0] @ letters[1] > 0.7 > letters[0] @ letters[2]


def test_long_texts_are_hashed_one_by_one_in_bounded_memory() -> None:
    generator = random.Random(3)
    words = ["".join(generator.choices("abcdefgh", k=5)) for _ in range(1_000)]
    lengths = [12_000, 1, 0, 3_000, 60_000, 2, 12_000, 12_000, 12_000, 12_000, 12_000]
    texts = pl.Series("t", [" ".join(generator.choices(words, k=length)) for length in lengths])
    column = TextColumn("t")
    alone = [column.encode(texts[i : i + 1]) for i in range(len(texts))]
    np.testing.assert_array_equal(column.encode(texts), np.concatenate(alone))
    twelves = texts.filter(pl.Series(lengths) == 12_000)
    tracemalloc.start()
    column.encode(pl.concat([twelves] * 10))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * (60 * 12_000 * 6)  # bytes a letter


def test_text_hashes_never_change() -> None:
    encoded = TextColumn("t").encode(pl.Series("t", ["good", "zz"]))
    places = [(int(j), float(encoded[0, j])) for j in np.flatnonzero(encoded[0])]
    # One word in one bucket; of the triples " go", "goo", "ood", "od " two share a bucket.
    third = 1 / np.sqrt(6)
    assert [place for place, _ in places] == [7, 48, 59, 61]
    np.testing.assert_allclose([value for _, value in places], [1, -third, 2 * third, -third])


def test_text_does_not_depend_on_its_neighbours() -> None:
    texts = pl.Series("t", [f"text {i} of {i % 7} many\nlines" for i in range(CHUNK_ROWS + 3)])
    column = TextColumn("t")
    whole = column.encode(texts)
    np.testing.assert_array_equal(column.encode(texts[-5:]), whole[-5:])
    np.testing.assert_array_equal(column.encode(texts[:2]), whole[:2])
    assert column.encode(texts[:0]).shape == (0, 64)


@pytest.mark.parametrize("kind", list(COLUMN_KINDS))
def test_every_kind_survives_json(kind: str) -> None:
    texts = {
        "number": ["1.5", "2", None, "4"],
        "boolean": ["true", "false", None, "true"],
        "date": ["2024-01-01 10:00", "2024-02-03 00:00", None, "2024-01-01 10:00"],
    }.get(kind, ["u x", "v", None, "v"])
    series = pl.Series("a", texts)
    column = COLUMN_KINDS[kind].fit(series)
    again = from_plain(type(column), json.loads(json.dumps(to_plain(column))))
    assert again == column
    np.testing.assert_array_equal(again.encode(series), column.encode(series))
    assert column.encode(series).shape == (4, len(column.features))
    assert column.encode(series[:0]).shape == (0, len(column.features))
    assert len(set(column.features)) == len(column.features)
