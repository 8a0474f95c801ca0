"""Statistics of each layer's activations over many rows, gathered block by block of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.networks._flat_parts import is_flat
from deepwell.networks._forward import ROWS_AT_ONCE
from deepwell.networks._signals import Signal, signals

MOST_NUMBERS = 2**16
"""Numbers over which inner quantiles are taken; of more, evenly spaced ones count."""

SATURATED = 0.95
"""Share of the rows for which a saturated unit is in a flat part of its activation."""

_NUMBERS_AT_ONCE = 4_000_000  # of a layer of one block of rows


@dataclass(frozen=True)
class ActivationStatistics:
    """Of each of L layers, all float32.

    Attributes:
        quantiles: (L, Q) of what it hands on.
        dead: (L,) share of units that have one and the same value on all rows.
        saturated: (L,) share of units in a flat part of their activation for `SATURATED` of the
            rows; NaN where there is none.
        zero: (L,) share of activations that are exactly 0; NaN for the outputs.
        flat: (L,) share of activations in a flat part, of all units and rows but those of dead
            units; NaN where there is none.
    """

    quantiles: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray
    zero: np.ndarray
    flat: np.ndarray


def quantiles(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    """Return quantiles of all numbers of an array, (Q,) float64; NaN where one number is NaN.

    Least and greatest are exact. The others are too up to `MOST_NUMBERS` numbers, between two of
    them by linear interpolation; of more, evenly spaced ones stand for all.

    >>> quantiles(np.arange(101.0), (0.0, 0.25, 0.5, 1.0))
    array([  0.,  25.,  50., 100.])

    Args:
        values: any shape, at least one number.
        levels: Q shares that rise from 0 to 1.
    """
    flat = values.ravel()
    some = flat if flat.size <= MOST_NUMBERS else flat[:: _odd(-(-flat.size // MOST_NUMBERS))]
    found = _of_sorted(np.sort(some), levels)
    if some is not flat:
        found[0], found[-1] = flat.min(), flat.max()
    return found


def activation_statistics(
    architecture: Architecture,
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    levels: Sequence[float],
) -> ActivationStatistics:
    """Return what every layer does with rows x (N, inputs) at prediction, N at least 1.

    Args:
        architecture: the network.
        parameters: its weights and statistics by their names in a state.
        x: encoded rows.
        levels: of the quantiles, rising from 0 to 1.
    """
    tallies: list[_Tally] = []
    at_once = _rows_at_once(architecture, len(x))
    for first in range(0, len(x), at_once):
        block = x[first : first + at_once]
        for layer, signal in enumerate(signals(architecture, parameters, block)):
            if layer == len(tallies):
                tallies.append(_Tally(_row_step(signal.out, len(x))))
            tallies[layer].add(architecture, signal)
    found = [tally.told(levels) for tally in tallies]
    shares = np.array([told[1:] for told in found])
    shares[-1, 1:] = np.nan  # the outputs have no activation
    as_stored = [_single(np.array([told[0] for told in found])), *_single(shares.T)]
    return ActivationStatistics(*as_stored)


@dataclass
class _Tally:
    """Sums up a layer; `step` says that each so-manieth row counts for the inner quantiles."""

    step: int
    rows: int = 0
    places: int = 0  # rows, times the places of an image
    numbers: list[np.ndarray] = field(default_factory=list)
    ends: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    of_units: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    flat: np.ndarray | None = None  # how often each unit was in a flat part
    zeros: int = 0

    def add(self, architecture: Architecture, signal: Signal) -> None:
        out, g = signal.out, signal.g.reshape(-1, signal.g.shape[-1])
        self.numbers.append(out[-self.rows % self.step :: self.step].ravel())
        self.ends.append((out.min(), out.max()))
        self.of_units.append((g.min(axis=0), g.max(axis=0)))
        self.zeros += g.size - int(np.count_nonzero(g))
        flat = is_flat(architecture, signal.z)
        if flat is not None:
            often = np.count_nonzero(flat.reshape(-1, flat.shape[-1]), axis=0)
            self.flat = often if self.flat is None else self.flat + often
        self.rows += len(out)
        self.places += len(g)

    def told(self, levels: Sequence[float]) -> tuple[np.ndarray, float, float, float, float]:
        """Return quantiles, and the shares of dead and saturated units, of zeros, and flat."""
        lowest, highest = (np.array(end) for end in zip(*self.ends, strict=True))
        found = _of_sorted(np.sort(np.concatenate(self.numbers)), levels)
        found[0], found[-1] = lowest.min(), highest.max()
        low, high = (np.array(end) for end in zip(*self.of_units, strict=True))
        low, high = low.min(axis=0), high.max(axis=0)
        if np.isnan(low).any():  # of what is no number nothing can be said
            return found, np.nan, np.nan, np.nan, np.nan
        saturated = flat = np.nan
        if self.flat is not None:
            saturated = float(np.mean(self.flat >= SATURATED * self.places))
            flat = float(np.mean(np.where(low == high, 0, self.flat)) / self.places)
        zero = self.zeros / (self.places * low.size)
        return found, float(np.mean(low == high)), saturated, zero, flat


def _of_sorted(values: np.ndarray, levels: Sequence[float]) -> np.ndarray:
    place = np.array(levels) * (values.size - 1)
    below = np.floor(place).astype(np.int64)
    low = values[below].astype(np.float64)
    high = values[np.minimum(below + 1, values.size - 1)].astype(np.float64)
    if np.isnan(values[-1]):  # sorted last
        return np.full(len(levels), np.nan)
    with np.errstate(invalid="ignore", over="ignore"):  # between infinite numbers there is none
        between = low + (high - low) * (place - below)
    return np.where(place == below, low, between)


def _row_step(out: np.ndarray, rows: int) -> int:
    return max(1, -(-rows * out[0].size // MOST_NUMBERS))


def _odd(step: int) -> int:
    """Return an odd step, so that columns of even numbers are not always the same ones."""
    return step | 1


def _rows_at_once(architecture: Architecture, rows: int) -> int:
    front = architecture.front
    widest = max(outputs for _, outputs in architecture.layer_shapes())
    if front is not None:
        widest = max(widest, front.largest())
    return max(16, min(rows, ROWS_AT_ONCE, _NUMBERS_AT_ONCE // widest))


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):  # beyond float32 a number is infinite
        return values.astype(np.float32)
