"""Population based training (Jaderberg et al. 2017, arXiv 1711.09846): copy the good, and vary.

Networks train side by side; every few epochs the worst fifth gives up its places to copies of the
best fifth, and each copy goes on with other numbers than the network that it copies: its learning
rate, say, times 0.8 or 1.2. What is found is not one value but a course of values, such as a rate
that falls when falling pays. Only numbers that can change while a network trains take part; what a
network is made of, such as its units, is chosen by copying alone.

A copy is a trial of its own, whose specification says all: that of its source, and what changes
after which epoch. So it can be trained from its start, alone, and comes out the same to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from deepwell._base._hyperparameters import CHANGEABLE, Value
from deepwell.records import Rung, Status, Trial
from deepwell.search.spaces._axis_items import axis_parts
from deepwell.search.spaces._choice import Choice
from deepwell.search.spaces._distribution import Distribution
from deepwell.search.spaces._domain import Domain
from deepwell.search.spaces._one_minus_log import OneMinusLog
from deepwell.search.spaces._per_layer import PerLayer
from deepwell.search.spaces._when import When

from ._curves import curve_of
from ._even_rungs import even_rungs
from ._ranking import rank, scored
from ._scheduler import Decision, Fork, Moment

LOOKS = 10
"""Decisions on the way, about."""

SHARE = 0.2
"""Of the networks, that are copied, and that give up their places."""

RESAMPLED = 0.25
"""Probability that a number is drawn anew from its range instead of being moved a little."""

FACTORS = (0.8, 1.2)
"""What a number is multiplied by; for numbers near 1, such as a momentum, 1 - number is."""

_TRIES = 20  # draws of a copy's numbers until they are allowed together
_RECENT = 3  # epochs that a network is judged by: how it is now, not how it once was


def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
    """Return a rung every tenth of the epochs; all places are taken at each.

    >>> [(r.epochs, r.networks) for r in rungs(32, 50)][:3]
    [(5, 32), (10, 32), (15, 32)]
    """
    return even_rungs(networks, epochs, LOOKS, 1)


def changeable(domain: Domain) -> tuple[str, ...]:
    """Return what of a domain can change while a network trains."""
    return tuple(name for name in _places(domain) if name in CHANGEABLE)


def decide(moment: Moment) -> Decision:
    """Return that the worst fifth makes room for changed copies of the best fifth.

    Networks are ranked by the mean dev score of their last 3 epochs. Each one that has to go is
    replaced by a copy of one of the best, drawn evenly, and so is each that diverged.
    """
    able = [t for t in moment.trials if not t.status.over and scored(t)]
    ranked = sorted(able, key=lambda t: (_recent(t), *rank(t)))
    count = math.floor(SHARE * len(ranked))
    places = ranked[len(ranked) - count :]
    lost = [t for t in moment.trials if t.status is Status.DIVERGED]
    best = ranked[: max(count, 1)]
    random = np.random.default_rng(moment.key)
    forks: list[Fork] = []
    stays: set[int] = set()
    for leaving in [*places, *lost] if best else []:
        source = best[int(random.integers(len(best)))]
        now = source.spec.during(moment.epoch + 1).hyperparameters
        changes = varied(moment.domain, now, random)
        if changes:
            forks.append(Fork(source.number, changes))
        else:
            stays.add(leaving.number)
    going = [t.number for t in ranked if t not in places or t.number in stays]
    waiting = sorted((t for t in moment.trials if not t.status.over), key=rank)
    prune = [t.number for t in waiting if t.number not in set(going)]
    return Decision(tuple(going), tuple(prune), tuple(forks))


def varied(
    domain: Domain, values: Mapping[str, Value], random: np.random.Generator
) -> dict[str, Value]:
    """Return other values of what can change, those left out that came out the same.

    Only what exists beside the other values changes. Where the new ones are not allowed together,
    they are drawn again a few times; then nothing changes.

    Args:
        domain: what is searched; values stay inside of it.
        values: of the network that is copied.
        random: is drawn from.
    """
    active = domain.active(values)
    places = _places(domain)
    names = [n for n in changeable(domain) if active[places[n]].any() and values[n] != ()]
    inside = domain.encode(values) is not None
    for _ in range(_TRIES):
        changes = _drawn(domain, names, values, random)
        copy = {**values, **changes}
        if domain.allowed(copy) and not (inside and domain.encode(copy) is None):
            return changes
    return {}


def _drawn(
    domain: Domain, names: Sequence[str], values: Mapping[str, Value], random: np.random.Generator
) -> dict[str, Value]:
    """Return values of these names that are moved or drawn anew, without what stays the same."""
    changes: dict[str, Value] = {}
    for name in names:
        anew, unit, way = random.random(), random.random(), int(random.integers(2))
        entry, old = domain[name], values[name]
        entry = entry.item if isinstance(entry, When) else entry
        if anew >= RESAMPLED:
            new = _moved(entry, old, way)
        elif isinstance(entry, PerLayer) and isinstance(old, tuple):
            units = [unit, *random.random(len(old) - 1)]
            new = cast(Value, tuple(entry.from_unit(float(u)) for u in units))
        else:
            new = entry.from_unit(unit)
        if isinstance(old, tuple) and not isinstance(new, tuple):
            same = all(rate == new for rate in old)  # one number for all layers
        else:
            same = new == old
        if not same:
            changes[name] = new
    return changes


def _places(domain: Domain) -> dict[str, list[int]]:
    """Return the axes of each name that is searched, several where each layer has its own."""
    places: dict[str, list[int]] = {}
    for place, axis in enumerate(domain.searched):
        name = axis if axis in domain else axis_parts(axis)[0]
        places.setdefault(name, []).append(place)
    return places


def _moved(distribution: Distribution, value: Value, way: int) -> Value:
    """Return a value next to another one, `way` 0 below and 1 above."""
    if isinstance(distribution, Choice):
        return _neighbor(distribution.values, value, way)
    if isinstance(value, tuple):
        item = distribution.item if isinstance(distribution, PerLayer) else distribution
        rates = [_moved(item, rate, way) for rate in value]
        return tuple(float(rate) for rate in rates if not isinstance(rate, str | tuple))
    assert not isinstance(value, str)
    factor = FACTORS[way]
    if isinstance(distribution, OneMinusLog):
        moved = 1.0 - (1.0 - value) * FACTORS[1 - way]
    else:
        moved = value * factor
    if isinstance(value, int):
        moved = math.ceil(moved) if way else math.floor(moved)
    low, high = distribution.from_unit(0.0), distribution.from_unit(1.0)
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    return min(max(moved, low), high)


def _neighbor(values: Sequence[Value], value: Value, way: int) -> Value:
    """Return the next larger or smaller value of a choice; the same one at its end."""
    ordered = sorted(values, key=_size)
    below = [v for v in ordered if _size(v) < _size(value)]
    above = [v for v in ordered if _size(v) > _size(value)]
    if way:
        return above[0] if above else value
    return below[-1] if below else value


def _size(value: Value) -> float:
    """Return what values of a choice are ordered by: themselves, or the mean of a list."""
    if isinstance(value, str):
        return 0.0
    if not isinstance(value, tuple):
        return float(value)
    alike = len(set(value)) == 1  # whose mean is to be that number to the bit
    return float(value[0]) if alike else math.fsum(value) / len(value)


def _recent(trial: Trial) -> float:
    """Return the mean dev score of a trial's last epochs."""
    curve = curve_of(trial)
    return float(curve[-_RECENT:].mean()) if len(curve) else trial.score
