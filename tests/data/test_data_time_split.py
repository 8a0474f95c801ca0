import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data._split import DEV, TEST, TRAIN, SplitInput
from deepwell.data._split_sizes import Sizes, split_sizes
from deepwell.data._time_split import time_split


def given_rows(
    times: np.ndarray, sizes: Sizes | None = None, units: np.ndarray | None = None
) -> SplitInput:
    rows = len(times)
    return SplitInput(
        sizes=sizes or split_sizes(rows),
        seed=0,
        units=np.arange(rows) if units is None else units,
        strata=np.zeros(rows, int),
        times=np.asarray(times, float),
    )


@pytest.mark.proves("D2", "formula")
@given(st.lists(st.integers(0, 30), min_size=10, max_size=200).filter(lambda t: len(set(t)) >= 3))
def test_parts_follow_each_other_and_ties_stay_together(times: list[int]) -> None:
    found = np.array(times)
    parts = time_split(given_rows(found)).parts
    assert set(parts.tolist()) == {TRAIN, DEV, TEST}
    assert found[parts == TRAIN].max() < found[parts == DEV].min()
    assert found[parts == DEV].max() < found[parts == TEST].min()


def test_sizes_are_exact_without_ties() -> None:
    times = np.random.default_rng(0).permutation(1000)
    parts = time_split(given_rows(times)).parts
    assert np.bincount(parts).tolist() == [600, 200, 200]
    assert times[parts == TEST].min() == 800


def test_ties_move_the_cut_to_the_nearest_place() -> None:
    times = np.repeat([1, 2, 3, 4], [52, 10, 18, 20])
    assert np.bincount(time_split(given_rows(times)).parts).tolist() == [62, 18, 20]


@pytest.mark.parametrize("sizes", [Sizes(70, 30, 0), Sizes(80, 0, 20)])
def test_without_test_or_dev(sizes: Sizes) -> None:
    parts = time_split(given_rows(np.arange(100), sizes)).parts
    assert np.bincount(parts, minlength=3).tolist() == [sizes.train, sizes.dev, sizes.test]


def test_copies_across_the_cut_are_told() -> None:
    units = np.arange(100)
    units[99] = 0
    outcome = time_split(given_rows(np.arange(100), units=units))
    assert outcome.notes[0].startswith("2 rows with equal content at times in different parts")
    assert time_split(given_rows(np.arange(100))).notes == ()


def test_too_few_times() -> None:
    with pytest.raises(UsageError, match="needs at least 3 different times, got 2"):
        time_split(given_rows(np.arange(100) % 2))
    with pytest.raises(UsageError, match="--time COLUMN"):
        time_split(SplitInput(Sizes(6, 2, 2), 0, np.arange(10), np.zeros(10, int)))
