"""Why a network diverged: the step and the operation that first made a number not finite.

The network is trained again from its start by the program that trained it, which gives the same
numbers, up to the first step after which a weight is not finite or in which the cost is not. That
step is taken apart: its forward pass in NumPy, its gradient by one more step of the program with
rate 1 and no penalties (which moves each weight by its gradient), its update by the pure rules of
the optimizers. Blamed is the operation from which on all is infinite or NaN up to the cost; what
is not finite for a moment, as before a tanh, does no harm.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.training._changing import changing
from deepwell.training._program import Outcome, State

from ._broken_step import blamed_in_step, blamed_on_dev_rows
from ._rerun import Rerun, Step, chunk_of, is_finite
from ._training_pass import Done

_REMEMBERED = 5  # steps before the one that diverged whose weights are told


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
        if int(after["outcome"]) == Outcome.DIVERGED or not is_finite(rerun, after):
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
        session.advance(chunk_of(rerun, part, epoch, last=first + at_once >= steps))
    return session.states()[0]


def _left(rerun: Rerun, state: State, order: np.ndarray) -> np.ndarray:
    done = int(state["step"]) - int(state["epoch"]) * order.shape[-2]
    return order[..., done:, :]


def _within(
    rerun: Rerun, state: State, epoch: int, states: deque[tuple[int, State]]
) -> Step | None:
    """Return the step of an epoch that is not finite, None where only the dev rows show it."""
    session = changing(rerun.program.load([rerun.member], [state]), [rerun.member])
    order = _left(rerun, state, rerun.order(epoch))
    for index in range(order.shape[-2]):
        states.append((int(state["step"]), state))
        part = order[..., index : index + 1, :]
        session.advance(chunk_of(rerun, part, epoch, last=False))
        after = session.states()[0]
        if int(after["outcome"]) == Outcome.DIVERGED or not is_finite(rerun, after):
            return Step(epoch, part, state, after)
        state = after
    states.append((int(state["step"]), state))
    return None


def _told(
    rerun: Rerun,
    step: Step | None,
    states: deque[tuple[int, State]],
    may_compile: bool,
) -> Broken:
    if step is None:
        last = states[-1][1]
        number, epoch = int(last["step"]), int(last["epoch"]) + 1
        blamed, direction = blamed_on_dev_rows(rerun, last), "forward"
    else:
        number, epoch = step.number, step.epoch
        blamed, direction = blamed_in_step(rerun, step, may_compile)
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
