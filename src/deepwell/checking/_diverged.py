"""Why a network diverged: the step and the operation that first made a number not finite.

The network is trained again from its start by the program that trained it, which gives the same
numbers, up to the first step after which a weight is not finite or in which the cost is not. That
step is taken apart: its forward pass in NumPy, its gradient by one more step of the program with
rate 1 and no penalties (which moves each weight by its gradient), its update by the pure rules of
the optimizers. Blamed is the operation from which on all is infinite or NaN up to the cost; what
is not finite for a moment, as before a tanh, does no harm.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell._native._core_module import available
from deepwell.data._batches import steps_per_epoch
from deepwell.networks._architecture import Architecture
from deepwell.optimization._clipping import clipped_by_value, norm_scale
from deepwell.optimization._decay import DECAYS, Time
from deepwell.optimization._foreign import is_foreign
from deepwell.optimization._learning_rate import SCHEDULE_NUMBERS, warmed
from deepwell.optimization._penalties import l1_slope
from deepwell.optimization._registry import OPTIMIZERS
from deepwell.optimization._weight_decay import kept_share
from deepwell.training._changing import changing
from deepwell.training._program import (
    NUMBERS,
    Chunk,
    Member,
    Outcome,
    Program,
    ProgramOptions,
    State,
    TrainingRows,
)
from deepwell.training._window import windowed

from ._training_pass import Done, batch_of, prediction_pass, training_pass

_REMEMBERED = 5  # steps before the one that diverged whose weights are told
_KINDS = {"weights": "weights", "biases": "biases", "kernels": "weights", "offsets": "biases"}
_OF_FRONT = (
    "kernels",
    "offsets",
    "channel_scales",
    "channel_shifts",
    "channel_means",
    "channel_variances",
)
_KEPT = ("mixup", "input_noise", "label_smoothing", "batch_norm_momentum", *SCHEDULE_NUMBERS)


@dataclass(frozen=True)
class Rerun:
    """What trains a network again, apart from the others.

    Attributes:
        program: that trained it.
        member: the network.
        rows: that the program trains on.
        order: epoch -> the rows of its batches, as in `Chunk`.
        epochs: to train at most.
        state: where to begin; None at its start.
    """

    program: Program
    member: Member
    rows: TrainingRows
    order: Callable[[int], np.ndarray]
    epochs: int
    state: State | None = None


@dataclass(frozen=True)
class Broken:
    """The first operation in the training of a network that made a NaN or an infinity.

    Attributes:
        epoch: in which it happened, counted from 1.
        step: the update step, counted from 1 over all epochs.
        operation: in words, as in `weighted sums`, `gradient of the weights`, `update by adam`.
        direction: `forward`, `backward`, or `update` for penalties, clipping and the optimizer.
        layer: where, as in `hidden 2`; empty where it is of no layer, as a mean loss.
        detail: the sizes around it, in words.
        layers: names of the network's layers, first to last.
        steps: the update steps before it after which the weights were measured, first to last.
        weight_norms: of each layer the Euclidean norm of its weights after each of `steps`.
    """

    epoch: int
    step: int
    operation: str
    direction: str
    layer: str
    detail: str
    layers: tuple[str, ...]
    steps: tuple[int, ...]
    weight_norms: tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class _Step:
    """One step with what is before and after it."""

    epoch: int
    order: np.ndarray  # (1, B), or (V, 1, B)
    before: State
    after: State

    @property
    def number(self) -> int:
        return int(self.before["step"]) + 1


def first_non_finite(rerun: Rerun, *, may_compile: bool = True) -> Broken | None:
    """Return the operation with which a network diverged, or None when it did not.

    Limits: rows of images that are changed at random are taken as they are. An Optax optimizer is
    one operation. Where rounding decides, NumPy may find a step finite that was not; what is told
    then names the pass, not the operation.

    Args:
        rerun: the network and what trains it.
        may_compile: whether a program may be compiled to take a step's gradient; without, the
            backward pass of networks that only JAX trains is told as a whole.
    """
    states = deque[tuple[int, State]](maxlen=_REMEMBERED)
    state = rerun.state
    if state is None:
        state = rerun.program.load([rerun.member], [None]).states()[0]
    for epoch in range(int(state["epoch"]) + 1, rerun.epochs + 1):
        after = _advanced(rerun, state, epoch)
        if int(after["outcome"]) == Outcome.DIVERGED or not _is_finite(rerun, after):
            with np.errstate(all="ignore"):
                step = _within(rerun, state, epoch, states)
                now = replace(rerun, member=rerun.member.during(epoch))
                return _told(now, step, states, may_compile)
        if int(after["outcome"]) != Outcome.RUNNING:
            return None
        states.append((int(state["step"]), state))
        state = after
    return None


def _advanced(rerun: Rerun, state: State, epoch: int) -> State:
    """Return the state after what is left of an epoch."""
    order = _left(rerun, state, rerun.order(epoch))
    at_once = max(1, rerun.program.structure.steps)
    session = changing(rerun.program.load([rerun.member], [state]), [rerun.member])
    steps = order.shape[-2]
    for first in range(0, max(1, steps), at_once):
        part = order[..., first : first + at_once, :]
        session.advance(_chunk(rerun, part, epoch, last=first + at_once >= steps))
    return session.states()[0]


def _left(rerun: Rerun, state: State, order: np.ndarray) -> np.ndarray:
    done = int(state["step"]) - int(state["epoch"]) * order.shape[-2]
    return order[..., done:, :]


def _chunk(rerun: Rerun, order: np.ndarray, epoch: int, *, last: bool) -> Chunk:
    chunk = Chunk(np.ascontiguousarray(order), epoch, last)
    return windowed(chunk, rerun.rows) if rerun.rows.streamed and order.size else chunk


def _within(
    rerun: Rerun, state: State, epoch: int, states: deque[tuple[int, State]]
) -> _Step | None:
    """Return the step of an epoch that is not finite, None where only the dev rows show it."""
    session = changing(rerun.program.load([rerun.member], [state]), [rerun.member])
    order = _left(rerun, state, rerun.order(epoch))
    for index in range(order.shape[-2]):
        states.append((int(state["step"]), state))
        part = order[..., index : index + 1, :]
        session.advance(_chunk(rerun, part, epoch, last=False))
        after = session.states()[0]
        if int(after["outcome"]) == Outcome.DIVERGED or not _is_finite(rerun, after):
            return _Step(epoch, part, state, after)
        state = after
    states.append((int(state["step"]), state))
    return None


def _names(rerun: Rerun) -> list[str]:
    a = rerun.member.architecture
    return [*a.parameter_shapes(), *a.statistic_shapes()]


def _is_finite(rerun: Rerun, state: State) -> bool:
    return all(np.isfinite(state[name]).all() for name in _names(rerun))


def _told(
    rerun: Rerun,
    step: _Step | None,
    states: deque[tuple[int, State]],
    may_compile: bool,
) -> Broken:
    if step is None:
        last = states[-1][1]
        number, epoch = int(last["step"]), int(last["epoch"]) + 1
        blamed, direction = _on_dev_rows(rerun, last), "forward"
    else:
        number, epoch = step.number, step.epoch
        blamed, direction = _in_step(rerun, step, may_compile)
    layers = _layers(rerun.member.architecture)
    steps = tuple(count for count, _ in states)
    norms = tuple(
        tuple(_weight_norm(state, prefix) for _, state in states) for prefix in layers.values()
    )
    return Broken(
        epoch,
        number,
        blamed.operation,
        direction,
        blamed.layer,
        _detail(list(layers), steps, norms, blamed),
        tuple(layers),
        steps,
        norms,
    )


def _layers(network: Architecture) -> dict[str, str]:
    """Return the name of each layer and that of its weights."""
    front = len(network.front.channels) if network.front else 0
    named = {f"convolution {i + 1}": f"kernels/{i}" for i in range(front)}
    named |= {f"hidden {i + 1}": f"weights/{i}" for i in range(len(network.hidden))}
    return named | {"output": f"weights/{network.layers - 1}"}


def _weight_norm(state: State, name: str) -> float:
    return float(np.linalg.norm(state[name].astype(np.float64).ravel()))


def _detail(
    layers: list[str],
    steps: tuple[int, ...],
    norms: tuple[tuple[float, ...], ...],
    blamed: Done,
) -> str:
    """Return how the weights grew, of the blamed layer or else of the one that grew most."""

    def growth(place: int) -> float:
        return norms[place][-1] / max(norms[place][0], np.finfo(float).tiny)

    place = max(range(len(layers)), key=growth)
    if blamed.layer in layers and growth(layers.index(blamed.layer)) >= 2:
        place = layers.index(blamed.layer)
    shown = ", ".join(f"{norm:.3g}" for norm in norms[place])
    after = ", ".join(f"{count:,}" for count in steps)
    return f"norm of the weights of {layers[place]} {shown} after steps {after}"


def _culprit(done: Iterable[Done]) -> Done | None:
    """Return the operation from which on all is infinite or NaN; None where the last is not."""
    first: Done | None = None
    for one in done:
        if np.isfinite(one.output).all():
            first = None
        elif first is None:
            first = one
    return first


def _on_dev_rows(rerun: Rerun, state: State) -> Done:
    rows = rerun.rows.views[rerun.member.view]
    network = rerun.member.architecture
    found = _culprit(prediction_pass(network, state, rows.x_dev, rows.y_dev))
    if found is None:
        return Done("prediction for the dev rows", "", np.zeros(0))
    return replace(found, operation=f"{found.operation} on the dev rows")


def _in_step(rerun: Rerun, step: _Step, may_compile: bool) -> tuple[Done, str]:
    """Return the operation of a step that is to blame, and its pass."""
    member, rows = rerun.member, rerun.rows.views[rerun.member.view]
    order = step.order[member.view] if step.order.ndim == 3 else step.order
    batch = batch_of(rows, order[0], member.dtype)
    found = _culprit(training_pass(member, step.before, batch, step.number))
    if found is not None:
        return found, "forward"
    if int(step.after["outcome"]) == Outcome.DIVERGED and _is_finite(rerun, step.after):
        return Done("mean loss, by rounding", "", np.zeros(0)), "forward"
    gradient = _gradient(rerun, step, may_compile)
    if gradient is None:
        return Done("gradient or update", "", np.zeros(0)), "backward"
    for name in _backward_order(member.architecture):
        if not np.isfinite(gradient[name]).all():
            return _of(f"gradient of the {_kind(name)}", member, name), "backward"
    return _in_update(rerun, step, gradient), "update"


def _backward_order(network: Architecture) -> list[str]:
    """Return the parameters in the order in which the backward pass reaches their layers."""
    names = list(network.parameter_shapes())
    layers = [list(group) for _, group in itertools.groupby(names, _layer_of)]
    return [name for layer in reversed(layers) for name in layer]


def _layer_of(name: str) -> tuple[bool, int]:
    kind, _, place = name.partition("/")
    return kind in _OF_FRONT, int(place)


def _kind(name: str) -> str:
    return _KINDS.get(name.split("/")[0], "batch normalization")


def _of(operation: str, member: Member, name: str) -> Done:
    """Return an operation on a parameter with the name of its layer."""
    kind, _, place = name.partition("/")
    layer = f"hidden {int(place) + 1}"
    if kind in _OF_FRONT:
        layer = f"convolution {int(place) + 1}"
    elif int(place) == member.architecture.layers - 1:
        layer = "output"
    return Done(operation, layer, np.zeros(0))


def _gradient(rerun: Rerun, step: _Step, may_compile: bool) -> State | None:
    """Return the gradient of a step's mean loss: what descent with rate 1 takes from the weights.

    None where that needs a program to be compiled and none may be.
    """
    member = rerun.member
    off = {name: 0.0 for name in NUMBERS if name not in _KEPT}
    off |= {name: member.number(name) for name in _KEPT} | {"warmup_epochs": 0.0}
    off |= {"learning_rate": 1.0}
    plain = replace(
        member, optimizer="sgd", decay="constant", initializer="zeros", numbers=off, patience=0
    )
    program = _plain_program(rerun, may_compile)
    if program is None:
        return None
    session = program.load([plain], [step.before])
    session.advance(_chunk(rerun, step.order, step.epoch, last=False))
    after = session.states()[0]
    return {
        name: step.before[name] - after[name] for name in member.architecture.parameter_shapes()
    }


def _plain_program(rerun: Rerun, may_compile: bool) -> Program | None:
    """Return a program that can take plain descent's step."""
    structure = rerun.program.structure
    if not structure.optimizer:  # the native program's members choose their own
        return rerun.program
    if available() and rerun.member.architecture.front is None:
        from deepwell.training._native_program import NativeProgram
        from deepwell.training._native_views import NativeViewsProgram

        make = NativeViewsProgram if len(rerun.rows.views) > 1 else NativeProgram
        return make(structure, rerun.rows, lanes=1, threads=1)
    if not may_compile:
        return None
    from deepwell.training._jax_program import JaxProgram

    extras = tuple(name for name in structure.extras if name in ("mixup", "input_noise"))
    plain = replace(structure, optimizer="sgd", extras=extras)
    return JaxProgram(plain, rerun.rows, ProgramOptions(lanes=1))


