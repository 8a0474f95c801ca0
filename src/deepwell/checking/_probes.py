"""What is inside members in training: activations, gradients, weights, updates, layer by layer.

Nothing of backpropagation is written here again: gradient and update come from the program that
trains. Copies of a member's state take one step on the next batch, and the members themselves
are not touched:

    update      what the step changed, w' - w
    gradient    what one more copy is changed by whose optimizer is plain descent
                w' = w - 2^40 g, so g = (w - w') / 2^40 keeps g's own precision, however small

The gradient is that of the batch's cost: penalties, dropout, and batch moments as in training,
before clipping, noise and weight decay, all of which the update has. Activations are those of
prediction on dev rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepwell._native._core_module import available
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.networks._signals import layer_arrays, layer_names
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._registry import slots_of
from deepwell.training._program import (
    Chunk,
    Member,
    Outcome,
    Program,
    State,
    TrainingRows,
)

from ._layer_statistics import activation_statistics, quantiles

MOST_ROWS = 8_192
"""Dev rows that are looked at; of more, evenly spaced ones."""

_GAIN = 2.0**40  # of plain descent: w beside it is lost in rounding, g is not
_DIVIDING = ("adagrad", "rmsprop", "adam")  # by something of the gradient's size
_OFF = {
    "warmup_epochs": 0.0,
    "momentum": 0.0,
    "beta1": 0.0,
    "beta2": 0.0,
    "epsilon_root": 0.0,
    "weight_decay": 0.0,
    "max_norm": 0.0,
    "clip_value": 0.0,
    "clip_norm": 0.0,
    "gradient_noise": 0.0,
}


@dataclass(frozen=True)
class Inside:
    """What was measured inside a member with L layers, first to last; all arrays are float32.

    Attributes:
        layers: their names.
        activations, gradients, weights: (L, Q) quantiles.
        dead, saturated, zero: (L,) shares, as in `ActivationStatistics`.
        weight_norm, gradient_norm, update_norm: (L,) Euclidean norms over weights and biases.
        flat: (L,) share of activations in a flat part, as in `ActivationStatistics`.
    """

    layers: tuple[str, ...]
    activations: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray
    dead: np.ndarray
    saturated: np.ndarray
    zero: np.ndarray
    weight_norm: np.ndarray
    gradient_norm: np.ndarray
    update_norm: np.ndarray
    flat: np.ndarray


@dataclass(frozen=True)
class Where:
    """What members are looked into with.

    Attributes:
        program: that trains them, or any other one that can.
        rows: train and dev rows, of each data view.
        next_step: one step, of the epoch after the members'; it ends no epoch.
        levels: of the quantiles, rising from 0 to 1.
    """

    program: Program
    rows: TrainingRows
    next_step: Chunk
    levels: Sequence[float]


def look_inside(members: Sequence[Member], states: Sequence[State], where: Where) -> list[Inside]:
    """Return what is inside members; neither they nor their states are changed.

    Gradients are NaN where no program gives them, for networks with convolutional layers or
    augmented images trained by an Optax transformation; whatever a member that diverged does not
    have is NaN or infinite.

    Args:
        members: at most as many as the program has lanes.
        states: of the same members.
        where: what they are looked into with.
    """
    running = [_running(state) for state in states]
    updates = _stepped(where.program, members, running, where.next_step)
    slopes = _gradients(members, running, where)
    each = zip(members, states, updates, slopes, strict=True)
    return [_inside(member, state, (update, slope), where) for member, state, update, slope in each]


def _stepped(
    program: Program, members: Sequence[Member], states: Sequence[State], step: Chunk
) -> list[State]:
    """Return what the members' parameters change by in one step."""
    session = program.load(members, states)
    session.advance(step)
    with np.errstate(over="ignore", invalid="ignore"):  # of a member that diverges
        return [
            {name: new[name] - old[name] for name in member.architecture.parameter_shapes()}
            for member, old, new in zip(members, states, session.states(), strict=True)
        ]


def _gradients(
    members: Sequence[Member], states: Sequence[State], where: Where
) -> list[State | None]:
    """Return the gradients of one batch's cost; None where no program gives them."""
    found: list[State | None] = [None] * len(members)
    own = [n for n, member in enumerate(members) if not is_foreign(member.optimizer)]
    others = [n for n, m in enumerate(members) if is_foreign(m.optimizer) and _native(m)]
    for places, program_of in ((own, _same), (others, _native_program)):
        if not places:
            continue
        program = program_of(where)

        def stepped(
            copies: Sequence[Member], starts: Sequence[State], program: Program = program
        ) -> list[State]:
            session = program.load(copies, starts)
            session.advance(where.next_step)
            return session.states()

        some = [members[n] for n in places], [states[n] for n in places]
        for n, slope in zip(places, slopes_of(*some, stepped), strict=True):
            found[n] = slope
    return found


