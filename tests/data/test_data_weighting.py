"""Rows that count more or less: sample weights, class weights, and the train-dev slice (D2, D4)."""

import numpy as np
import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data import load
from deepwell.data._class_weight import class_weight_option
from deepwell.data._weighting import Weighting
from deepwell.records import from_plain, to_plain

ROWS = 400
RANDOM = np.random.default_rng(3)
TABLE = pl.DataFrame(
    {
        "x": RANDOM.normal(size=ROWS),
        "z": RANDOM.exponential(size=ROWS),
        "house": RANDOM.integers(0, 60, ROWS).astype(str),
        "w": RANDOM.integers(0, 4, ROWS),
        "y": RANDOM.choice(["no", "yes"], ROWS, p=[0.8, 0.2]),
    }
)


def loaded(frame=TABLE, **options):
    return load(frame, "y", vault=None, **options)


def test_rows_count_by_a_column_that_is_no_input() -> None:
    data = loaded(weights="w")
    assert "w" not in data.table_encoder.feature_names
    assert "w weighs the rows, in training and in every score: not an input" in data.facts.notes
    assert data.train.weight.mean() == pytest.approx(1.0)
    plain = loaded(ignore=["w"])
    np.testing.assert_array_equal(plain.dev.y, data.dev.y)  # the split is the same
    # a weight is a number of copies: so are mean and deviation
    weight = data.train.weight.astype(np.float64)
    for column in data.train.x.T[:2].astype(np.float64):
        assert np.average(column, weights=weight) == pytest.approx(0.0, abs=1e-6)
        assert np.average(column**2, weights=weight) == pytest.approx(1.0, rel=1e-6)
    assert set(np.unique(np.round(data.dev.weight * data.weighting.mean))) == {0, 1, 2, 3}


def test_balanced_classes_weigh_the_same() -> None:
    data = loaded(class_weight="balanced")
    by_class = np.bincount(data.train.y, weights=data.train.weight)
    assert by_class[0] == pytest.approx(by_class[1], rel=1e-6)
    assert data.train.weight.mean() == pytest.approx(1.0)
    shares = np.bincount(data.train.y) / len(data.train)
    assert data.weighting.by_class == pytest.approx(0.5 / shares)  # scikit-learn's formula
    both = loaded(class_weight="balanced", weights="w")
    by_class = np.bincount(both.train.y, weights=both.train.weight)
    assert by_class[0] == pytest.approx(by_class[1], rel=1e-6)


def test_class_weights_agree_with_scikit_learn() -> None:
    from sklearn.utils.class_weight import compute_class_weight

    data = loaded(class_weight="balanced")
    expected = compute_class_weight("balanced", classes=np.arange(2), y=data.train.y)
    np.testing.assert_allclose(data.weighting.by_class, expected)


def test_factors_of_classes() -> None:
    data = loaded(class_weight={"yes": 5})
    assert data.weighting.by_class == (1.0, 5.0)
    weight = data.dev.weight
    ratio = weight[data.dev.y == 1].mean() / weight[data.dev.y == 0].mean()
    assert ratio == pytest.approx(5.0)
    assert any("class weights no 1, yes 5" in note for note in data.facts.notes)
    frame = TABLE[:7]
    y = data.target_encoder.encode(frame["y"])
    np.testing.assert_array_equal(
        data.weighting.of(frame, y), data.weighting.weights(np.ones(7), y)
    )
    assert from_plain(Weighting, to_plain(data.weighting)) == data.weighting