def _in_update(rerun: Rerun, step: _Step, gradient: State) -> Done:
    """Return the operation between a finite gradient and weights that are not finite."""
    member = rerun.member
    if not is_foreign(member.optimizer):
        for done in _update(rerun, step, gradient):
            if not np.isfinite(done.output).all():
                return done
    worse = [name for name in _names(rerun) if not np.isfinite(step.after[name]).all()]
    operation = f"update by {member.optimizer}"
    of_batch = ("means", "variances", "channel_means", "channel_variances")
    if worse and worse[0].startswith(of_batch):
        operation = "moments of batch normalization"
    return _of(operation, member, worse[0]) if worse else Done(operation, "", np.zeros(0))


def _update(rerun: Rerun, step: _Step, gradient: State) -> Iterator[Done]:
    """Yield the operations from the gradient of the mean loss to the new weights."""
    member, kind = rerun.member, np.dtype(rerun.member.dtype).type
    number = {name: kind(member.number(name)) for name in NUMBERS}
    per_epoch = steps_per_epoch(
        max(len(view.y_train) for view in rerun.rows.views), rerun.program.structure.batch
    )
    time = Time(kind(step.epoch), kind(step.number), kind(per_epoch))
    rate = number["learning_rate"] * kind(
        DECAYS[member.decay](number, time, np) * warmed(number, time, np)
    )
    slopes: dict[str, np.ndarray] = {}
    for name in _backward_order(member.architecture):
        g, w = gradient[name], step.before[name]
        if _kind(name) == "weights":
            g = g + number["l2"] * w + l1_slope(w, number["l1"], np)
            yield replace(_of("penalty", member, name), output=g)
        slopes[name] = clipped_by_value(g, number["clip_value"], np)
    if number["clip_norm"] > 0:
        scale = norm_scale(slopes.values(), number["clip_norm"], np)
        slopes = {name: g * scale for name, g in slopes.items()}
        yield Done("clipping by norm", "", np.asarray(scale))
    rule: Any = OPTIMIZERS[member.optimizer]
    local = {**number, "learning_rate": rate, "rms_from_first": member.rms_start != "zero"}
    for name, g in slopes.items():
        held = tuple(step.before[f"{slot}/{name}"] for slot in rule.slots)
        change, _ = rule.change(g, held, local, kind(step.number), np)
        yield replace(_of(f"update by {member.optimizer}", member, name), output=change)
        kept = kept_share(rate, number["weight_decay"]) if _kind(name) == "weights" else 1
        moved = kept * step.before[name] + change
        yield replace(_of(f"{_kind(name)} after the update", member, name), output=moved)
