import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell.data._split import DEV, TEST, TRAIN, SplitInput
from deepwell.data._split_sizes import Sizes, split_sizes
from deepwell.data._stratified_split import random_split, stratified_split


def given_rows(
    strata: np.ndarray, sizes: Sizes | None = None, seed: int = 0, units: np.ndarray | None = None
) -> SplitInput:
    rows = len(strata)
    return SplitInput(
        sizes=sizes or split_sizes(rows),
        seed=seed,
        units=np.arange(rows) if units is None else units,
        strata=np.asarray(strata),
    )


def shape(parts: np.ndarray) -> list[int]:
    return np.bincount(parts, minlength=3).tolist()


class_counts = st.lists(st.integers(1, 60), min_size=2, max_size=12).filter(lambda c: sum(c) >= 10)


@pytest.mark.proves("D2", "formula")
@given(class_counts, st.integers(0, 2**63))
def test_sizes_are_exact_and_every_class_has_its_share(counts: list[int], seed: int) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    given_ = given_rows(strata, seed=seed)
    parts = stratified_split(given_).parts
    sizes = given_.sizes
    rare = sum(count < 3 for count in counts)
    if rare == 0:
        assert shape(parts) == [sizes.train, sizes.dev, sizes.test]
    for stratum, count in enumerate(counts):
        got = np.bincount(parts[strata == stratum], minlength=3)
        assert got[TRAIN] >= 1
        if count >= 3 and len(counts) <= sizes.dev:
            assert got.min() >= 1
        if count >= 5 and rare == 0:
            share = count / len(strata)
            for part, size in ((DEV, sizes.dev), (TEST, sizes.test)):
                assert abs(got[part] - share * size) <= len(counts)


@given(st.integers(2, 6), st.integers(20, 400), st.integers(0, 99))
def test_shares_are_within_one_row(classes: int, rows: int, seed: int) -> None:
    strata = np.random.default_rng(seed).integers(0, classes, rows)
    counts = np.bincount(strata, minlength=classes)
    given_ = given_rows(strata, seed=seed)
    parts = stratified_split(given_).parts
    for stratum in np.flatnonzero(counts >= 15):
        got = (parts[strata == stratum] == TEST).sum()
        assert abs(got - given_.sizes.test * counts[stratum] / rows) <= 1 + (counts < 15).sum()


@given(st.integers(10, 300), st.integers(0, 99), st.integers(1, 30))
def test_copies_stay_together(rows: int, seed: int, different: int) -> None:
    random = np.random.default_rng(seed)
    units = random.integers(0, max(different, rows // 2), rows)
    strata = units % 2
    for split in (stratified_split, random_split):
        parts = split(given_rows(strata, seed=seed, units=units)).parts
        assert set(np.unique(parts)) <= {TRAIN, DEV, TEST}
        for unit in np.unique(units):
            assert len(set(parts[units == unit].tolist())) == 1


def test_a_few_copies_leave_sizes_exact() -> None:
    units = np.arange(1000)
    units[:30] = np.repeat(np.arange(10), 3)
    parts = stratified_split(given_rows(units % 2, units=units)).parts
    assert shape(parts) == [600, 200, 200]


def test_few_different_rows_still_fill_every_part() -> None:
    units = np.repeat(np.arange(4), 50)
    parts = stratified_split(given_rows(units % 2, units=units)).parts
    assert min(shape(parts)) > 0


def test_the_same_seed_gives_the_same_split_and_another_does_not() -> None:
    strata = np.arange(300) % 3
    first = stratified_split(given_rows(strata, seed=5)).parts
    np.testing.assert_array_equal(stratified_split(given_rows(strata, seed=5)).parts, first)
    assert (stratified_split(given_rows(strata, seed=6)).parts != first).any()


def test_nothing_but_the_seed_is_random() -> None:
    np.random.seed(1)  # noqa: NPY002
    state = np.random.get_state()[1].tolist()  # noqa: NPY002
    first = random_split(given_rows(np.zeros(100, int))).parts
    assert np.random.get_state()[1].tolist() == state  # noqa: NPY002
    np.testing.assert_array_equal(random_split(given_rows(np.zeros(100, int))).parts, first)


def test_each_row_is_tested_equally_often() -> None:
    # Error rate of the whole test below 1e-6: 100 binomials of 600 draws at 0.2, 6.5 deviations.
    tested = np.zeros(100)
    for seed in range(600):
        tested += random_split(given_rows(np.zeros(100, int), seed=seed)).parts == TEST
    assert tested.sum() == 600 * 20
    assert np.abs(tested - 120).max() < 6.5 * np.sqrt(600 * 0.2 * 0.8)


@pytest.mark.parametrize("sizes", [Sizes(80, 20, 0), Sizes(80, 0, 20), Sizes(1, 50, 49)])
def test_unusual_sizes(sizes: Sizes) -> None:
    parts = random_split(given_rows(np.zeros(100, int), sizes)).parts
    assert shape(parts) == [sizes.train, sizes.dev, sizes.test]


def test_rare_classes_stay_in_train() -> None:
    strata = np.array([0] * 50 + [1] * 49 + [2])
    parts = stratified_split(given_rows(strata)).parts
    assert parts[-1] == TRAIN
    assert shape(parts) == [60, 20, 20]


def test_more_classes_than_places() -> None:
    strata = np.repeat(np.arange(500), 3)
    parts = stratified_split(given_rows(strata)).parts
    assert shape(parts) == [900, 300, 300]
    for stratum in range(500):
        assert (parts[strata == stratum] == TRAIN).any()


def test_a_class_without_rows_is_no_problem() -> None:
    strata = np.array([0, 2] * 20)
    assert shape(stratified_split(given_rows(strata)).parts) == [24, 8, 8]
