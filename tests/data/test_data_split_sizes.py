import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import UsageError
from deepwell.data._split_sizes import Sizes, held_rows, split_sizes


@pytest.mark.proves("D1", "formula")
@pytest.mark.parametrize(
    ("rows", "train", "held"),
    [
        (10, 6, 2),
        (10_000, 6_000, 2_000),
        (50_000, 30_000, 10_000),
        (1_000_000, 980_000, 10_000),
        (4_000_000, 3_980_000, 10_000),
        (8_000_000, 7_960_000, 20_000),
        (7_043, 4_225, 1_409),
        (1_797, 1_079, 359),
    ],
)
def test_the_rule(rows: int, train: int, held: int) -> None:
    assert split_sizes(rows) == Sizes(train, held, held)


@pytest.mark.proves("D1", "formula")
@given(st.integers(10, 50_000_000))
def test_the_rule_as_a_formula(rows: int) -> None:
    sizes = split_sizes(rows)
    assert sizes.train + sizes.dev + sizes.test == rows
    assert abs(sizes.dev - max(min(0.2 * rows, 10_000), 0.0025 * rows)) <= 0.5
    assert sizes.dev == sizes.test == held_rows(rows)


def test_explicit_sizes_win() -> None:
    assert split_sizes(1_000, test=0) == Sizes(700, 300, 0)
    assert split_sizes(1_000, dev=50) == Sizes(750, 50, 200)
    assert split_sizes(1_000, dev=0.1, test=0.25) == Sizes(650, 100, 250)
    assert split_sizes(1_000, dev=0.1, test=0) == Sizes(900, 100, 0)
    assert split_sizes(1_000, dev=1.0, test=2) == Sizes(997, 1, 2)
    assert split_sizes(10, dev=0.001, test=0).dev == 1


@pytest.mark.parametrize("size", [-1, 1.5, float("nan"), float("inf")])
def test_impossible_sizes_are_named(size: float) -> None:
    with pytest.raises(UsageError, match="`dev` must be a number of rows, a share"):
        split_sizes(100, dev=size)


@pytest.mark.parametrize(("dev", "test"), [(60, 40), (0.5, 0.5), (1000, None)])
def test_train_must_keep_rows(dev: float, test: float | None) -> None:
    with pytest.raises(UsageError, match="none of 100 rows to train on"):
        split_sizes(100, dev, test)
