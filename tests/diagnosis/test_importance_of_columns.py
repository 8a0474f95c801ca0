"""Permutation importance against scikit-learn; intervals that cover."""

import numpy as np
import pytest
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LinearRegression, LogisticRegression

from deepwell.diagnosis._importance_of_columns import Judged, importance_of_columns
from deepwell.diagnosis._metrics import METRICS


def regression(n: int, seed: int):
    generator = np.random.default_rng(seed)
    x = generator.normal(size=(n, 4))
    return x, x @ np.array([2.0, 1.0, 0.5, 0.0]) + generator.normal(size=n)


def test_it_is_that_of_scikit_learn():
    x, y = regression(400, 0)
    model = LinearRegression().fit(x, y)
    found = importance_of_columns(
        Judged(METRICS["rmse"], model.predict, x, y),
        {name: [i] for i, name in enumerate("abcd")},
        shuffles=30,
    )
    ours = {one.columns[0]: one.change for one in found}
    theirs = permutation_importance(
        model, x, y, scoring="neg_root_mean_squared_error", n_repeats=30, random_state=0
    )
    for i, name in enumerate("abcd"):
        assert ours[name].value == pytest.approx(theirs.importances_mean[i], abs=0.06)
    assert [one.columns[0] for one in found[:3]] == ["a", "b", "c"]
    assert ours["c"].low > 0
    assert ours["d"].low <= 0.01


def test_all_inputs_of_a_column_are_shuffled_together():
    generator = np.random.default_rng(1)
    kind = generator.integers(0, 3, 500)
    x = np.eye(3)[kind]
    y = (kind == 2).astype(int)
    model = LogisticRegression().fit(x, y)
    judged = Judged(METRICS["error"], model.predict_proba, x, y)
    (one,) = importance_of_columns(judged, {"kind": [0, 1, 2]}, shuffles=20)
    share = y.mean()
    assert one.change.value == pytest.approx(2 * share * (1 - share), abs=0.02)


def test_columns_that_repeat_each_other_are_told_as_one():
    x, y = regression(300, 2)
    x = np.column_stack([x, x[:, 0] + 0.1 * np.random.default_rng(3).normal(size=300)])
    model = LinearRegression().fit(x, y)
    inputs = {name: [i] for i, name in enumerate("abcde")}
    judged = Judged(METRICS["rmse"], model.predict, x, y)
    found = importance_of_columns(judged, inputs)
    assert found[0].columns == ("a", "e")
    apart = importance_of_columns(judged, inputs, tied=2.0)
    assert all(len(one.columns) == 1 for one in apart)


def test_the_interval_covers_the_importance_on_all_rows():
    """Of a fixed model: y = 2 a + noise, so that shuffling a adds 8 to the squared error.

    Intervals of 95 % hold in fewer than 91.5 % of 200 cases 2 times in 100.
    """
    inside = []
    for seed in range(200):
        generator = np.random.default_rng(seed)
        x = generator.normal(size=(150, 2))
        y = 2 * x[:, 0] + generator.normal(size=150)
        judged = Judged(METRICS["rmse"], lambda rows: 2 * rows[:, 0], x, y)
        found = importance_of_columns(judged, {"a": [0], "b": [1]}, shuffles=5, seed=seed)
        inside.append(found[0].change.low <= 3.0 - 1.0 <= found[0].change.high)
        assert found[-1].change.value == 0.0
    assert 0.915 <= np.mean(inside) < 1


def test_the_spread_is_that_of_pairs_of_rows():
    """Of fixed decisions: the standard deviation over tables is that which an interval says."""
    values, widths = [], []
    for seed in range(150):
        generator = np.random.default_rng([7, seed])
        x = generator.normal(size=(200, 1))
        hit = generator.random(200) < 0.9
        y = np.where(hit, x[:, 0] > 0, x[:, 0] <= 0).astype(int)

        def said(rows):
            second = (rows[:, 0] > 0).astype(float)
            return np.stack([1 - second, second], axis=1)

        judged = Judged(METRICS["error"], said, x, y)
        (one,) = importance_of_columns(judged, {"a": [0]}, shuffles=4, seed=seed)
        values.append(one.change.value)
        widths.append(one.change.high - one.change.low)
    assert np.mean(values) == pytest.approx(0.4, abs=0.01)
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.2)


def test_weights_count_and_the_seed_decides():
    x, y = regression(200, 4)
    model = LinearRegression().fit(x, y)
    inputs = {name: [i] for i, name in enumerate("abcd")}
    weight = np.random.default_rng(5).random(200)
    first, again, other = (
        importance_of_columns(Judged(METRICS["mae"], model.predict, x, y, weight), inputs, seed=s)
        for s in (1, 1, 2)
    )
    assert first == again != other


def test_rows_of_one_group_tell_no_interval_and_so_nothing():
    x, y = regression(50, 6)
    model, alone = LinearRegression().fit(x, y), np.zeros(50, int)
    assert not importance_of_columns(
        Judged(METRICS["mae"], model.predict, x, y, group=alone), {"a": [0]}
    )
