"""Statistical tests of the coordinate hash.

Seeds are fixed, so a test either always passes or never does. Each p-value must exceed 1e-6, and
there are about 60 of them: were the words truly random, one choice of seeds in some 16,000 would
fail one of them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from deepwell._base._hash import Key, Purpose, fold, key, mix, permutation, words

ERROR = 1e-6
N = 1 << 16


def _keys(children: list[Key]) -> Key:
    return Key(np.stack([k.first for k in children]), np.stack([k.second for k in children]))


def _one_fold(parent: Key) -> Callable[[np.ndarray], Key]:
    return lambda numbers: fold(parent, numbers.astype(np.uint32))


def _step_then_layer(steps: np.ndarray) -> Key:
    return fold(fold(fold(key(5), Purpose.DROPOUT), steps.astype(np.uint32)), 1)


# What neighbours may share all coordinates but one: n -> the key of the n-th neighbour.
NEIGHBOURS: dict[str, Callable[[np.ndarray], Key]] = {
    "member": lambda n: _keys([fold(key(int(s)), Purpose.WEIGHTS) for s in n]),
    "member of a study": lambda n: _keys([fold(key(int(s) << 32), Purpose.ORDER) for s in n]),
    "purpose": _one_fold(key(3)),
    "step": _step_then_layer,
    "layer": _one_fold(fold(fold(key(4), Purpose.DROPOUT), 17)),
    "high bit": lambda n: _one_fold(key(6))(n << 28),
}


def _chi_square(counts: np.ndarray) -> float:
    return float(stats.chisquare(counts.ravel()).pvalue)


def _bits(x: np.ndarray) -> np.ndarray:
    return (x[..., None] >> np.arange(32, dtype=np.uint32)) & 1


def _assert_avalanche(flipped: np.ndarray) -> None:
    """`flipped` (samples, bits in, bits out) are means of fair coins, all cells at once.

    Each cell lies within 5.7 standard deviations of 1/2: for 2,048 cells of a fair coin, one
    choice of seeds in 40,000 would fail.
    """
    samples = flipped.shape[0]
    deviations = np.abs(flipped.mean(axis=0) - 0.5) / (0.5 / np.sqrt(samples))
    assert deviations.max() < 5.7


def test_mix_has_avalanche() -> None:
    x = words(key(100), (1 << 12,))
    flips = np.uint32(1) << np.arange(32, dtype=np.uint32)
    _assert_avalanche(_bits(mix(x)[:, None] ^ mix(x[:, None] ^ flips)))


def test_every_bit_of_a_fold_reaches_every_bit_of_the_key() -> None:
    parents = _keys([key(n) for n in range(1 << 10)])
    w = words(key(101), (1 << 10,))
    flips = np.uint32(1) << np.arange(32, dtype=np.uint32)
    before = fold(parents, w)
    after = fold(Key(parents.first[:, None], parents.second[:, None]), w[:, None] ^ flips)
    _assert_avalanche(_bits(before.first[:, None] ^ after.first))
    _assert_avalanche(_bits(before.second[:, None] ^ after.second))


@pytest.mark.parametrize("half", [0, 1])
def test_every_bit_of_a_key_reaches_every_bit_of_its_children(half: int) -> None:
    parents = _keys([key(n) for n in range(1 << 10)])
    flips = np.uint32(1) << np.arange(32, dtype=np.uint32)
    first, second = parents.first[:, None], parents.second[:, None]
    changed = Key(first ^ flips, second) if half == 0 else Key(first, second ^ flips)
    before, after = fold(parents, 9), fold(changed, 9)
    _assert_avalanche(_bits(before.first[:, None] ^ after.first))
    _assert_avalanche(_bits(before.second[:, None] ^ after.second))


def test_every_bit_of_a_seed_reaches_every_bit_of_a_word() -> None:
    def word(seed: int) -> np.ndarray:
        return words(key(seed), (1,))[0]

    seeds = [int(n) * 0x9E3779B97F4A7C15 % 2**64 for n in range(128)]
    flipped = [[word(s) ^ word(s ^ (1 << bit)) for bit in range(64)] for s in seeds]
    _assert_avalanche(_bits(np.array(flipped, np.uint32)))


@pytest.mark.parametrize("name", NEIGHBOURS)
@pytest.mark.parametrize("shift", [24, 12, 0])
def test_words_are_uniform_in_high_middle_and_low_bits(name: str, shift: int) -> None:
    drawn = words(NEIGHBOURS[name](np.arange(16)), (N // 16,))  # (16, N / 16)
    for block in (drawn, drawn.T[: N // 256]):  # many words of few keys, few words of each
        counts = np.bincount(((block >> np.uint32(shift)) & np.uint32(255)).ravel(), minlength=256)
        assert _chi_square(counts) > ERROR


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_neighbouring_keys_are_uncorrelated(name: str) -> None:
    """The largest of 120 correlations, each normal with standard deviation 1 / sqrt(N)."""
    drawn = words(NEIGHBOURS[name](np.arange(16)), (N,)) * 2.0**-32
    r = np.corrcoef(drawn)[np.triu_indices(16, 1)]
    p = 2 * stats.norm.sf(np.abs(r).max() * np.sqrt(N))
    assert p * len(r) > ERROR


@pytest.mark.parametrize("name", NEIGHBOURS)
@pytest.mark.parametrize("shift", [26, 0])
def test_neighbouring_keys_are_independent(name: str, shift: int) -> None:
    """Pairs of words at the same place under adjacent keys fill 64 x 64 cells evenly."""
    drawn = (words(NEIGHBOURS[name](np.arange(8)), (N,)) >> np.uint32(shift)) & np.uint32(63)
    cells = drawn[:-1].astype(np.int64) * 64 + drawn[1:]
    assert _chi_square(np.bincount(cells.ravel(), minlength=4096)) > ERROR


@pytest.mark.parametrize(("across", "shift"), [(0, 26), (0, 0), (1, 26), (1, 0)])
def test_neighbouring_rows_and_columns_are_independent(across: int, shift: int) -> None:
    drawn = (words(key(11), (512, 512)) >> np.uint32(shift)) & np.uint32(63)
    a, b = (drawn[:-1], drawn[1:]) if across == 0 else (drawn[:, :-1], drawn[:, 1:])
    cells = a.astype(np.int64) * 64 + b
    assert _chi_square(np.bincount(cells.ravel(), minlength=4096)) > ERROR


def test_as_many_words_are_equal_as_chance_gives() -> None:
    """Birthdays: 2^20 words of 2^10 members and 2^10 steps, about 2^40 / 2^33 = 128 equal pairs."""
    members = fold(_keys([key(n) for n in range(1 << 10)]), Purpose.DROPOUT)
    steps = np.arange(1 << 10, dtype=np.uint32)
    keys = fold(Key(members.first[:, None], members.second[:, None]), steps)  # (members, steps)
    drawn = words(keys, (1,)).ravel()
    equal = len(drawn) - len(np.unique(drawn))
    assert stats.poisson.cdf(equal, 128) > ERROR
    assert stats.poisson.sf(equal - 1, 128) > ERROR
    pairs = (keys.first.astype(np.uint64) << np.uint64(32)) | keys.second
    assert len(np.unique(pairs)) == pairs.size  # a chance of 3e-8 to see an equal pair of keys


def test_permutations_of_four_rows_are_equally_likely() -> None:
    orders = [tuple(int(i) for i in permutation(fold(key(12), n), 4)) for n in range(1 << 13)]
    counts = [orders.count(order) for order in permutations(range(4))]
    assert sum(counts) == len(orders)
    assert _chi_square(np.array(counts)) > ERROR


def test_every_row_of_a_permutation_is_as_likely_everywhere() -> None:
    """Counts (row, position) of 10 rows; both sums are fixed, which leaves 81 degrees."""
    counts = np.zeros((10, 10))
    samples = 1 << 13
    for n in range(samples):
        counts[permutation(fold(key(13), n), 10), np.arange(10)] += 1
    statistic = ((counts - samples / 10) ** 2 / (samples / 10)).sum() * 9 / 10
    assert stats.chi2.sf(statistic, 81) > ERROR
