"""Words of neighbours are as good as independent, and the tests that say so can fail.

Seeds are fixed, so a test either always passes or never does. Every p-value must exceed 1e-6, and
there are about 260 of them: were the words truly random, one choice of seeds in some 4,000 would
fail one of them. At the end the same tests meet hashes with a part removed, and must refuse each.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator

import hash_streams
import numpy as np
import pytest
from hash_streams import STREAMS
from scipy import stats

from deepwell._base import _hash
from deepwell._base._hash import Key, Purpose

ERROR = 1e-6
N = 1 << 19

# Coordinate -> bits of it that are flipped.
COORDINATES = {"seed": 64, "purpose": 32, "step": 32, "layer": 32, "row": 32, "unit": 32}


def stream(name: str, start: int = 1) -> np.ndarray:
    """Return the first N words of a stream."""
    drawn: list[np.ndarray] = []
    while sum(len(block) for block in drawn) < N:
        drawn.append(np.ascontiguousarray(STREAMS[name](start, len(drawn))).ravel())
    return np.concatenate(drawn)[:N]


def _chi_square(cells: np.ndarray, among: int) -> float:
    return float(stats.chisquare(np.bincount(cells, minlength=among)).pvalue)


def _signs(x: np.ndarray) -> np.ndarray:
    """Return the bits as -1 and 1, (N, 32) float32."""
    bits = np.unpackbits(x.astype("<u4").view(np.uint8).reshape(-1, 4), axis=1, bitorder="little")
    return bits.astype(np.float32) * 2 - 1


def _largest(z: np.ndarray) -> float:
    """Return the p-value of the largest of many standard normal numbers."""
    return float(2 * stats.norm.sf(np.abs(z).max()) * z.size)


def p_values(x: np.ndarray) -> Iterator[tuple[str, float]]:
    """Yield what each test says of words that stand side by side, cheapest first."""
    equal = len(x) - len(np.unique(x))
    expected = len(x) * (len(x) - 1) / 2 / 2**32
    yield "fewer equal words", float(stats.poisson.cdf(equal, expected))
    yield "more equal words", float(stats.poisson.sf(equal - 1, expected))
    for byte in range(4):
        part = (x >> np.uint32(8 * byte)) & np.uint32(255)
        yield f"byte {byte}", _chi_square(part, 256)
        yield f"byte {byte} of neighbors", _chi_square(part[:-1] * 256 + part[1:], 1 << 16)
    number = x * 2.0**-32
    yield "uniform", float(stats.kstest(number, "uniform").pvalue)
    step = (x[1:] - x[:-1]) * 2.0**-32  # modulo 1
    yield "uniform differences", float(stats.kstest(step[::2], "uniform").pvalue)
    centered = (number - 0.5) * np.sqrt(12)
    lags = [centered[:-k] @ centered[k:] / np.sqrt(len(x) - k) for k in range(1, 65)]
    yield "serial correlation", _largest(np.array(lags))
    signs = _signs(x)
    yield "bits", _largest(signs.sum(axis=0) / np.sqrt(len(x)))
    yield "bits of neighbors", _largest(signs[:-1].T @ signs[1:] / np.sqrt(len(x) - 1))
    apart = ((_signs(x[1::2] ^ x[::2]).sum(axis=1) + 32) / 2).astype(int)
    chance = stats.binom.pmf(np.arange(33), 32, 0.5) * len(apart)
    counts = np.bincount(apart, minlength=33)
    rare = chance < 10  # cells too small for chi-square count as one
    grouped = [np.append(c[~rare], c[rare].sum()) for c in (counts, chance)]
    yield "bits in which neighbors differ", float(stats.chisquare(*grouped).pvalue)


@pytest.mark.parametrize("name", STREAMS)
def test_words_side_by_side_are_independent(name: str) -> None:
    said = dict(p_values(stream(name)))
    assert len(said) == 16
    assert min(said.values()) > ERROR, said


def _contexts(count: int) -> dict[str, np.ndarray]:
    """Return random coordinates, none of which comes from the hash itself."""
    rng = np.random.default_rng(20)
    drawn = {name: rng.integers(0, 2**32, count, np.uint64) for name in COORDINATES}
    drawn["seed"] |= rng.integers(0, 2**32, count, np.uint64) << np.uint64(32)
    return drawn


def _word(at: dict[str, np.ndarray]) -> np.ndarray:
    folded = _hash.key(at["seed"])  # type: ignore[arg-type]
    for name in ("purpose", "step", "layer", "row"):
        folded = _hash.fold(folded, at[name].astype(np.uint32))
    return _hash.word(folded, at["unit"].astype(np.uint32))


def flips(name: str, count: int = 1 << 13) -> tuple[np.ndarray, np.ndarray]:
    """Return how far flipping each bit of a coordinate is from flipping fair coins.

    Returns:
        (bits, 32) standard deviations of how often each bit of the word flips, and (bits,) of the
        correlation of the words before and after.
    """
    at = _contexts(count)
    before = _word(at)
    cells, correlations = [], []
    for bit in range(COORDINATES[name]):
        after = _word({**at, name: at[name] ^ np.uint64(1 << bit)})
        cells.append(_signs(before ^ after).sum(axis=0) / np.sqrt(count))
        pair = np.corrcoef(before * 2.0**-32, after * 2.0**-32)[0, 1]
        correlations.append(pair * np.sqrt(count))
    return np.array(cells), np.array(correlations)


@pytest.mark.parametrize("name", COORDINATES)
def test_a_flipped_bit_of_a_coordinate_flips_every_bit_of_the_word_half_of_the_time(
    name: str,
) -> None:
    """The largest of 1,024 cells (2,048 for seeds): right words fail once in a million."""
    cells, correlations = flips(name)
    assert cells.shape == (COORDINATES[name], 32)
    assert _largest(cells) > ERROR
    assert _largest(correlations) > ERROR


@pytest.mark.parametrize("share", [0.01, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("by", ["unit", "row", "layer", "step", "member"])
def test_masks_drop_their_share_everywhere(by: str, share: float) -> None:
    """Counts of dropped units in (member, step, layer, row, unit), each binomial along one axis."""
    members = _hash.fold(_hash.key(np.arange(4, dtype=np.uint64)), Purpose.DROPOUT)  # type: ignore[arg-type]
    keys = members
    for numbers in (np.arange(1, 33), np.arange(3)):
        keys = _hash.fold(Key(keys.first[..., None], keys.second[..., None]), numbers)
    dropped = _hash.words(keys, (64, 50)) < np.uint32(round(share * 2**32))
    axis = ["member", "step", "layer", "row", "unit"].index(by)
    others = tuple(n for n in range(5) if n != axis)
    counts, each = dropped.sum(axis=others), dropped.size / dropped.shape[axis]
    z = (counts - each * share) / np.sqrt(each * share * (1 - share))
    assert stats.chi2.sf((z**2).sum(), len(z)) > ERROR
    assert stats.chi2.cdf((z**2).sum(), len(z)) > ERROR
    assert _largest(z) > ERROR


def _one_round(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x, np.uint32)
    with np.errstate(over="ignore"):
        return (x ^ (x >> np.uint32(16))) * np.uint32(_hash.MIX_FIRST)


def _start(row: Key, place: object) -> np.ndarray:
    return row.first + np.asarray(place, np.uint32) * np.uint32(_hash.GOLDEN)


def _no_second_round(row: Key, place: object) -> np.ndarray:
    with np.errstate(over="ignore"):
        x = _one_round(_start(row, place))
        return (x ^ (x >> np.uint32(15))) + row.second


def _no_first_round(row: Key, place: object) -> np.ndarray:
    with np.errstate(over="ignore"):
        x = (_start(row, place) + row.second) * np.uint32(_hash.MIX_SECOND)
        return x ^ (x >> np.uint32(16))


def _no_last_shift(row: Key, place: object) -> np.ndarray:
    with np.errstate(over="ignore"):
        x = _one_round(_start(row, place))
        return ((x ^ (x >> np.uint32(15))) + row.second) * np.uint32(_hash.MIX_SECOND)


def _added(parent: Key, word: object) -> Key:
    w = np.asarray(word, np.uint32)
    with np.errstate(over="ignore"):
        first = parent.first + w * np.uint32(_hash.GOLDEN)
        return Key(first, parent.second + w * np.uint32(_hash.FOLD_FACTOR))


def _half_a_word(parent: Key, word: object) -> Key:
    return SOUND_FOLD(parent, np.asarray(word, np.uint32) >> np.uint32(1))


SOUND_FOLD = _hash.fold

# What is left out of the hash -> the function of it that is replaced.
WEAKENED: dict[str, tuple[str, Callable[..., object]]] = {
    "the second round of word": ("word", _no_second_round),
    "the first round of word": ("word", _no_first_round),
    "the last shift of word": ("word", _no_last_shift),
    "all mixing of fold": ("fold", _added),
    "the lowest bit of what is folded": ("fold", _half_a_word),
}


@pytest.mark.parametrize("left_out", WEAKENED)
def test_these_tests_refuse_a_weakened_hash(left_out: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By far: a p-value is below 1e-12, where 1e-6 would do."""
    function, weak = WEAKENED[left_out]
    for module in (_hash, hash_streams):
        if hasattr(module, function):
            monkeypatch.setattr(module, function, weak)
    by_flips = (_largest(flips(name, 1 << 10)[0]) for name in COORDINATES)
    by_streams = (p for name in STREAMS for _, p in p_values(stream(name)))
    assert any(p < 1e-12 for p in itertools.chain(by_flips, by_streams))
