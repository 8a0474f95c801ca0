"""Effects of arms: their variances by formula, intervals that hold for all arms at once."""

import numpy as np
import pytest

from deepwell.diagnosis._arm_effects import ArmEffect, arm_effects
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._racing import going_on
from deepwell.diagnosis._winner import crossfitted_gain, largest_gain, winner

ERROR, RMSE = METRICS["error"], METRICS["rmse"]


def sums(wrong: np.ndarray) -> np.ndarray:
    """The error rate's sums of rows that are wrong or not."""
    return np.stack([wrong, np.ones_like(wrong)], axis=-1).astype(float)


def crossed(generator, arms: int, rows: int, replicates: int, better: float = 0.0):
    """An unchanged network and arms of the same error but the last, on two halves of rows."""
    half = rows // 2
    hard = [generator.normal(-2, 1.5, half) for _ in range(2)]
    own = [generator.normal(0, 0.4, (1 + arms, half)) for _ in range(2)]
    made = [{} for _ in range(1 + arms)]
    for r in range(replicates):
        seeds = generator.normal(0, 0.1, (1 + arms, 1)) + generator.normal(0, 0.7, (1 + arms, half))
        latent = hard[r % 2] + own[r % 2] + seeds
        latent[-1] -= better
        for arm, one in zip(made, latent > 0, strict=True):
            arm[r] = sums(one)
    return made[0], made[1:], {r: r % 2 for r in range(replicates)}


@pytest.mark.proves("G4", "formula", "independent")
def test_the_variance_is_that_of_crossed_rows_and_seeds():
    generator = np.random.default_rng(0)
    x = generator.random((5, 40)) < 0.5
    y = generator.random((5, 40)) < 0.5
    base, arm = ({r: sums(z[r]) for r in range(5)} for z in (x, y))
    [found] = arm_effects(ERROR, base, [arm], dict.fromkeys(range(5), 0))
    d = y.astype(float) - x  # (seeds, rows)
    seeds, rows = d.shape
    mean = d.mean()
    by_seed, by_row = d.mean(axis=1) - mean, d.mean(axis=0) - mean
    rest = d - mean - by_seed[:, None] - by_row
    of_rows = (by_row**2).sum() / (rows * (rows - 1)) + 0.5 / (rows + 2) ** 2
    of_seeds = (by_seed**2).sum() / (seeds * (seeds - 1))
    both = (rest**2).sum() / (seeds * (seeds - 1) * rows * (rows - 1))
    variance = of_rows + max(0.0, of_seeds - both)
    assert found.effect.value == pytest.approx(mean)
    assert found.error**2 == pytest.approx(variance, rel=1e-9)
    freedom = variance**2 / (of_rows**2 / (rows - 1) + of_seeds**2 / (seeds - 1))
    assert found.freedom == pytest.approx(freedom, rel=1e-9)
    from scipy.stats import t

    half = (found.effect.high - found.effect.low) / 2
    assert half == pytest.approx(t.ppf(0.975, freedom) * found.error, rel=0.05)  # by draws


def test_blocks_count_by_their_rows():
    base = {
        0: sums(np.zeros(30)),
        1: sums(np.zeros(10)),
        2: sums(np.zeros(30)),
        3: sums(np.zeros(10)),
    }
    arm = {**base, 1: sums(np.ones(10)), 3: sums(np.ones(10))}
    [found] = arm_effects(ERROR, base, [arm], {0: 0, 1: 1, 2: 0, 3: 1})
    assert found.effect.value == pytest.approx(0.25)
    assert {b: e.value for b, e in found.blocks.items()} == {0: 0.0, 1: 1.0}


def test_an_arm_that_changes_nothing_is_never_better_than_the_unchanged_network():
    same = {r: sums(np.arange(50) % 7 == 0) for r in range(4)}
    [found] = arm_effects(ERROR, same, [same], {r: r % 2 for r in range(4)})
    assert found.effect.value == 0.0
    assert 0.01 < found.effect.high < 0.1  # 50 rows without a difference are no proof of none
    errors = {r: np.stack([np.full(50, 2.0), np.ones(50)], axis=-1) for r in range(4)}
    [found] = arm_effects(RMSE, errors, [errors], {r: r % 2 for r in range(4)})
    assert (found.effect.low, found.effect.high, found.p_best) == (0.0, 0.0, 0.0)


def test_a_single_replicate_of_a_block_tells_no_spread():
    base, arms, blocks = crossed(np.random.default_rng(1), 2, 60, 2)
    for found in arm_effects(ERROR, base, arms, blocks):
        assert found.effect.low == -np.inf
        assert found.effect.high == np.inf


