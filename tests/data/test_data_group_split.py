import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data._group_split import group_split
from deepwell.data._split import DEV, TEST, TRAIN, SplitInput
from deepwell.data._split_sizes import Sizes, split_sizes


def given_rows(
    groups: np.ndarray,
    strata: np.ndarray | None = None,
    units: np.ndarray | None = None,
    sizes: Sizes | None = None,
    seed: int = 0,
) -> SplitInput:
    rows = len(groups)
    return SplitInput(
        sizes=sizes or split_sizes(rows),
        seed=seed,
        units=np.arange(rows) if units is None else units,
        strata=np.zeros(rows, int) if strata is None else strata,
        groups=groups,
    )


@pytest.mark.proves("D2", "formula")
@given(st.integers(3, 60), st.integers(0, 999))
def test_no_group_is_cut_and_no_part_is_empty(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(count), random.integers(0, count, 200)]) * 7
    parts = group_split(given_rows(groups, seed=seed)).parts
    assert set(np.unique(parts)) == {TRAIN, DEV, TEST}
    for group in np.unique(groups):
        assert len(set(parts[groups == group].tolist())) == 1


def test_many_groups_come_near_the_sizes_and_shares() -> None:
    random = np.random.default_rng(0)
    groups = random.integers(0, 300, 3_000)
    strata = (random.random(3_000) < 0.2 + 0.2 * (groups % 2)).astype(int)
    parts = group_split(given_rows(groups, strata)).parts
    assert np.abs(np.bincount(parts) - [1800, 600, 600]).max() <= 15
    shares = [strata[parts == part].mean() for part in (TRAIN, DEV, TEST)]
    assert np.ptp(shares) < 0.05


def test_one_huge_group_goes_to_train() -> None:
    groups = np.array([0] * 80 + [1] * 10 + [2] * 10)
    parts = group_split(given_rows(groups)).parts
    assert (parts[:80] == TRAIN).all()
    assert set(parts.tolist()) == {TRAIN, DEV, TEST}


def test_groups_with_a_common_row_are_joined() -> None:
    groups = np.repeat(np.arange(40), 5)
    units = np.arange(200)
    units[5] = units[0]  # groups 0 and 1 share a row, 1 and 2 another
    units[10] = units[6]
    for seed in range(20):
        parts = group_split(given_rows(groups, units=units, seed=seed)).parts
        assert len(set(parts[:15].tolist())) == 1


def test_copies_everywhere_do_not_join_all_groups() -> None:
    groups = np.repeat(np.arange(40), 5)
    units = np.arange(200) % 5
    outcome = group_split(given_rows(groups, units=units))
    assert set(outcome.parts.tolist()) == {TRAIN, DEV, TEST}
    assert outcome.notes[0].startswith("200 rows with equal content in different groups")


def test_without_test_set() -> None:
    groups = np.repeat(np.arange(10), 10)
    parts = group_split(given_rows(groups, sizes=Sizes(70, 30, 0))).parts
    assert np.bincount(parts, minlength=3).tolist() == [70, 30, 0]
    two = np.repeat(np.arange(2), 50)
    assert set(group_split(given_rows(two, sizes=Sizes(70, 30, 0))).parts.tolist()) == {0, 1}


def test_too_few_groups() -> None:
    with pytest.raises(UsageError, match="needs at least 3 groups, got 2"):
        group_split(given_rows(np.repeat([0, 1], 20)))
    with pytest.raises(UsageError, match="--group COLUMN"):
        group_split(SplitInput(Sizes(6, 2, 2), 0, np.arange(10), np.zeros(10, int)))


def test_the_same_seed_gives_the_same_split() -> None:
    groups = np.random.default_rng(1).integers(0, 50, 500)
    first = group_split(given_rows(groups, seed=3)).parts
    np.testing.assert_array_equal(group_split(given_rows(groups, seed=3)).parts, first)
    assert (group_split(given_rows(groups, seed=4)).parts != first).any()
