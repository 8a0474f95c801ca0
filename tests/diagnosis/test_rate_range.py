"""The range test's reading: lowest, steepest, edge; spikes and NaN move none of them."""

from __future__ import annotations

import numpy as np
import pytest

from deepwell.diagnosis._rate_range import read_range

RATES = np.geomspace(1e-5, 10, 25)
LOGS = np.log10(RATES)
START, BEST, EDGE = 2.3, 10**-2.5, 1.0


def costs(runs: int = 4, noise: float = 0.01, seed: int = 0) -> np.ndarray:
    """Return a valley with its bottom at `BEST`; from 1 on everything diverges."""
    valley = START - 2.0 * np.exp(-((LOGS - np.log10(BEST)) ** 2) / 1.5)
    each = valley + noise * np.random.default_rng(seed).normal(size=(runs, len(RATES)))
    return np.where(RATES >= 0.999, np.inf, each)


@pytest.mark.proves("G7", "formula")
def test_the_bottom_of_the_valley_is_recommended() -> None:
    found = read_range(RATES, costs(), START)
    assert found.recommended is not None
    assert found.recommended.value == pytest.approx(BEST, rel=0.25)
    assert found.recommended.low <= BEST <= found.recommended.high
    assert found.low < BEST < found.high
    assert found.edge == pytest.approx(EDGE)
    assert found.steepest is not None
    assert found.steepest < BEST
    slope = np.gradient(costs(noise=0.0)[0][LOGS < 0])
    assert found.steepest == pytest.approx(RATES[np.argmin(slope)], rel=1.0)
    assert found.refusal == found.note == ""
    assert np.isinf(found.costs[-1])


def test_a_parabola_s_bottom_is_exact() -> None:
    bottom = -2.4
    exact = np.tile(1.0 + 0.05 * (LOGS - bottom) ** 2, (3, 1))
    found = read_range(RATES, exact, 3.0)
    assert found.recommended is not None
    # The running median of three flattens the lowest point only.
    assert np.log10(found.recommended.value) == pytest.approx(bottom, abs=0.13)


@pytest.mark.parametrize("odd", [0.01, 50.0, np.nan, np.inf], ids=["dip", "spike", "nan", "inf"])
@pytest.mark.parametrize("place", [3, 9, 14])
def test_one_odd_rate_moves_nothing(odd: float, place: int) -> None:
    clean = read_range(RATES, costs(), START)
    spoiled = costs()
    spoiled[:, place] = odd
    found = read_range(RATES, spoiled, START)
    assert found.edge == clean.edge
    assert found.recommended is not None
    assert clean.recommended is not None
    moved = abs(np.log10(found.recommended.value / clean.recommended.value))
    assert moved <= 0.3


def test_each_run_is_compared_with_its_own_start() -> None:
    """Three of four runs begin above the mean of all, and stay there at the lowest rates."""
    off = np.array([0.1, 0.1, 0.1, -0.3])
    shifted = np.where(RATES < 1e-4, START, costs(noise=0.0)) + off[:, None]
    assert read_range(RATES, shifted, START + off).edge == pytest.approx(EDGE)


def test_one_run_that_diverges_is_no_edge() -> None:
    one = costs()
    one[0, 8] = np.nan
    assert read_range(RATES, one, START).edge == read_range(RATES, costs(), START).edge


def test_a_cost_above_the_start_is_divergence() -> None:
    high = np.where(np.isinf(costs()), 5.0, costs())
    assert read_range(RATES, high, START).edge == pytest.approx(EDGE)


def test_where_nothing_learns_nothing_is_recommended() -> None:
    flat = np.full((4, len(RATES)), START) + 0.001
    found = read_range(RATES, flat, START)
    assert found.recommended is None
    assert found.refusal == "no rate learned in so short a time"
    everything = read_range(RATES, np.full((2, len(RATES)), np.nan), START)
    assert everything.recommended is None
    assert everything.edge == RATES[0]


@pytest.mark.parametrize(("slope", "where"), [(-1, "above 10"), (1, "below 1e-05")])
def test_a_lowest_cost_at_an_end_is_told(slope: int, where: str) -> None:
    tilted = np.tile(1.0 + 0.1 * slope * LOGS, (3, 1))
    assert where in read_range(RATES, tilted, 3.0).note


def test_more_noise_is_a_wider_interval() -> None:
    widths = []
    for noise in (0.005, 0.4):
        r = read_range(RATES, costs(noise=noise), START).recommended
        assert r is not None
        widths.append(np.log(r.high / r.low))
    assert widths[1] > widths[0]
    assert widths[0] >= np.log(RATES[1] / RATES[0]) - 1e-9  # never narrower than the grid


def test_shapes_that_do_not_belong_together() -> None:
    with pytest.raises(ValueError, match="5 rates or more"):
        read_range(RATES[:4], costs()[:, :4], START)
    with pytest.raises(ValueError, match="at 25"):
        read_range(RATES, costs()[:, :7], START)
