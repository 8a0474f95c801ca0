"""What to tune next: narrow what matters to where the best trials lie, fix what does not (H2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell.records import EdgeOfRange, Importance, NextRange

from ._ranges import Limits, Ranged, narrowed, widened, with_ends
from .importance._compared import Compared
from .spaces._distribution import Distribution
from .spaces._domain import Domain
from .spaces._fixed import Fixed
from .spaces._when import When

MATTERS = 0.1
"""Least share, with its interactions, of what is worth narrowing: certain by its interval."""
HARDLY = 0.05
"""Largest share, by the upper end of its interval, of what hardly matters."""

_BEST_SHARE = 0.1
_LEAST_BEST = 8
_BESIDE = 0.1  # of the range, kept on both sides of where the best trials lie
_NARROW = 0.7  # of the range: what keeps more than this is no narrower


def next_ranges(
    domain: Domain,
    tried: Compared,
    importance: Importance,
    edges: Sequence[EdgeOfRange],
    limits: Mapping[str, Limits],
) -> tuple[NextRange, ...]:
    """Return what to change about the searched ranges, what matters most first.

    A range that matters shrinks to where the best tenth of the trials lies (at least eight of them)
    and a tenth of the range on both sides; where they pile up at its end it grows there. What
    hardly matters is held where the best trial has it. Of what exists only beside some values, the
    trials count in which it does, and nothing is said where they are fewer than a tenth, or eight;
    its condition stays.

    Args:
        domain: what was searched.
        tried: with comparable scores.
        importance: of each hyperparameter.
        edges: ends that were looked at.
        limits: name -> values that a hyperparameter may have at all.
    """
    least = max(_LEAST_BEST, round(_BEST_SHARE * len(tried.scores)))
    order = tried.scores.argsort(kind="stable")
    places = {axis.name: place for place, axis in enumerate(domain.axes)}
    found: list[NextRange] = []
    for effect in sorted(importance.main, key=lambda e: -e.total.value):
        name = effect.names[0]
        entry = domain.get(name)  # None for a layer of many, whose range is that of all
        having = order[tried.active[order, places[name]]]
        if entry is None or len(having) < least:
            continue
        range_ = entry.item if isinstance(entry, When) else entry
        units = tried.units[having, places[name]]
        fixed = effect.total.high < HARDLY
        new: Distribution | None = None
        if fixed:
            new = Fixed(range_.from_unit(float(units[0])))
        elif effect.total.low >= MATTERS:
            best = units[: max(_LEAST_BEST, round(_BEST_SHARE * len(units)))]
            low, high = max(0.0, best.min() - _BESIDE), min(1.0, best.max() + _BESIDE)
            new = narrowed(range_, low, high) if high - low <= _NARROW else None
            new = _moved(range_, new, [e for e in edges if e.name == name], limits)
        if new is not None:
            new = When(new, entry.given) if isinstance(entry, When) else new
            found.append(NextRange(name, effect.total, new.describe(), fixed))
    return tuple(found)


def _moved(
    range_: Distribution,
    narrower: Distribution | None,
    edges: Sequence[EdgeOfRange],
    limits: Mapping[str, Limits],
) -> Distribution | None:
    """Return a range that was narrowed, with the ends beyond which the best are moved outward."""
    found = narrower
    for edge in (edge for edge in edges if edge.holds):
        wider = widened(range_, edge.upward, limits.get(edge.name, Limits()))
        inner = range_ if found is None else found
        if isinstance(wider, Ranged) and isinstance(inner, Ranged):
            low, high = (inner.low, wider.high) if edge.upward else (wider.low, inner.high)
            found = with_ends(wider, low, high)
    return found
