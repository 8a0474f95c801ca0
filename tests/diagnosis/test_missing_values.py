"""DW208: what as many blanks again cost, against closed forms; and what is told of it."""

import numpy as np
import pytest

from deepwell.diagnosis._encoded_columns import EncodedColumn, EncodedTable
from deepwell.diagnosis._importance_of_columns import Judged
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._missing_values import (
    MissingValues,
    blank_columns,
    missing_finding,
    missing_level,
    missing_values,
)
from deepwell.records import Estimate

WORTH = 0.01


def table_of(columns):
    """Describe number columns, each followed by its flag, as a study encodes them."""
    described = [EncodedColumn(f"c{j}", "number", 2 * j, 2, blank=1) for j in range(columns)]
    return EncodedTable(described, np.zeros(2 * columns), np.ones(2 * columns))


def rows_of(generator, n, shares):
    """Draw standard normal cells, 0 and flagged where they are blank; return inputs and values."""
    values = generator.normal(size=(n, len(shares)))
    blank = generator.random(values.shape) < shares
    x = np.zeros((n, 2 * len(shares)), np.float32)
    x[:, ::2], x[:, 1::2] = np.where(blank, 0.0, values), blank
    return x, values


def measured(generator, metric, n=400, shares=(0.3, 0.5), group=None, draws=8):
    """Blank what a predictor reads, the value of the first column alone."""
    train, _ = rows_of(generator, 2_000, shares)
    x, values = rows_of(generator, n, shares)
    if metric == "rmse":
        y, classes = values[:, 0], 0
    else:
        y, classes = (values[:, 0] > 0).astype(np.int32), 2

    def predict(rows):
        read = rows[:, 0].astype(np.float64)
        if metric == "rmse":
            return read
        sure = np.where(read > 0, 0.9, np.where(read < 0, 0.1, 0.4))
        return np.stack([1 - sure, sure], axis=1)

    nothing = generator.integers(2, size=len(train)).astype(np.int32)
    columns = blank_columns(train, table_of(len(shares)), nothing, max(classes, 2))
    judged = Judged(METRICS[metric], predict, x, y, group=group)
    return missing_values(judged, columns, draws, seed=int(generator.integers(1_000)))


def expected(metric, share):
    """Return the mean change in closed form: the blank share rises from s to s + s (1 - s)."""
    more = share + share * (1 - share)
    if metric == "rmse":  # of a blank the square of a standard normal value is lost
        return np.sqrt(more) - np.sqrt(share)
    if metric == "error":  # of blanks class 0 is said, wrong for half of them
        return 0.5 * (more - share)
    known, blank = -np.log(0.9), -0.5 * (np.log(0.4) + np.log(0.6))
    return (more - share) * (blank - known)


@pytest.mark.parametrize("metric", ["error", "log_loss", "rmse"])
def test_the_interval_covers_the_closed_form(metric):
    """120 tables of each metric; at 95 % fewer than 105 of them have a chance of 1 in 2,000."""
    generator = np.random.default_rng(5)
    found = [measured(generator, metric).change for _ in range(120)]
    truth = expected(metric, 0.3)
    assert sum(one.low <= truth <= one.high for one in found) >= 105
    mean = np.mean([one.value for one in found])
    error = np.std([one.value for one in found]) / np.sqrt(len(found))
    assert mean == pytest.approx(truth, abs=4 * error + 0.002)  # the share of 2,000 rows is drawn
    assert all(0 < one.low < one.high for one in found)


def test_more_draws_do_not_make_up_for_rows():
    """The mean of a row over draws counts once: no draw is a row of its own."""
    few, many = (
        np.mean([_width(measured(np.random.default_rng(s), "error", draws=k)) for s in range(10)])
        for k in (8, 64)
    )
    assert many > 0.7 * few


def _width(found):
    return found.change.high - found.change.low


def test_rows_that_belong_together_widen_the_interval():
    generator = np.random.default_rng(2)
    x, values = (np.repeat(one, 10, axis=0) for one in rows_of(generator, 60, (0.4,)))
    train, _ = rows_of(generator, 2_000, (0.4,))
    columns = blank_columns(train, table_of(1), generator.normal(size=2_000))
    group = np.repeat(np.arange(60), 10)
    alone, together = (
        missing_values(
            Judged(METRICS["rmse"], lambda r: r[:, 0].astype(float), x, values[:, 0], group=g),
            columns,
        )
        for g in (None, group)
    )
    assert alone.change.value == together.change.value
    assert _width(together) > 1.5 * _width(alone)


def test_a_table_without_blanks_is_not_told():
    generator = np.random.default_rng(3)
    x = generator.normal(size=(100, 3)).astype(np.float32)
    plain = EncodedTable(
        [EncodedColumn(f"c{j}", "number", j, 1) for j in range(3)], np.zeros(3), np.ones(3)
    )
    assert blank_columns(x, plain, x[:, 0]) == ()
    assert missing_values(Judged(METRICS["rmse"], lambda r: r[:, 0], x, x[:, 0]), ()) is None


def test_blanks_that_the_network_does_not_read_cost_nothing():
    found = measured(np.random.default_rng(4), "error", shares=(0.0, 0.6))
    assert (found.change, found.share) == (Estimate(0.0, 0.0, 0.0), pytest.approx(0.6, abs=0.04))
    told = missing_finding(found, "error", WORTH)
    assert (told.code, told.level) == ("DW208", "ok")
    assert told.evidence["change"] == ""


