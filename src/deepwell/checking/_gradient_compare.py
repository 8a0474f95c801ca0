"""A gradient beside numerical slopes, along single entries and along random signs of a block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ._gradient_problem import Problem
from ._gradient_slopes import Direction, Slopes, Surroundings, refined, slopes

_SAFETY = 10.0  # times the doubt, before a difference counts
_BESIDE = (0.01, 0.01, 0.003)  # how far from a kink to look, relative
_AMPLIFIED = 1e3  # roundings that a gradient's own sums may gather, relative to its block


@dataclass(frozen=True)
class Comparison:
    """A gradient and numerical slopes, in units of relative changes of the entries.

    Attributes:
        ways: the k directions.
        block: (k,) number of the block.
        entry: (k,) place in the vector; -1 for a direction of many entries.
        gradient, slope: (k,).
        zero: (k,) size below which neither can be told from 0.
        wrong: (k,) whether they differ by more than rounding, truncation and kinks explain.
        unclear: (k,) whether the slope is too uncertain to tell.
        beside: (k,) whether the point lies on a kink, so that a point beside it was taken.
    """

    ways: tuple[Direction, ...]
    block: np.ndarray
    entry: np.ndarray
    gradient: np.ndarray
    slope: np.ndarray
    zero: np.ndarray
    wrong: np.ndarray
    unclear: np.ndarray
    beside: np.ndarray

    def only(self, chosen: np.ndarray) -> Comparison:
        """Return the chosen directions."""
        rows = np.arange(len(self.ways))[chosen]
        arrays = {k: v[rows] for k, v in vars(self).items() if k != "ways"}
        return Comparison(tuple(self.ways[i] for i in rows.tolist()), **arrays)


@dataclass(frozen=True)
class Point:
    """A point of the parameters where the gradient is checked."""

    here: Surroundings
    gradient: np.ndarray


def entries_of(places: np.ndarray, scales: np.ndarray) -> list[Direction]:
    """Return the directions of single entries."""
    return [Direction(places[i : i + 1], scales[places[i : i + 1]]) for i in range(len(places))]


def mixed(places: np.ndarray, scales: np.ndarray, rng: np.random.Generator) -> Direction:
    """Return a direction of all these entries, each forward or backward at random.

    Random signs let no two errors cancel by rule, and show a single wrong entry in full.
    """
    return Direction(places, scales[places] * rng.choice((-1.0, 1.0), len(places)))


def joined(parts: Sequence[Comparison]) -> Comparison:
    """Return comparisons as one."""
    arrays = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in vars(parts[0])
        if name != "ways"
    }
    return Comparison(tuple(way for part in parts for way in part.ways), **arrays)


def compare(
    problem: Problem, point: Point, ways: Sequence[Direction], rng: np.random.Generator
) -> Comparison:
    """Compare along each direction; where the point lies on a kink, beside it."""
    found, scales = _at(problem, point, ways), problem.scales
    stuck = np.flatnonzero(found.beside)
    found.beside[:] = False
    for reach in _BESIDE:
        if not len(stuck):
            break
        at = point.here.at + reach * scales * rng.normal(size=len(scales))
        cost, gradient = float(problem.costs(at[None])[0]), problem.gradient(at)
        if not (np.isfinite(cost) and np.isfinite(gradient).all()):
            continue
        near = Point(replace(point.here, at=at, cost=cost), gradient)
        again = _at(problem, near, [ways[i] for i in stuck.tolist()])
        for name in ("gradient", "slope", "zero", "wrong", "unclear"):
            getattr(found, name)[stuck] = getattr(again, name)
        found.beside[stuck] = True
        stuck = stuck[again.beside]
    found.unclear[stuck] |= found.wrong[stuck]
    found.wrong[stuck] = False
    return found


def _at(problem: Problem, point: Point, ways: Sequence[Direction]) -> Comparison:
    """Compare at one point; `beside` tells where it lies on a kink."""
    here = point.here
    gradient = np.array([float(point.gradient[w.at] @ w.size) for w in ways])
    block, entry = _places(problem, ways)
    found = slopes(problem.costs, here, ways)
    own = _own_rounding(problem, point)[block] * np.array([len(w.at) ** 0.5 for w in ways])
    least = here.floor + own
    relative = min(max(1e-6, 2e3 * problem.rounding), 0.1)

    def settled(rows: np.ndarray, by: Slopes) -> np.ndarray:
        """Whether slopes agree with the gradient, or differ by far more than the doubt."""
        with np.errstate(invalid="ignore"):
            apart = np.abs(gradient[rows] - by.value)
            size = np.abs(gradient[rows]) + np.abs(by.value)
            agree = apart <= relative * size + least[rows]
            return ~np.isfinite(gradient[rows]) | np.where(
                agree, _SAFETY * by.doubt <= 0.01 * size + least[rows], apart > 100 * by.doubt
            )

    everything = np.arange(len(ways))
    with np.errstate(invalid="ignore"):
        differ = ~(np.abs(gradient - found.value) <= relative * np.abs(gradient) + least)
    again = np.flatnonzero(differ | ~settled(everything, found))
    if len(again):
        better = refined(
            problem.costs,
            here,
            [ways[i] for i in again.tolist()],
            Slopes(*(values[again] for values in vars(found).values())),
            lambda rows, by: settled(again[rows], by),
        )
        for name, values in vars(found).items():
            values[again] = getattr(better, name)
    with np.errstate(invalid="ignore"):
        apart = np.abs(gradient - found.value)
        size = np.abs(gradient) + np.abs(found.value)
        agree = apart <= relative * size + least
        wrong = apart > relative * size + least + _SAFETY * found.doubt
        wrong |= ~np.isfinite(gradient)
        vague = ~(_SAFETY * found.doubt <= 0.1 * size + least)
    return Comparison(
        tuple(ways), block, entry, gradient, found.value, least + _SAFETY * found.doubt,
        wrong, vague & ~wrong & ~agree, found.kinked & ~agree & np.isfinite(gradient),
    )  # fmt: skip


def _places(problem: Problem, ways: Sequence[Direction]) -> tuple[np.ndarray, np.ndarray]:
    """Return each direction's block, and its entry where it has but one."""
    filled = [i for i, block in enumerate(problem.blocks) if block.size]
    starts = np.array([problem.blocks[i].start for i in filled])
    firsts = np.array([way.at[0] for way in ways], int)
    block = np.array(filled, int)[np.searchsorted(starts, firsts, side="right") - 1]
    entry = np.array([way.at[0] if len(way.at) == 1 else -1 for way in ways], int)
    return block, entry


def _own_rounding(problem: Problem, point: Point) -> np.ndarray:
    """Return (blocks,) what the rounding of the gradient itself may be."""
    with np.errstate(invalid="ignore", over="ignore"):
        sizes = np.abs(point.gradient * problem.scales)
    sizes = np.where(np.isfinite(sizes), sizes, 0.0)
    largest = [sizes[block.place].max(initial=0.0) for block in problem.blocks]
    return _AMPLIFIED * problem.rounding * np.array(largest)
