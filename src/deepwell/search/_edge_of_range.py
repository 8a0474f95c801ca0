"""Do the best configurations pile up at an end of a searched range?

Three things must hold. The hyperparameter matters. The best trials lie nearer to the end than
trials drawn at random from those that were tried, however unevenly those were tried (Mann and
Whitney 1947, one-sided). And the score, as a function of this hyperparameter with all others as in
the best trials, is lowest at the end: a range whose best value lies well inside of it is no matter
for widening, even where it lies in the half near the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.records import EdgeOfRange, Importance

from ._ranges import Limits, widened
from .importance._compared import Compared
from .importance._surface import Surface
from .spaces._distribution import value_text
from .spaces._domain import Domain

_BEST_SHARE = 0.1
_LEAST_BEST = 8
_HELD = 5  # best trials whose other values are held
_GRID = 40
_OUTER = 0.1  # of the range, which counts as its end


def edges_of_range(
    domain: Domain,
    tried: Compared,
    surface: Surface,
    importance: Importance,
    limits: Mapping[str, Limits],
) -> tuple[EdgeOfRange, ...]:
    """Return how the best trials lie at the ends of ranges, the likeliest to hold them first.

    Axes without an order have no ends, and choices name each value that is wanted: both are left
    out.

    Args:
        domain: what was searched.
        tried: with comparable scores.
        surface: the score as a function, fitted to them.
        importance: of each hyperparameter.
        limits: name -> values that a hyperparameter may have at all; none where it is not named.
    """
    count = max(_LEAST_BEST, round(_BEST_SHARE * len(tried.scores)))
    best = np.argsort(tried.scores, kind="stable")[:count]
    found: list[EdgeOfRange] = []
    for place, axis in enumerate(domain.axes):
        range_ = domain.get(axis.name)  # None for a layer of many, whose range is that of all
        if range_ is None or not tried.active[best, place].all():
            continue
        for upward in (False, True):
            wider = widened(range_, upward, limits.get(axis.name, Limits()))
            if wider is not None:
                seen = _seen(domain, tried, surface, best, (place, upward))
                found.append(replace(seen, wider=wider.describe()))
    each = EdgeOfRange.P_VALUE / max(1, len(found))
    shares = {effect.name: effect.total.low for effect in importance.main}
    told = [
        replace(
            e,
            holds=e.p_value < each
            and e.certainty >= EdgeOfRange.CERTAINTY
            and shares[e.name] >= EdgeOfRange.SHARE,
        )
        for e in found
    ]
    return tuple(sorted(told, key=lambda e: (not e.holds, -e.certainty, e.p_value)))


def _seen(
    domain: Domain,
    tried: Compared,
    surface: Surface,
    best: np.ndarray,
    end: tuple[int, bool],
) -> EdgeOfRange:
    """Return how the best trials lie at one end: the place of its axis, and whether the upper."""
    place, upward = end
    name = domain.axes[place].name
    distance = tried.units[:, place]
    distance = 1.0 - distance if upward else distance
    outer = distance <= max(_OUTER, distance.min())
    return EdgeOfRange(
        name=name,
        upward=upward,
        end=value_text(domain[name].from_unit(1.0 if upward else 0.0)),
        wider="",
        best=len(best),
        nearby=int(outer[best].sum()),
        tried=float(outer.mean()),
        p_value=_nearer_by_chance(distance, best),
        certainty=_lowest_at_end(surface, tried, best[:_HELD], place, upward),
        holds=False,
    )


def _nearer_by_chance(distance: np.ndarray, best: np.ndarray) -> float:
    others = np.delete(distance, best)
    if not len(others) or distance.max() == distance.min():
        return 1.0
    from scipy import stats  # type: ignore[import-untyped]

    untyped: Any = stats
    return float(untyped.mannwhitneyu(distance[best], others, alternative="less").pvalue)


def _lowest_at_end(
    surface: Surface, tried: Compared, held: np.ndarray, place: int, upward: bool
) -> float:
    """Return how probable it is that the best value of an axis lies at its end."""
    count = surface.axes[place].count
    grid = (np.arange(count or _GRID) + 0.5) / (count or _GRID)
    if count is not None and count > _GRID:
        grid = grid[np.linspace(0, count - 1, _GRID).round().astype(np.int64)]
    units = np.repeat(tried.units[held], len(grid), axis=0)
    active = np.repeat(tried.active[held], len(grid), axis=0)
    units[:, place] = np.tile(grid, len(held))
    scores = surface.at(units, active).reshape(-1, len(held), len(grid)).mean(axis=1)
    lowest = grid[scores.argmin(axis=1)]
    end = max(_OUTER, 0.5 / (count or _GRID)) + 1e-9
    return float(((1.0 - lowest if upward else lowest) <= end).mean())