def slopes_of(
    members: Sequence[Member],
    states: Sequence[State],
    stepped: Callable[[Sequence[Member], Sequence[State]], Sequence[State]],
) -> list[State]:
    """Return the gradients of members by a step of copies of them that is nothing but a gradient.

    Args:
        members: none of them with a rule of Optax's that `stepped` does not replace.
        states: of the same members.
        stepped: gives the states of members after one step from these.
    """
    copies = [_descending(member) for member in members]
    pairs = zip(copies, states, strict=True)
    starts = [_without_memory(copy, state) for copy, state in pairs]
    with np.errstate(over="ignore", invalid="ignore"):  # of a member that diverges
        return [
            {n: (old[n] - new[n]) / _GAIN for n in member.architecture.parameter_shapes()}
            for member, old, new in zip(members, starts, stepped(copies, starts), strict=True)
        ]


def _native(member: Member) -> bool:
    images = any(member.number(name) for name in STRENGTHS)  # that it changes at random
    return available() and member.architecture.front is None and not images


def _same(where: Where) -> Program:
    return where.program


def _native_program(where: Where) -> Program:
    """Return a native program for dense members whose optimizer it has not."""
    from deepwell.training._native_views import native_program

    return native_program(where.program.structure, where.rows, where.program.lanes)


def _descending(member: Member) -> Member:
    """Return the member with plain descent of rate `_GAIN` on the cost, whatever its rule.

    A rule that divides by the gradient's size divides by that plus an epsilon, beside which the
    size is lost in rounding.
    """
    if is_foreign(member.optimizer):
        member = replace(member, optimizer="sgd")
    divides = member.optimizer in _DIVIDING
    scale = _GAIN if divides else 1.0
    numbers = {**member.numbers, **_OFF, "learning_rate": _GAIN * scale, "epsilon": scale}
    return replace(member, numbers=numbers, decay="constant")


def _without_memory(member: Member, state: State) -> State:
    """Return the state with nothing remembered by the optimizer."""
    slots = tuple(f"{slot}/" for slot in slots_of(member.optimizer))
    return {n: np.zeros_like(a) if n.startswith(slots) else a for n, a in state.items()}


def _running(state: State) -> State:
    return {**state, "outcome": np.asarray(Outcome.RUNNING, np.int64)}


def _inside(
    member: Member, state: State, changes: tuple[State, State | None], where: Where
) -> Inside:
    architecture = member.architecture
    update, gradient = changes
    layers = layer_arrays(architecture)
    weights, slopes = _by_layer(layers, state), _by_layer(layers, gradient)
    x = some_dev_rows(where.rows.views[member.view].x_dev)
    units = activation_statistics(architecture, state, x, where.levels)
    return Inside(
        layers=layer_names(architecture),
        activations=units.quantiles,
        gradients=_quantiles(slopes, where.levels),
        weights=_quantiles(weights, where.levels),
        dead=units.dead,
        saturated=units.saturated,
        zero=units.zero,
        weight_norm=_norms(weights),
        gradient_norm=_norms(slopes),
        update_norm=_norms(_by_layer(layers, update)),
        flat=units.flat,
    )


def some_dev_rows(x: np.ndarray) -> np.ndarray:
    """Return all rows (N, inputs), or of more than `MOST_ROWS` so many evenly spaced ones."""
    if len(x) <= MOST_ROWS:
        return x
    return x[np.linspace(0, len(x) - 1, MOST_ROWS).astype(np.int64)]


def _by_layer(layers: Sequence[Sequence[str]], arrays: State | None) -> list[np.ndarray]:
    """Return the weights and biases of each layer as one vector, NaN where there are none."""
    if arrays is None:
        return [np.array([np.nan])] * len(layers)
    return [np.concatenate([arrays[name].ravel() for name in names]) for names in layers]


def _quantiles(layers: Sequence[np.ndarray], levels: Sequence[float]) -> np.ndarray:
    with np.errstate(over="ignore"):  # beyond float32 a number is infinite
        return np.array([quantiles(values, levels) for values in layers]).astype(np.float32)


def _norms(layers: Sequence[np.ndarray]) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        squares = [np.square(values, dtype=np.float64).sum() for values in layers]
        return np.sqrt(squares).astype(np.float32)