def test_the_option_as_text() -> None:
    assert class_weight_option("a=b=2,no=0") == {"a=b": 2.0, "no": 0.0}
    assert class_weight_option(None) is None
    assert class_weight_option("balanced") == "balanced"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"class_weight": "balancd"}, 'did you mean "balanced"?'),
        ({"class_weight": {"yess": 2}}, 'did you mean "yes"?'),
        ({"class_weight": {"yes": -1}}, '`class_weight` of "yes" must be a number from 0'),
        ({"class_weight": {"yes": "much"}}, "must be a number from 0 to 1e\\+30, got"),
        ({"class_weight": {"yes": float("nan")}}, "must be a number from 0"),
        ({"class_weight": 3}, "`class_weight` must be balanced or a factor for each class"),
        ({"class_weight": {"yes": 0, "no": 0}}, "the weights of all train rows are 0"),
        ({"weights": "nope"}, 'column "nope" not found'),
        ({"weights": "y"}, 'column "y" is the target'),
        ({"weights": "house", "group": "house"}, "it cannot be their weight too"),
        ({"weights": "bad"}, "must hold a number from 0 to 1e\\+30 in every row, got -1 in row 8"),
        ({"weights": "blank"}, "got a blank in row 4"),
        ({"train_dev": 0}, "`train_dev` must be a number of rows or a share of train"),
        ({"train_dev": "rows.csv"}, "`train_dev` must be a number of rows or a share of train"),
        ({"train_dev": 240}, "would leave none of 240 train rows"),
        ({"train_dev": -2}, "`train_dev` must be a number of rows, a share between 0 and 1, got"),
    ],
)
def test_what_cannot_be_meant(options: dict, words: str) -> None:
    values = np.arange(ROWS, dtype=float)
    values[7] = -1
    frame = TABLE.with_columns(
        bad=pl.Series(values), blank=pl.Series([1.0] * 3 + [None] + [1.0] * (ROWS - 4))
    )
    with pytest.raises(UsageError, match=words):
        loaded(frame, **options)


def test_class_weights_need_classes() -> None:
    with pytest.raises(UsageError, match="`class_weight` needs classes"):
        load(TABLE, "x", class_weight="balanced", vault=None)


def test_a_part_that_weighs_nothing_is_refused() -> None:
    dev = TABLE[:40].with_columns(w=pl.lit(0), x=pl.col("x") + 1)
    with pytest.raises(UsageError, match="the dev rows all have the weight 0"):
        loaded(TABLE[40:], dev=dev, weights="w")


@pytest.mark.proves("D4", "formula")
def test_a_slice_of_train_is_held_out() -> None:
    dev = TABLE.with_columns(x=pl.col("x") + 9)[:80]
    plain = loaded(dev=dev, test=0)
    data = loaded(dev=dev, test=0, train_dev=0.1)
    assert data.train_dev is not None
    assert len(data.train_dev) == data.facts.train_dev_rows == 40
    assert len(data.train) == len(plain.train) - 40
    np.testing.assert_array_equal(data.dev.y, plain.dev.y)
    assert len(data.row_hashes["train"]) == len(plain.row_hashes["train"])
    # like train, unlike dev
    x = data.table_encoder.feature_names.index("x")
    assert abs(data.train_dev.x[:, x].mean()) < 0.5
    assert data.dev.x[:, x].mean() > 5
    assert data.train_dev.y.mean() == pytest.approx(data.train.y.mean(), abs=0.03)


@pytest.mark.proves("D4", "formula")
def test_the_slice_cuts_no_group_and_no_copies() -> None:
    frame = pl.concat([TABLE, TABLE[:100]]).with_columns(row=pl.col("x"))
    data = loaded(frame, group="house", train_dev=0.2, keep=["house"])
    names = [i for i, n in enumerate(data.table_encoder.feature_names) if n.startswith("house")]
    seen = [{row.tobytes() for row in rows.x[:, names]} for rows in (data.train, data.train_dev)]
    # Houses that train does not know share the column of the others, so they are in one part only.
    assert len(seen[0] & seen[1]) <= 1
    copies = loaded(pl.concat([TABLE, TABLE]), train_dev=0.2)
    train = {row.tobytes() for row in copies.train.x}
    assert not train & {row.tobytes() for row in copies.train_dev.x}
