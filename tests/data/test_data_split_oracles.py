"""D2: splits beside scikit-learn's of the same sizes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.model_selection import GroupShuffleSplit, TimeSeriesSplit, train_test_split

from deepwell.data._group_split import group_split
from deepwell.data._split import DEV, TEST, TRAIN, SplitInput
from deepwell.data._split_sizes import Sizes
from deepwell.data._stratified_split import stratified_split
from deepwell.data._time_split import time_split

SIZES = Sizes(600, 250, 150)
STRATA = np.repeat([0, 1, 2, 3], [500, 300, 150, 50])


@pytest.mark.proves("D2", "independent")
def test_classes_have_the_counts_of_scikit_learns_stratified_split() -> None:
    order = np.random.default_rng(0).permutation(1_000)
    strata = STRATA[order]
    ours = stratified_split(SplitInput(SIZES, 3, np.arange(1_000), strata)).parts
    rest, test = train_test_split(strata, test_size=SIZES.test, stratify=strata, random_state=0)
    train, dev = train_test_split(rest, test_size=SIZES.dev, stratify=rest, random_state=0)
    for part, theirs in ((TRAIN, train), (DEV, dev), (TEST, test)):
        counts = np.bincount(strata[ours == part], minlength=4)
        assert np.abs(counts - np.bincount(theirs, minlength=4)).max() <= 1
        assert counts.sum() == len(theirs)


@pytest.mark.proves("D2", "independent")
def test_groups_are_kept_whole_as_scikit_learns_are() -> None:
    groups = np.random.default_rng(1).integers(0, 120, 1_000)
    given = SplitInput(SIZES, 3, np.arange(1_000), np.zeros(1_000, np.int64), groups=groups)
    parts = group_split(given).parts
    cut = [set(groups[parts == part]) for part in (TRAIN, DEV, TEST)]
    assert not cut[0] & cut[1]
    assert not cut[0] & cut[2]
    assert not cut[1] & cut[2]
    theirs = GroupShuffleSplit(1, test_size=SIZES.test / 1_000, random_state=0)
    _, test = next(theirs.split(groups, groups=groups))
    assert abs((parts == TEST).sum() - SIZES.test) <= abs(len(test) - SIZES.test) + 8


@pytest.mark.proves("D2", "independent")
def test_the_newest_rows_are_test_as_in_scikit_learns_time_series_split() -> None:
    times = np.random.default_rng(2).permutation(1_000).astype(float)
    zeros = np.zeros(1_000, np.int64)
    parts = time_split(SplitInput(SIZES, 3, np.arange(1_000), zeros, times=times)).parts
    by_time = np.argsort(times)
    *_, (_, newest) = TimeSeriesSplit(2, test_size=SIZES.test).split(by_time)
    assert set(np.flatnonzero(parts == TEST)) == set(by_time[newest])