def test_an_arm_that_was_given_up_borrows_its_spread_over_seeds_from_the_others():
    base, arms, blocks = crossed(np.random.default_rng(2), 6, 200, 8)
    arms[0] = {r: arms[0][r] for r in (0, 1)}
    short, *others = arm_effects(ERROR, base, arms, blocks)
    assert np.isfinite(short.error)
    assert short.error > np.median([one.error for one in others])


def test_a_large_gain_wins_and_is_measured_fairly():
    base, arms, blocks = crossed(np.random.default_rng(3), 8, 2000, 8, better=1.5)
    found = arm_effects(ERROR, base, arms, blocks)
    assert winner(found) == 7
    assert found[7].p_best > 0.99
    gain = crossfitted_gain(found)
    assert gain is not None
    assert gain.low > 0
    assert gain.value == pytest.approx(-found[7].effect.value)
    assert largest_gain(found) == -found[7].effect.low


def test_the_part_of_the_rows_is_told_apart_from_that_of_the_seeds():
    """Rows that differ alike in all replicates, or replicates that differ alike in all rows."""
    generator = np.random.default_rng(5)
    replicates, blocks = range(8), {r: r % 2 for r in range(8)}
    base = {r: np.stack([np.zeros(100), np.ones(100)], axis=-1) for r in replicates}

    def arm(by_row: float, by_seed: float) -> dict[int, np.ndarray]:
        rows = [by_row * generator.normal(size=100) for _ in range(2)]
        seeds = by_seed * generator.normal(size=8)
        squares = {r: 1 + rows[r % 2] + seeds[r] for r in replicates}
        return {r: np.stack([one, np.ones(100)], axis=-1) for r, one in squares.items()}

    mae = METRICS["mae"]
    [of_rows] = arm_effects(mae, base, [arm(0.5, 0.0)], blocks)
    [of_seeds] = arm_effects(mae, base, [arm(0.0, 0.5)], blocks)
    assert of_rows.by_rows > 0.99
    assert of_seeds.by_rows < 0.01
    [both] = arm_effects(mae, base, [arm(0.5, 0.14)], blocks)  # 0.25 / 200, 0.02 / 8
    assert 0.15 < both.by_rows < 0.6


def test_the_fair_gain_counts_blocks_by_their_rows_and_may_be_of_two_arms():
    def rows(wrong: int, count: int) -> np.ndarray:
        return sums(np.arange(count) < wrong)

    blocks = {0: 0, 1: 1, 2: 0, 3: 1}
    base = {r: rows(30, 60) if b == 0 else rows(20, 40) for r, b in blocks.items()}
    first = {r: rows(0, 60) if b == 0 else rows(16, 40) for r, b in blocks.items()}
    second = {r: rows(24, 60) if b == 0 else rows(0, 40) for r, b in blocks.items()}
    gain = crossfitted_gain(arm_effects(ERROR, base, [first, second], blocks))
    assert gain is not None
    # 4 of 40 rows by the arm that the first block chose, 6 of 60 by that of the second one
    assert gain.value == pytest.approx(0.4 * 0.1 + 0.6 * 0.1)
    uneven = {r: rows(6, 60) if b == 0 else rows(0, 40) for r, b in blocks.items()}
    gain = crossfitted_gain(arm_effects(ERROR, base, [uneven], blocks))
    assert gain is not None
    assert gain.value == pytest.approx(0.6 * 0.4 + 0.4 * 0.5)


def test_one_block_has_no_fair_gain():
    base, arms, _ = crossed(np.random.default_rng(4), 2, 100, 4)
    assert crossfitted_gain(arm_effects(ERROR, base, arms, dict.fromkeys(range(4), 0))) is None


def test_the_better_half_goes_on_without_those_clearly_worse():
    def one(value: float, error: float) -> ArmEffect:
        from deepwell.records import Estimate

        return ArmEffect(Estimate(value, value - 2 * error, value + 2 * error), error, 9.0, 0.0, {})

    effects = [one(v, 0.01) for v in (0.0, -0.01, 0.05, 0.3, 0.001, 0.002, 0.0, 0.01, 0.2, 0.02)]
    assert going_on(effects) == [0, 1, 4, 5, 6]
    assert going_on([one(0.3, 0.01), one(0.2, 0.01), one(0.0, 0.01)]) == [2]
    assert going_on([one(0.3, np.inf), one(0.2, np.inf)]) == [0, 1]


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "arms"), [(200, 20), (1000, 5)])
def test_all_intervals_hold_at_once_in_95_of_100_experiments(rows, arms):
    held = []
    for number in range(400):
        base, made, blocks = crossed(np.random.default_rng([rows, number]), arms, rows, 8)
        found = arm_effects(ERROR, base, made, blocks, seed=number)
        held.append(all(one.effect.low <= 0 <= one.effect.high for one in found))
    assert 0.92 <= np.mean(held) <= 1.0
