"""Floors from rows with the same inputs: never above the truth, and worth something."""

import math

import numpy as np
import pytest

from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._repeated_rows import diagnose_repeated_rows, floor_of, repeated_rows


def labels(rng, inputs: int, each: int, shares):
    """Return rows of so many inputs, whose best answer has the given share of their labels."""
    group = np.repeat(np.arange(inputs), each)
    best = rng.integers(0, len(shares), inputs)
    moved = rng.choice(len(shares), size=len(group), p=shares)
    return group[:, None].astype(np.float32), (best[group] + moved) % len(shares)


def entropy(shares) -> float:
    return -sum(p * math.log(p) for p in shares if p > 0)


@pytest.mark.parametrize("each", [2, 3, 40])
@pytest.mark.parametrize("shares", [(0.9, 0.1), (0.7, 0.3), (0.8, 0.1, 0.1), (0.6, 0.4, 0.0, 0.0)])
def test_a_floor_holds_and_is_near_for_two_answers(shares, each) -> None:
    rng = np.random.default_rng(0)
    for name, truth in (("error", 1 - max(shares)), ("log_loss", entropy(shares))):
        found = [
            repeated_rows(METRICS[name], *labels(rng, 400, each, shares), len(shares)).floor
            for _ in range(10)
        ]
        values = np.array([floor.value for floor in found])
        assert sum(floor.low > truth for floor in found) <= 2  # 3 of 10 come in 2 of 1,000
        assert values.mean() <= 1.04 * truth
        if len(shares) == 2 and name == "error":
            assert values.mean() == pytest.approx(truth, rel=0.1)


@pytest.mark.parametrize(("name", "truth"), [("rmse", 0.5), ("mae", 0.5 / math.sqrt(math.pi))])
def test_noise_of_numbers(name, truth) -> None:
    """Two draws of a Gaussian are 2 sigma / sqrt(pi) apart on average; half of it is the floor."""
    rng = np.random.default_rng(1)
    group = np.repeat(np.arange(300), 3)
    held = 0
    for _ in range(40):
        y = group / 50 + 0.5 * rng.normal(size=len(group))
        floor = repeated_rows(METRICS[name], group[:, None], y).floor
        assert floor.value == pytest.approx(truth, rel=0.15)
        held += floor.low <= truth <= floor.high
    assert held >= 34  # of 40; 38 are meant, and fewer than 34 come in 1 of 70 at a true 93 %


def test_rows_that_occur_once_count_as_predictable() -> None:
    rng = np.random.default_rng(2)
    x, y = labels(rng, 1_000, 2, (0.8, 0.2))
    alone = np.arange(10_000, 18_000, dtype=np.float32)[:, None]
    whole = repeated_rows(METRICS["error"], x, y, 2).floor
    part = repeated_rows(
        METRICS["error"], np.concatenate([x, alone]), np.concatenate([y, np.zeros(8_000, int)]), 2
    ).floor
    assert part.value == pytest.approx(whole.value / 5)


def test_the_floor_of_r2_is_over_the_variance_of_all_rows() -> None:
    """Half of the rows repeat, near 0 with noise of variance 1; the others lie far apart."""
    rng = np.random.default_rng(7)
    group = np.repeat(np.arange(300), 2)
    y = np.concatenate([rng.normal(size=600), 10 * rng.normal(size=600)])
    x = np.concatenate([group, np.arange(1_000, 1_600)])[:, None]
    floor = repeated_rows(METRICS["r2"], x, y).floor
    within = y[:600].reshape(300, 2).var(axis=1, ddof=1).mean()
    assert floor.value == pytest.approx(0.5 * within / y.var())
    assert floor.low < 0.5 / 50.5 < floor.high


def test_copies_with_their_label_make_no_floor() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(500, 6)).astype(np.float32)
    y = rng.integers(0, 2, 500)
    found = repeated_rows(METRICS["error"], np.repeat(x, 2, axis=0), np.repeat(y, 2), 2)
    assert found.differing == 0
    assert floor_of(found) is None
    [told] = diagnose_repeated_rows("error", found)
    assert (told.code, told.level) == ("DW117", "ok")


def test_few_repeats_are_not_spoken_of_as_a_bound() -> None:
    rng = np.random.default_rng(4)
    x, y = labels(rng, 12, 2, (0.5, 0.5))
    found = repeated_rows(METRICS["error"], x, y, 2)
    assert found.floor is None
    assert [f.code for f in diagnose_repeated_rows("error", found)] == ["DW118"]
    none = repeated_rows(METRICS["error"], np.arange(50)[:, None], np.zeros(50, int), 2)
    assert (none.repeated, diagnose_repeated_rows("error", none)) == (0, [])


def test_rows_are_grouped_by_all_their_inputs() -> None:
    rng = np.random.default_rng(5)
    x = rng.integers(0, 3, (3_000, 4)).astype(np.float32)
    y = np.zeros(3_000, dtype=int)
    found = repeated_rows(METRICS["error"], np.where(x == 0, -0.0, x), y, 2)
    inputs, count = np.unique(x, axis=0, return_counts=True)
    assert found.groups == (count > 1).sum()
    assert found.repeated == count[count > 1].sum()
    assert len(inputs) >= found.groups


def test_metrics_without_a_bound_say_nothing() -> None:
    rng = np.random.default_rng(6)
    found = repeated_rows(METRICS["auc"], *labels(rng, 200, 2, (0.7, 0.3)), 2)
    assert found.floor is None
    assert diagnose_repeated_rows("auc", found) == []
