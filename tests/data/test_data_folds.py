"""K-fold cross-validation of tables (D3): fair folds, nothing leaks, everything adds up."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.model_selection import StratifiedKFold

from deepwell._base._errors import UsageError
from deepwell._base._hash import key
from deepwell.data import load
from deepwell.data._folds import assign_folds, folds_advice, make_folds
from deepwell.data._table_encoder import TableEncoder

ROWS = 230
RANDOM = np.random.default_rng(2)
TABLE = pl.DataFrame(
    {
        "x": RANDOM.normal(10, 3, ROWS),
        "holes": np.where(RANDOM.random(ROWS) < 0.1, np.nan, RANDOM.normal(size=ROWS)),
        "color": RANDOM.choice(["red", "green", "blue", "rare"], ROWS, p=[0.5, 0.3, 0.18, 0.02]),
        "house": RANDOM.integers(0, 40, ROWS).astype(str),
        "w": RANDOM.integers(1, 4, ROWS),
        "amount": RANDOM.normal(100, 20, ROWS),
        "y": RANDOM.choice(["a", "b", "c"], ROWS, p=[0.6, 0.3, 0.1]),
    }
)


@pytest.mark.proves("D3", "independent")
@pytest.mark.parametrize("folds", [2, 5, 10])
def test_classes_are_as_even_as_scikit_learn_makes_them(folds: int) -> None:
    y = RANDOM.choice(3, 201, p=[0.6, 0.3, 0.1])
    ours = assign_folds(y, np.arange(201), folds, key(1))
    split = StratifiedKFold(folds, shuffle=True, random_state=0).split(y, y)
    theirs = np.concatenate([[np.bincount(y[dev], minlength=3)] for _, dev in split])
    table = np.array([np.bincount(y[ours == f], minlength=3) for f in range(folds)])
    assert np.ptp(table, axis=0).max() <= 1
    assert np.ptp(table.sum(axis=1)) <= max(1, np.ptp(theirs.sum(axis=1)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 30)), min_size=40, max_size=120),
    st.integers(2, 6),
    st.integers(0, 9),
)
def test_what_belongs_together_is_in_one_fold(rows, folds: int, seed: int) -> None:
    strata, together = (np.array(column) for column in zip(*rows, strict=True))
    blocks = len(np.unique(together))
    if blocks < folds:
        with pytest.raises(UsageError, match=f"`folds` must be at most {blocks}"):
            assign_folds(strata, together, folds, key(seed))
        return
    fold = assign_folds(strata, together, folds, key(seed))
    assert set(fold.tolist()) <= set(range(folds))
    for block in np.unique(together):
        assert len(np.unique(fold[together == block])) == 1
    np.testing.assert_array_equal(fold, assign_folds(strata, together, folds, key(seed)))
    largest = np.bincount(np.unique(together, return_inverse=True)[1]).max()
    assert np.ptp(np.bincount(fold, minlength=folds)) <= 3 * largest + 3


@pytest.mark.proves("D3", "formula")
def test_every_row_is_dev_once_and_the_test_rows_stay_out() -> None:
    data = load(TABLE, "y", ignore=["house", "w", "amount"], vault=None)
    folds = make_folds(data, 5)
    n = len(data.train) + len(data.dev)
    assert sorted(np.concatenate(folds.places).tolist()) == list(range(n))
    assert len(folds.whole.train) == len(folds.whole.dev) == n == data.facts.rows - 46
    for train, dev in folds.parts:
        assert len(train) + len(dev) == n
    said = {f: folds.whole.train.y[places] for f, places in enumerate(folds.places)}
    np.testing.assert_array_equal(folds.in_order(said), folds.whole.train.y)
    for fold, places in enumerate(folds.places):
        np.testing.assert_array_equal(folds.parts[fold][1].y, folds.whole.train.y[places])


@pytest.mark.proves("D3", "independent")
def test_each_fold_is_encoded_by_its_own_train_rows_alone() -> None:
    data = load(TABLE, "y", ignore=["house", "w", "amount"], vault=None)
    folds = make_folds(data, 4)
    frame, inputs = data.pool.frame, data.pool.inputs
    widths = set()
    for (train, dev), places in zip(folds.parts, folds.places, strict=True):
        inside = np.setdiff1d(np.arange(frame.height), places)
        table = TableEncoder.fit(frame[inside], inputs)
        d = len(table.mean)
        widths.add(d)
        np.testing.assert_array_equal(train.x[:, :d], table.transform(frame[inside]))
        np.testing.assert_array_equal(dev.x[:, :d], table.transform(frame[places]))
        assert not train.x[:, d:].any()
        x = table.feature_names.index("x")
        raw = frame["x"].to_numpy()
        expected = (raw[places] - raw[inside].mean()) / raw[inside].std()
        np.testing.assert_allclose(dev.x[:, x], expected, rtol=1e-5, atol=1e-6)
    assert len({rows.x.shape[1] for part in folds.parts for rows in part}) == 1
    for fold in range(4):
        before = (fold - 1) % 4
        got = folds.rows_of(before, fold)
        inside = np.setdiff1d(np.arange(frame.height), folds.places[fold])
        chosen = np.isin(inside, folds.places[before])
        np.testing.assert_array_equal(got, folds.parts[fold][0].x[chosen])


def test_numbers_share_one_unit_and_weights_count() -> None:
    data = load(TABLE, "amount", ignore=["y", "house"], weights="w", vault=None)
    folds = make_folds(data, 3)
    encoder = folds.whole.target_encoder
    raw, weight = data.pool.frame["amount"].to_numpy(), data.pool.frame["w"].to_numpy()
    assert encoder.mean == pytest.approx(np.average(raw, weights=weight))
    for (_, dev), places in zip(folds.parts, folds.places, strict=True):
        np.testing.assert_allclose(encoder.original(dev.y), raw[places], rtol=1e-6)
        np.testing.assert_allclose(dev.weight, weight[places] / weight.mean(), rtol=1e-6)


def test_balanced_weights_are_balanced_over_all_rows() -> None:
    data = load(TABLE, "y", ignore=["house", "w"], class_weight="balanced", vault=None)
    whole = make_folds(data, 4).whole.train
    by_class = np.bincount(whole.y, weights=whole.weight)
    np.testing.assert_allclose(by_class, by_class.mean(), rtol=1e-5)


def test_groups_and_copies_do_not_cross_folds() -> None:
    frame = pl.concat([TABLE, TABLE[:60]])
    data = load(frame, "y", group="house", ignore=["w"], vault=None)
    folds = make_folds(data, 4)
    house = data.pool.frame["house"].to_numpy()
    seen = [set(house[places]) for places in folds.places]
    assert sum(len(s) for s in seen) == len(set(house))
    copies = load(frame, "y", ignore=["w", "house"], vault=None)
    folds = make_folds(copies, 4)
    x = copies.pool.frame["x"].to_numpy()
    assert sum(len(set(x[places])) for places in folds.places) == len(set(x))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"time": "x"}, "rows split by time have an order that folds would break"),
        ({"dev": TABLE[:30].with_columns(x=pl.col("x") + 1)}, "dev rows were given"),
        ({"train_dev": 0.1}, "`train_dev` holds rows out of train"),
    ],
)
def test_where_folds_make_no_sense(options, words: str) -> None:
    data = load(TABLE, "y", vault=None, **options)
    with pytest.raises(UsageError, match=words):
        make_folds(data, 5)


def test_a_table_too_large_to_keep(monkeypatch) -> None:
    from deepwell.data import _pool

    monkeypatch.setattr(_pool, "LARGEST", 1_000)
    with pytest.raises(UsageError, match="its dev set is large enough"):
        make_folds(load(TABLE, "y", vault=None), 5)


def test_folds_are_advised_for_few_rows() -> None:
    assert "--folds 5" in folds_advice(1_999, 0)
    assert folds_advice(2_000, 0) == ""
    assert folds_advice(500, 5) == ""
    assert "5 times the work" in folds_advice(2_000, 5)
