"""A column that gives the target away is told from one that is merely good."""

import numpy as np
import pytest
from scipy import stats
from sklearn import datasets

from deepwell.diagnosis._data_findings import telling_level
from deepwell.diagnosis._encoded_columns import EncodedColumn, EncodedTable
from deepwell.diagnosis._telling_column import Target, left_of, telling_column


def numbers(x):
    columns = [EncodedColumn(f"c{j}", "number", j, 1) for j in range(x.shape[1])]
    return EncodedTable(columns, np.zeros(x.shape[1]), np.ones(x.shape[1]))


def told(x, y, classes=0, table=None):
    x = np.asarray(x, np.float32)
    return telling_column(x, Target(y, classes), table or numbers(x), 0)[0]


def noise(n=400, columns=3, seed=0):
    return np.random.default_rng(seed).normal(size=(n, columns))


def test_what_is_left_is_one_less_chatterjees_coefficient():
    generator = np.random.default_rng(0)
    x = generator.normal(size=300)
    y = np.sin(3 * x) + 0.3 * generator.normal(size=300)
    expected = stats.chatterjeexi(x, y).statistic
    assert left_of(x, Target(y, 0)) == pytest.approx(1 - expected, abs=0.02)


def test_nothing_is_left_of_a_function_and_all_of_chance():
    generator = np.random.default_rng(0)
    x = generator.normal(size=2000)
    assert left_of(x, Target(np.cos(x), 0)) < 0.01
    assert left_of(x, Target(generator.normal(size=2000), 0)) == pytest.approx(1, abs=0.08)
    assert left_of(x, Target((x > 1).astype(int), 2)) == 0.0
    assert left_of(x, Target(generator.integers(0, 3, 2000), 3)) == pytest.approx(1, abs=0.08)


@pytest.mark.parametrize(
    "load",
    [
        datasets.load_iris,
        datasets.load_wine,
        datasets.load_breast_cancer,
        datasets.load_digits,
        datasets.load_diabetes,
    ],
)
def test_honest_measurements_pass(load):
    x, y = load(return_X_y=True)
    classes = 0 if load is datasets.load_diabetes else int(y.max()) + 1
    order = np.random.default_rng(0).permutation(len(x))[: int(0.6 * len(x))]
    assert telling_level(told(x[order], y[order], classes)) == "ok"


def test_rows_of_a_group_are_no_neighbors():
    """A weight of each patient is known at once by all of the patient's rows, as is the label."""
    generator = np.random.default_rng(7)
    who = np.repeat(np.arange(80), 8)
    y = generator.integers(0, 2, 80)[who]
    x = np.column_stack([noise(len(who)), generator.normal(size=80)[who]])
    rows = np.asarray(x, np.float32), Target(y, 2), numbers(x), 0
    alone, _ = telling_column(*rows)
    assert (alone.name, telling_level(alone)) == ("c3", "unsure")
    grouped, _ = telling_column(*rows, who)
    assert telling_level(grouped) == "ok"
    assert grouped.left > 0.5
    copied = np.column_stack([noise(len(who)), y + 0.01 * noise(len(who), 1)[:, 0]])
    told_apart, _ = telling_column(np.asarray(copied, np.float32), *rows[1:], who)
    assert (told_apart.name, telling_level(told_apart)) == ("c3", "problem")
    few = np.arange(len(who)) % 10
    assert telling_column(*rows, few)[0] is not None


def test_the_target_in_another_unit_is_a_problem():
    x, y = noise(), np.random.default_rng(1).normal(size=400)
    found = told(np.column_stack([x, 5 + 9 * y]), y)
    assert (found.name, found.copy, telling_level(found)) == ("c3", True, "problem")


def test_the_target_under_another_name_is_a_problem():
    x, y = noise(), np.random.default_rng(1).integers(0, 3, 400)
    inputs = np.column_stack([x, np.eye(3)[y]])
    columns = [*numbers(x).columns, EncodedColumn("kind", "category", 3, 3, labels=("a", "b", "c"))]
    found = told(inputs, y, 3, EncodedTable(columns, np.zeros(6), np.ones(6)))
    assert (found.name, found.copy, telling_level(found)) == ("kind", True, "problem")


def test_classes_coded_by_a_number_with_gaps_are_a_problem():
    x, y = noise(), np.random.default_rng(1).integers(0, 3, 400)
    found = told(np.column_stack([x, y + 0.05 * noise(columns=1)[:, 0]]), y, 3)
    assert telling_level(found) == "problem"


@pytest.mark.parametrize(("noise_of", "level"), [(0.05, "problem"), (0.14, "problem"), (0.3, "ok")])
def test_many_classes_in_clumps_are_coded_though_others_tell_them_too(noise_of, level):
    """Ten classes that the other columns tell but for some 5 %, as in a table of digits."""
    generator = np.random.default_rng(3)
    y = generator.integers(0, 10, 1_200)
    x = np.eye(10)[y] + 0.32 * generator.normal(size=(1_200, 10))
    column = y + noise_of * generator.normal(size=1_200)
    found = told(np.column_stack([x, column]), y, 10)
    assert telling_level(found) == level


def test_a_column_cut_into_classes_is_a_law_however_it_is_cut():
    generator = np.random.default_rng(4)
    x = generator.uniform(size=(900, 4))
    for cuts in ((0.33, 0.67), (0.05, 0.5), (0.2, 0.4, 0.6, 0.8)):
        y = np.digitize(x[:, 1], cuts)
        found = told(x, y, len(cuts) + 1)
        assert (found.copy, telling_level(found)) == (False, "unsure")


def test_a_blank_that_gives_the_target_away_is_a_problem():
    x, y = noise(), np.random.default_rng(1).integers(0, 2, 400)
    inputs = np.column_stack([x, noise(columns=1, seed=2) * (1 - y[:, None]), y])
    columns = [*numbers(x).columns, EncodedColumn("ended", "number", 3, 2, blank=1)]
    found = told(inputs, y, 2, EncodedTable(columns, np.zeros(5), np.ones(5)))
    assert (found.name, found.blanks, telling_level(found)) == ("ended", True, "problem")


def test_a_law_of_one_column_is_something_to_check_not_a_problem():
    x = noise()
    for y, classes in (((x[:, 0] > 0.3).astype(int), 2), (np.sin(2 * x[:, 0]), 0)):
        found = told(x, y, classes)
        assert (found.name, telling_level(found)) == ("c0", "unsure")


def test_a_good_column_among_others_as_good_passes():
    generator = np.random.default_rng(0)
    y = generator.integers(0, 2, 400)
    x = 4 * y[:, None] + generator.normal(size=(400, 4))
    assert telling_level(told(x, y, 2)) == "ok"


def test_a_row_number_of_a_sorted_table_is_something_to_check():
    y = np.sort(np.random.default_rng(0).integers(0, 3, 400))
    found = told(np.column_stack([noise(), np.arange(400) / 100.0]), y, 3)
    assert found.ordered
    assert telling_level(found) == "unsure"


def test_too_little_to_score_gives_none():
    x = noise(30)
    assert told(x, x[:, 0]) is None
    assert told(noise(), np.zeros(400, int), 2) is None
    assert told(noise(columns=1), noise()[:, 0]) is None
