"""Columns that differ are named in the user's terms, and hardly any other one."""

import numpy as np
import pytest
from scipy import stats

from deepwell.diagnosis._encoded_columns import EncodedColumn, EncodedTable
from deepwell.diagnosis._shifted_columns import (
    TwoSets,
    chi_square_p_value,
    homogeneity_p_value,
    rows_compared,
    shifted_columns,
)

NUMBER = EncodedColumn("months", "number", 0, 1)


def plain(columns, width):
    return EncodedTable(columns, np.zeros(width), np.ones(width))


def named(train, other, table, units=None):
    sets = TwoSets(
        train.astype(np.float32), other.astype(np.float32), units or (len(train), len(other))
    )
    return shifted_columns(sets, table)


def words_of(train, other, column=NUMBER, width=1):
    return [c.words for c in named(train, other, plain([column], width))[0]]


def test_means_are_told_in_the_columns_unit():
    generator = np.random.default_rng(0)
    x, other = generator.normal(size=(200, 1)), generator.normal(-2, 1, (80, 1))
    table = EncodedTable([NUMBER], np.array([14.0]), np.array([3.0]))
    (found,), tested = named(x, other, table)
    expected = [14 + 3 * one.astype(np.float32).mean() for one in (x, other)]
    assert found.words == f"mean {expected[0]:.3g} in train, {expected[1]:.3g} in dev"
    assert (found.name, tested) == ("months", 1)
    assert found.p_value < 1e-6


def test_spreads_and_quarters_are_told_where_means_agree():
    generator = np.random.default_rng(0)
    like = generator.normal(size=(400, 1))
    assert words_of(like, 3 * generator.normal(size=(300, 1)))[0].startswith("deviation ")
    two = np.where(generator.random((3000, 1)) < 0.5, -1.0, 1.0) + 0.1 * generator.normal(
        size=(3000, 1)
    )
    assert words_of(generator.normal(size=(3000, 1)), two)[0].startswith("a quarter ")


def test_blanks_categories_flags_and_dates_have_words_of_their_own():
    generator = np.random.default_rng(0)

    def one_hot(shares, n):
        return np.eye(len(shares))[generator.choice(len(shares), n, p=shares)]

    city = EncodedColumn("city", "category", 0, 2, labels=("Ulm", "Bonn"))
    assert words_of(one_hot([0.9, 0.1], 300), one_hot([0.4, 0.6], 100), city, 2)[0][:4] in (
        "Ulm ",
        "Bonn",
    )
    unseen = np.zeros((100, 2))
    told = words_of(one_hot([0.5, 0.5], 300), unseen, city, 2)
    assert told == ["values that train lacks 0.0 % in train, 100.0 % in dev"]
    flag = EncodedColumn("member", "boolean", 0, 1)
    assert words_of(np.zeros((90, 1)), np.ones((60, 1)), flag) == [
        "true 0.0 % in train, 100.0 % in dev"
    ]
    paid = EncodedColumn("paid", "number", 0, 2, blank=1)
    blank = np.column_stack([np.zeros(100), np.ones(100)])
    told = words_of(np.column_stack([generator.normal(size=300), np.zeros(300)]), blank, paid, 2)
    assert told == ["blank 0.0 % in train, 100.0 % in dev"]
    day = EncodedColumn("day", "date", 0, 2, value=1, start=19_000)
    days = np.column_stack([np.zeros(200), generator.integers(0, 100, 200)])
    told = words_of(days, days + 200, day, 2)
    assert told[0].startswith("mean 2022-0")
    text = EncodedColumn("note", "text", 0, 2)
    assert words_of(days, days + 200, text, 2) == ["other words"]


def test_a_false_column_is_named_at_most_as_often_as_stated():
    """Of tables of ten like columns one in 100 may name any; 300 tables, at most 9 (1 in 1,000)."""
    columns = [EncodedColumn(f"c{j}", "number", j, 1) for j in range(8)]
    columns.append(EncodedColumn("k", "category", 8, 3, labels=("a", "b", "c")))
    false = 0
    for seed in range(300):
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(160, 11))
        x[:, 1] = np.round(x[:, 1])
        x[:, 8:] = np.eye(3)[generator.integers(0, 3, 160)]
        false += bool(named(x[:120], x[120:], plain(columns, 11))[0])
    assert false <= 9


def test_few_units_make_it_cautious():
    generator = np.random.default_rng(0)
    who = np.repeat(np.arange(20), 20)
    x = generator.normal(size=(20, 1))[who] + 0.1 * generator.normal(size=(400, 1))
    for cut in range(200, 320, 20):
        assert named(x[:cut], x[cut:], plain([NUMBER], 1), (cut // 20, 20 - cut // 20))[0] == ()


@pytest.mark.proves("D5", "independent")
def test_chi_square_is_that_of_scipy():
    for freedom in range(1, 66):
        for value in (0.0, 0.3, 5.0, 40.0, 150.0):
            expected = stats.chi2.sf(value, freedom)
            assert chi_square_p_value(value, freedom) == pytest.approx(expected, abs=1e-12)
    counts = np.array([[40.0, 60.0, 25.0], [30.0, 20.0, 25.0]])
    expected = stats.chi2_contingency(counts, correction=False).pvalue
    assert homogeneity_p_value(counts, (125, 75)) == pytest.approx(expected)


def test_rare_categories_are_counted_together():
    counts = np.zeros((2, 60))
    counts[0, :30] = counts[1, 30:] = 1.0
    counts[:, 0] += 100
    assert homogeneity_p_value(counts, (130, 130)) > 0.5


def test_many_rows_are_sampled():
    chosen = rows_compared(3_000_000, 100, 0)
    assert len(chosen) == 10_000
    assert (np.diff(chosen) > 0).all()
    assert len(rows_compared(3_000_000, 10_000, 0)) == 500
    np.testing.assert_array_equal(rows_compared(40, 10_000, 0), np.arange(40))
