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

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from deepwell._native._core_module import available
from deepwell.networks._signals import layer_arrays, layer_names
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._registry import slots_of
from deepwell.records import Probe
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


def probe_members(
    program: Program,
    members: Mapping[int, Member],
    states: Mapping[int, State],
    rows: TrainingRows,
    next_step: Chunk,
) -> list[Probe]:
    """Return a probe of each member; none of them, nor its state, is changed.

    Gradient and update are NaN where no program gives them: for convolutional layers trained by
    an Optax transformation the gradient, and both for a member that diverged.

    Args:
        program: that trains them, or any other one that can.
        members: trial number -> member, at most as many as the program has lanes.
        states: of the same trials.
        rows: train and dev rows, of each data view.
        next_step: one step, of the epoch after the states'; it ends no epoch.
    """
    numbers = list(members)
    chosen = [members[n] for n in numbers]
    running = [_running(states[n]) for n in numbers]
    updates = _stepped(program, chosen, running, next_step)
    slopes = _gradients(program, chosen, running, rows, next_step)
    return [
        _probe(number, members[number], states[number], rows, (update, slope))
        for number, update, slope in zip(numbers, updates, slopes, strict=True)
    ]


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
    program: Program,
    members: Sequence[Member],
    states: Sequence[State],
    rows: TrainingRows,
    step: Chunk,
) -> list[State | None]:
    """Return the gradients of one batch's cost; None where no program gives them."""
    found: list[State | None] = [None] * len(members)
    own = [n for n, member in enumerate(members) if not is_foreign(member.optimizer)]
    others = [n for n, m in enumerate(members) if is_foreign(m.optimizer) and _native(m)]
    for places, trains in ((own, program), (others, _native_program(program, rows))):
        if not places or trains is None:
            continue
        copies = [_descending(members[n]) for n in places]
        starts = [_without_memory(copies[i], states[n]) for i, n in enumerate(places)]
        for n, change in zip(places, _stepped(trains, copies, starts, step), strict=True):
            found[n] = {name: delta / -_GAIN for name, delta in change.items()}
    return found


def _native(member: Member) -> bool:
    return available() and member.architecture.front is None


def _native_program(program: Program, rows: TrainingRows) -> Program:
    """Return a native program for dense members of a program whose optimizers it has not."""
    if rows.others:
        from deepwell.training._native_views import NativeViewsProgram

        return NativeViewsProgram(program.structure, rows, lanes=program.lanes)
    from deepwell.training._native_program import NativeProgram

    return NativeProgram(program.structure, rows, lanes=program.lanes)


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


def _probe(
    number: int,
    member: Member,
    state: State,
    rows: TrainingRows,
    changes: tuple[State, State | None],
) -> Probe:
    architecture = member.architecture
    update, gradient = changes
    layers = layer_arrays(architecture)
    weights, slopes = _by_layer(layers, state), _by_layer(layers, gradient)
    units = activation_statistics(architecture, state, some_dev_rows(rows.views[member.view].x_dev))
    return Probe(
        trial=number,
        epoch=int(state["epoch"]),
        step=int(state["step"]),
        layers=layer_names(architecture),
        activations=units.quantiles,
        gradients=_quantiles(slopes),
        weights=_quantiles(weights),
        dead=units.dead,
        saturated=units.saturated,
        zero=units.zero,
        weight_norm=_norms(weights),
        gradient_norm=_norms(slopes),
        update_norm=_norms(_by_layer(layers, update)),
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


def _quantiles(layers: Sequence[np.ndarray]) -> np.ndarray:
    with np.errstate(over="ignore"):  # beyond float32 a number is infinite
        return np.array([quantiles(values) for values in layers]).astype(np.float32)


def _norms(layers: Sequence[np.ndarray]) -> np.ndarray:
    with np.errstate(over="ignore", invalid="ignore"):
        squares = [np.square(values, dtype=np.float64).sum() for values in layers]
        return np.sqrt(squares).astype(np.float32)