def test_few_blanks_without_an_effect_are_ok():
    found = measured(np.random.default_rng(6), "error", n=4_000, shares=(0.005, 0.02))
    assert missing_level(found, WORTH) == "ok"


def test_costly_blanks_are_a_problem():
    found = measured(np.random.default_rng(7), "error", n=1_000, shares=(0.6, 0.1))
    told = missing_finding(found, "error", WORTH)
    assert (told.level, told.claim) == ("problem", "missing values cost score")
    assert "of the cells of 2 columns are blank" in told.detail
    assert "raises dev error by" in told.detail
    assert "what filling them in would give back is not measured" in told.detail
    assert told.evidence["change"].endswith("or leave out what is mostly blank: c0")
    assert [one["name"] for one in told.evidence["columns"]] == ["c0", "c1"]
    assert {"measured", "threshold", "threshold_source", "blank_share"} <= set(told.evidence)


@pytest.mark.parametrize(
    ("share", "low", "high", "level"),
    [
        (0.3, 0.02, 0.04, "problem"),
        (0.02, 0.02, 0.04, "problem"),
        (0.3, 0.001, 0.04, "unsure"),
        (0.02, 0.001, 0.04, "ok"),
        (0.3, -0.001, 0.009, "ok"),
    ],
)
def test_the_level_follows_the_interval(share, low, high, level):
    change = Estimate((low + high) / 2, low, high)
    found = MissingValues((("a", share),), (), share, change, 8, 100)
    assert missing_finding(found, "error", WORTH).level == level


def test_every_input_of_a_blank_cell_is_that_of_a_blank_row():
    """Of numbers, dates and categories alike; cells of other columns stay as they are."""
    generator = np.random.default_rng(8)
    x = generator.normal(size=(300, 6)).astype(np.float32)
    blank = generator.random(300) < 0.5
    x[:, 1:4] = np.where(blank[:, None], [0.25, -0.5, 1.0], [1.0, 1.0, 0.0])
    columns = [
        EncodedColumn("a", "number", 0, 1),
        EncodedColumn("day", "date", 1, 3, 1, blank=2),
        EncodedColumn("b", "number", 4, 2),
    ]
    table = EncodedTable(columns, np.zeros(6), np.ones(6))
    (column,) = blank_columns(x, table, generator.normal(size=300))
    assert column.held.tolist() == [0.25, -0.5, 1.0]
    seen = []

    def predict(rows):
        seen.append(rows.copy())
        return rows[:, 0].astype(float)

    missing_values(Judged(METRICS["rmse"], predict, x, x[:, 0]), [column])
    before, *after = seen
    assert np.array_equal(before, x)
    for rows in after:
        assert np.array_equal(rows[:, [0, 4, 5]], x[:, [0, 4, 5]])
        made = (rows != x).any(axis=1)
        assert (rows[made, 1:4] == column.held).all()
        assert np.array_equal(rows[blank], x[blank])
        assert made[~blank].mean() == pytest.approx(0.5, abs=0.2)


@pytest.mark.parametrize("classes", [0, 3])
def test_blanks_that_tell_the_target_stay_as_they_are(classes):
    """A blank that stands for a value, as of a house without a garage, is not one to fill in."""
    generator = np.random.default_rng(9)
    x, _ = rows_of(generator, 1_000, (0.3, 0.3))
    y = x[:, 1] + generator.normal(size=1_000)
    y = np.digitize(y, [0, 1]) if classes else y
    told = {one.name: one.told for one in blank_columns(x, table_of(2), y, classes)}
    assert told["c0"] > 0.1
    assert told["c1"] == 0
    columns = blank_columns(x, table_of(2), y, classes)
    judged = Judged(METRICS["rmse"], lambda r: 5.0 * r[:, 1], x, 5.0 * x[:, 1])
    both = missing_values(judged, columns)
    assert (both.left, both.change) == (("c0",), Estimate(0.0, 0.0, 0.0))
    (only,) = [one for one in columns if one.name == "c0"]
    told = missing_finding(missing_values(judged, [only]), "rmse", WORTH)
    assert (told.level, told.claim) == ("ok", "blanks tell the target")


def targets_of(kind, generator, n):
    """Draw targets of a kind that luck fits worst, with the number of their classes."""
    if kind == "log-normal":
        return np.exp(2 * generator.normal(size=n)), 0
    if kind == "mostly zero":
        return np.where(generator.random(n) < 0.97, 0.0, generator.exponential(size=n)), 0
    shares = {"even": [1 / 3] * 3, "rare": [0.98, 0.02], "many": [0.02] * 50}[kind]
    return generator.choice(len(shares), n, p=shares), len(shares)


@pytest.mark.parametrize("kind", ["even", "rare", "many", "log-normal", "mostly zero"])
def test_blanks_by_chance_are_seldom_taken_to_tell(kind):
    """Of 300 tables of five columns at most 1 in 100 has one, more than 10 in 1 of 1,000."""
    generator, taken = np.random.default_rng(10), 0
    for _ in range(300):
        x, _ = rows_of(generator, 200, (0.05, 0.1, 0.3, 0.5, 0.9))
        columns = blank_columns(x, table_of(5), *targets_of(kind, generator, 200))
        taken += any(one.told for one in columns)
    assert taken <= 10
