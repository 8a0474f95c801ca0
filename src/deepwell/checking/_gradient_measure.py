"""The check at one point: every entry where that is cheap, else blocks first and then drill down.

A block of many entries is compared along a few directions of random signs. Where they disagree,
the entries to blame are found by halving: a half whose direction agrees holds none of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ._gradient_compare import Comparison, Point, compare, entries_of, joined, mixed
from ._gradient_problem import Block, Problem
from ._gradient_slopes import survey

_DIRECTIONS = 4  # of random signs in each block
_SMALL = 16  # a block of so few entries is always looked at entry by entry
_SAMPLE = 64  # entries of a wrong block that are looked at first
_WIDTH = 8  # parts of a wrong block that are halved on


@dataclass(frozen=True)
class Measured:
    """What was measured at one point.

    Attributes:
        point: where, with the gradient there.
        blocks: directions of random signs, `entry` -1.
        entries: single entries.
        complete: (blocks,) whether every entry of the block was compared.
    """

    point: Point
    blocks: Comparison
    entries: Comparison
    complete: np.ndarray


def measure(
    problem: Problem, at: np.ndarray, every_entry_up_to: int, rng: np.random.Generator
) -> Measured:
    """Compare gradient and slopes at a point."""
    scales = problem.scales
    here = survey(problem.costs, at, scales, problem.resolution, rng)
    point = Point(here, problem.gradient(at))
    every = len(at) <= every_entry_up_to
    complete = np.array([every or block.size <= _SMALL for block in problem.blocks])
    wide = [
        mixed(np.arange(block.start, block.stop), scales, rng)
        for block in problem.blocks
        if block.size > 1
        for _ in range(_DIRECTIONS)
    ]
    whole = [b for b, done in zip(problem.blocks, complete, strict=True) if done]
    single = np.array([i for block in whole for i in range(block.start, block.stop)], int)
    ways = wide + entries_of(single, scales)
    found = compare(problem, point, ways, rng)
    blocks, entries = found.only(found.entry < 0), found.only(found.entry >= 0)
    for number in np.unique(blocks.block[blocks.wrong]):
        if not complete[number]:
            part = _blamed(problem, point, problem.blocks[number], rng)
            entries = joined([entries, part])
    return Measured(point, blocks, entries, complete)


def _blamed(problem: Problem, point: Point, block: Block, rng: np.random.Generator) -> Comparison:
    """Return entries of a wrong block: some at random, and the wrong ones where they are few."""
    scales = problem.scales
    drawn = block.start + rng.choice(block.size, min(_SAMPLE, block.size), replace=False)
    sample = compare(problem, point, entries_of(np.sort(drawn), scales), rng)
    if sample.wrong.mean() >= 0.5:
        return sample
    parts = [np.arange(block.start, block.stop)]
    while any(len(part) > 1 for part in parts):
        halves = [half for part in parts for half in _halves(part)]
        found = compare(problem, point, [mixed(half, scales, rng) for half in halves], rng)
        apart = np.where(found.wrong, np.abs(found.gradient - found.slope), -1.0)
        apart[found.wrong & ~np.isfinite(apart)] = np.inf
        worst = np.sort(np.argsort(-apart, kind="stable")[:_WIDTH])
        parts = [halves[i] for i in worst if found.wrong[i]]
    ends = np.setdiff1d(np.array([part[0] for part in parts], int), drawn)
    if not len(ends):
        return sample
    return joined([sample, compare(problem, point, entries_of(ends, scales), rng)])


def _halves(part: np.ndarray) -> Iterator[np.ndarray]:
    middle = (len(part) + 1) // 2
    yield part[:middle]
    if len(part) > middle:
        yield part[middle:]
