"""How states cross to the compiled core and back.

A state's arrays fall into sets that are laid out alike: the parameters, those at the best score,
and one set for each thing that the optimizer remembers. A set crosses as one array without gaps,
in the order of `Architecture.parameter_shapes`, in the first two sets followed by that of
`statistic_shapes`, which is the order of the core's pieces.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import accumulate, pairwise
from math import prod
from typing import Any, NamedTuple

import numpy as np

from deepwell._base._hash import Purpose
from deepwell.networks._architecture import Architecture
from deepwell.networks._initializers import layer_deviations
from deepwell.optimization._registry import OPTIMIZERS

from ._program import Member, State
from ._state import initial_state

# The order in which the core hands a state's numbers over.
_WHOLE = ("step", "epoch", "best_epoch", "stale", "outcome")
_REAL = ("best_score", "best_cost", "cost_sum", "weight_sum")
_BEST_SET, _FIRST_SLOT_SET = 1, 2
_KEPT_LAYOUTS = 4096


class _Place(NamedTuple):
    """An array's name in a state, and where it lies in its set."""

    name: str
    shape: tuple[int, ...]
    within: slice


class _Set(NamedTuple):
    """A set of arrays: the core's number of it, its elements, and its arrays in order."""

    number: int
    size: int
    places: tuple[_Place, ...]


@lru_cache(_KEPT_LAYOUTS)
def _layout(architecture: Architecture, optimizer: str) -> tuple[_Set, ...]:
    trained = architecture.parameter_shapes()
    every = trained | architecture.statistic_shapes()
    slots = [f"{slot}/" for slot in OPTIMIZERS[optimizer].slots]
    prefixes = {0: "", _BEST_SET: "best/", **dict(enumerate(slots, _FIRST_SLOT_SET))}
    return tuple(
        _set(number, prefix, trained if number >= _FIRST_SLOT_SET else every)
        for number, prefix in prefixes.items()
    )


def _set(number: int, prefix: str, shapes: Mapping[str, tuple[int, ...]]) -> _Set:
    ends = list(accumulate((prod(shape) for shape in shapes.values()), initial=0))
    within = (slice(*ends_of) for ends_of in pairwise(ends))
    places = zip(shapes.items(), within, strict=True)
    return _Set(number, ends[-1], tuple(_Place(prefix + n, s, part) for (n, s), part in places))


def begin(session: Any, new: Mapping[int, Member]) -> None:
    """Draw the initial weights of members in a session, as `initial_state` does, on all cores.

    Args:
        session: the core's.
        new: place in the session -> member.
    """
    starts = []
    for index, member in new.items():
        if member.initializer == "identity":  # not drawn: written
            write_state(session, index, member, initial_state(member))
            continue
        deviations = layer_deviations(
            member.architecture, member.initializer, member.initializer_scale
        )
        starts.append((index, member.seed % 2**64, deviations))
    session.begin(starts, Purpose.WEIGHTS)


def write_state(session: Any, index: int, member: Member, state: State) -> None:
    """Give a member in a session its state.

    Raises:
        ValueError: when an array has another type or shape than the member's.
    """
    for number, _, places in _layout(member.architecture, member.optimizer):
        for name, shape, _ in places:
            array = state[name]
            if array.dtype != member.dtype or array.shape != shape:
                raise ValueError(
                    f"{name} of this member must be {member.dtype} of shape {shape}, "
                    f"got {array.dtype} of {array.shape}"
                )
        packed = np.concatenate([state[place.name].reshape(-1) for place in places])
        session.write(index, number, packed)
    whole = [int(state[name]) for name in _WHOLE]
    session.set_counters(index, whole, [float(state[name]) for name in _REAL])


def read_state(session: Any, index: int, member: Member) -> State:
    """Return a copy of the state of a member in a session."""
    state: State = {}
    for number, size, places in _layout(member.architecture, member.optimizer):
        packed = np.empty(size, member.dtype)
        session.read(index, number, packed)
        for name, shape, within in places:
            state[name] = packed[within].reshape(shape)
    whole, real = session.counters(index)
    state.update({n: np.asarray(v, np.int64) for n, v in zip(_WHOLE, whole, strict=True)})
    state.update({n: np.asarray(v, np.float64) for n, v in zip(_REAL, real, strict=True)})
    return state
