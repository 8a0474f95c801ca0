"""Columns that name groups are found by their name and by how often values come again."""

import numpy as np
import polars as pl
import pytest

import deepwell as dw
from deepwell.data._folds import make_folds
from deepwell.data._group_columns import group_columns
from deepwell.data._split import DEV, TEST, TRAIN

PARTS = np.array([TRAIN, DEV, TEST, TRAIN] * 25, np.int8)


def names(**columns):
    frame = pl.DataFrame(columns)
    return [one.name for one in group_columns(frame, PARTS[: frame.height], ["target"])]


@pytest.mark.parametrize("name", ["patient", "patient_id", "User", "userId", "machine nr", "id"])
def test_names_of_groups(name):
    assert names(**{name: np.arange(100) // 5}) == [name]
    assert names(**{name: [f"p{k // 5}" for k in range(100)]}) == [name]


@pytest.mark.parametrize("name", ["usage", "grouping", "target", "paid", "patience", "age"])
def test_other_names(name):
    assert names(**{name: np.arange(100) // 5}) == []


def test_groups_come_again_and_are_many():
    assert names(user=np.arange(100)) == []  # one row each
    assert names(user=np.arange(100) // 20) == []  # five groups
    assert names(user=np.arange(100) / 5) == []  # numbers with a fraction


def test_codes_are_of_train_and_dev_rows_in_order_and_blanks_have_none():
    user = [None, *[k // 3 for k in range(99)]]
    (found,) = group_columns(pl.DataFrame({"user": user}), PARTS, [])
    rows = np.flatnonzero(PARTS != TEST)
    assert found.codes[0] == -1
    assert len(found.codes) == len(rows)
    expected = np.array(user, dtype=object)[rows]
    for one, other in ((1, 2), (4, 5), (10, 40)):
        assert (found.codes[one] == found.codes[other]) == (expected[one] == expected[other])
    np.testing.assert_array_equal(found.dev, PARTS[rows] == DEV)


def test_data_hold_them_and_the_groups_of_the_split():
    frame = pl.DataFrame(
        {"x": np.arange(100) % 7, "user": np.arange(100) // 4, "y": np.arange(100) % 5 + 0.5}
    )
    plain = dw.load(frame, target="y", vault=None)
    assert [one.name for one in plain.group_columns] == ["user"]
    assert plain.train.group is plain.dev.group is None
    assert [
        one.name for one in dw.load(frame, target="y", ignore=["user"], vault=None).group_columns
    ]
    split = dw.load(frame, target="y", group="user", vault=None)
    assert split.group_columns == ()
    assert split.facts.group == "user"
    assert len(split.train.group) == len(split.train)
    assert not set(split.train.group) & set(split.dev.group)


@pytest.mark.parametrize("folds", [False, True])
def test_rows_keep_their_group_through_folds_and_samples(folds):
    """Each input is the number of the group, so that every row's group is known."""
    frame = pl.DataFrame(
        {"x": np.arange(120) // 4, "user": np.arange(120) // 4, "y": np.arange(120) % 5 + 0.5}
    )
    data = dw.load(frame, target="y", group="user", vault=None, train_dev=None if folds else 0.2)
    parts = [data.train, data.dev, data.train_dev]
    if folds:
        made = make_folds(data, 3)
        parts = [*made.parts[0], *made.parts[2], made.whole.train]
    for rows in [*parts, parts[0].part(np.array([3, 0, 9]))]:
        pairs = np.unique(np.stack([rows.x[:, 0], rows.group]), axis=1)
        assert len(pairs.T) == len(np.unique(rows.x[:, 0])) == len(np.unique(rows.group))
