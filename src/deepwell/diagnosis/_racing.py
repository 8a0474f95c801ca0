"""Which arms of an experiment go on after some replicates.

The better half goes on, and 4 at least, without those that are clearly worse than the unchanged
network. What is left at the end is a part of the full experiment, whose intervals hold for all arms
at once, so giving arms up early makes none of them too narrow.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from ._arm_effects import ArmEffect

_LEAST = 4  # arms that go on, if they are not clearly worse
_WORSE = 1.645  # standard errors: 5 %, one-sided


def going_on(effects: Sequence[ArmEffect]) -> list[int]:
    """Return the places of the arms that go on, in their order.

    Args:
        effects: of the arms that are still in the race.
    """
    keep = max(_LEAST, math.ceil(len(effects) / 2))
    ranked = sorted(range(len(effects)), key=lambda place: effects[place].effect.value)
    return sorted(place for place in ranked[:keep] if not _clearly_worse(effects[place]))


def _clearly_worse(effect: ArmEffect) -> bool:
    return effect.effect.value - _WORSE * effect.error > 0
