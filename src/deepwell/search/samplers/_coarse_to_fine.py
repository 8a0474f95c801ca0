"""Coarse to fine: sample everywhere, zoom into the best region, sample it more densely, again.

What a person does by hand after a look at the results: of the networks so far the best few say
where it is worth looking closer. On a hyperparameter that matters they lie close together, and the
box gets small there; on one that does not they lie anywhere, and it stays wide. Where two regions
are good, the box holds both, until one of them is clearly better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._hyperparameters import Value
from deepwell.records import Observation
from deepwell.search.spaces._axis_items import axis_item
from deepwell.search.spaces._distribution import Distribution, value_text
from deepwell.search.spaces._domain import Axis, Domain

from ._fresh import fresh
from ._sequence import EvenPoints, sobol

# Chosen on seven functions of 2 to 5 axes, with and without noise, at 60 to 100 points each.
_FIRST = 3  # scores of the first round, for each axis and once more
_GROWTH = 1.25  # a round ends when there is a quarter more scores
_BEST = 4  # points that say where the box is
_OUTSIDE = 0.1  # share of the points that come from everywhere, so that no box is a trap
_MOST_SHRINKING = 0.5  # a side is at least so much of the last one: one lucky round decides little
_EDGE = 0.25  # of the side: an edge of the domain that is nearer belongs to the box
_MARGIN = 0.1  # of the spread of the best points, beyond them on either side


@dataclass(frozen=True)
class Box:
    """The region of a round, in the unit cube.

    Attributes:
        after: scores that it was chosen by; 0 for the first round, which looks everywhere.
        sides: one entry an axis: the ends (low, high) of a range in [0, 1], or the numbers of the
            values that are kept where the axis has names.
    """

    after: int
    sides: tuple[tuple[float, ...], ...]


def propose(
    domain: Domain, history: Sequence[Observation], n: int, key: np.random.SeedSequence
) -> list[dict[str, Value]]:
    """Return `n` points: nine of ten from the box of this round, the others from everywhere.

    Both fill their region evenly, by a Sobol sequence with one axis more, which decides between
    the two.

    Args:
        domain: what may be tried.
        history: all that was tried so far.
        n: how many configurations are wanted.
        key: of the call; the part that all calls share decides on the sequence.
    """
    axes, box = domain.axes, boxes(domain, history)[-1]
    points = EvenPoints(sobol, len(axes) + 1, key, len(history))

    def draw(count: int) -> np.ndarray:
        return np.array([_placed(unit, box, axes) for unit in points.next(count)])

    return fresh(domain, history, n, draw)


def boxes(domain: Domain, history: Sequence[Observation]) -> tuple[Box, ...]:
    """Return the boxes of all rounds that a history has reached, the present one last.

    The first round looks everywhere, until there are 3 scores for each axis and 3 more; each other
    one lasts until there is a quarter more. Its box holds the best four points so far, whatever
    round they are from, with a margin of a tenth of their spread; no side shrinks by more than
    half, none leaves the domain, and one that comes near its edge reaches to it.

    Args:
        domain: what may be tried; points that may not, as from before it was narrowed or had a
            constraint, are left out.
        history: all that was tried so far, in the order of proposal.
    """
    axes = domain.axes
    found = [Box(0, tuple(_whole(axis) for axis in axes))]
    scored = _scored(domain, history)
    first = _FIRST * (len(axes) + 1)
    ends, end = list[int](), float(first)
    while math.ceil(end) <= len(scored):
        ends.append(math.ceil(end))
        end *= _GROWTH
    for end in ends:
        best = sorted(scored[:end], key=lambda point: point.rank)[:_BEST]
        able = [point for point in best if math.isfinite(point.rank[0])]
        if len(able) > 1:
            last = zip(axes, found[-1].sides, strict=True)
            sides = [_side(axis, _along(able, i), side) for i, (axis, side) in enumerate(last)]
            found.append(Box(end, tuple(sides)))
    return tuple(found)


def region(domain: Domain, history: Sequence[Observation]) -> dict[str, str]:
    """Return the box of the present round in words: name of the axis -> range or choices."""
    box = boxes(domain, history)[-1]
    sides = zip(domain.axes, box.sides, strict=True)
    return {axis.name: _words(axis_item(domain, axis.name), axis, side) for axis, side in sides}


def _words(item: Distribution, axis: Axis, side: tuple[float, ...]) -> str:
    if not axis.ordered and axis.count is not None:
        kept = [item.from_unit((place + 0.5) / axis.count) for place in side]
        return ", ".join(value_text(value) for value in kept)
    inside = 0.0 if axis.count is None else 0.5 / axis.count  # the end of a side ends a share
    low, high = item.from_unit(side[0] + inside), item.from_unit(side[1] - inside)
    return f"{_short(low)} to {_short(high)}" if low != high else _short(low)


def _short(value: Value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else value_text(value)


@dataclass(frozen=True)
class _Point:
    rank: tuple[float, float]  # score, cost
    unit: np.ndarray  # (d,)
    active: np.ndarray  # (d,) bool: which axes matter beside the values of the others


def _scored(domain: Domain, history: Sequence[Observation]) -> list[_Point]:
    """Return what has been scored in the domain."""
    placed = [(o, domain.place(o.values)) for o in history if not o.pending]
    return [
        _Point((o.score, _known(o.cost)), unit, domain.active(o.values))
        for o, unit in placed
        if unit is not None
    ]


def _known(cost: float) -> float:
    return math.inf if math.isnan(cost) else cost


def _along(points: Sequence[_Point], axis: int) -> np.ndarray:
    """Return where points lie on an axis, those beside which it does not exist left out."""
    return np.array([point.unit[axis] for point in points if point.active[axis]])


def _whole(axis: Axis) -> tuple[float, ...]:
    if axis.ordered or axis.count is None:
        return (0.0, 1.0)
    return tuple(float(k) for k in range(axis.count))


def _side(axis: Axis, units: np.ndarray, last: tuple[float, ...]) -> tuple[float, ...]:
    """Return the side of the next box on an axis, from where the best points lie on it."""
    if len(units) < 2:
        return last
    if not axis.ordered and axis.count is not None:
        return tuple(sorted({float(int(u * axis.count)) for u in units}))
    low, high = float(units.min()), float(units.max())
    margin = _MARGIN * (high - low)
    least = _MOST_SHRINKING * (last[1] - last[0])
    margin = max(margin, (least - (high - low)) / 2)
    low, high = low - margin, high + margin
    width = min(high - low, 1.0)
    low = min(max(low, 0.0), 1.0 - width)  # a box beyond the edge is moved inside, not cut
    high = low + width
    low = 0.0 if low < _EDGE * width else low
    high = 1.0 if 1.0 - high < _EDGE * width else high
    if axis.count is not None:  # whole shares of the axis
        low = math.floor(low * axis.count + 1e-9) / axis.count
        high = math.ceil(high * axis.count - 1e-9) / axis.count
    return (low, high)


def _placed(unit: np.ndarray, box: Box, axes: Sequence[Axis]) -> np.ndarray:
    """Return a point of a sequence as one in the box, or as it is where its last axis says so."""
    if unit[-1] < _OUTSIDE:
        return unit[:-1]
    return np.array(
        [
            _within(u, *pair)
            for u, pair in zip(unit[:-1], zip(box.sides, axes, strict=True), strict=True)
        ]
    )


def _within(unit: float, side: tuple[float, ...], axis: Axis) -> float:
    if not axis.ordered and axis.count is not None:
        return (side[int(unit * len(side))] + 0.5) / axis.count
    return side[0] + unit * (side[1] - side[0])
