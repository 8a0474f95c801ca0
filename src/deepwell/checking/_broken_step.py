"""A step that came out infinite or NaN, taken apart: which operation is to blame.

Blamed is the operation from which on all is infinite or NaN up to the cost; what is not finite for
a moment, as before a tanh, does no harm.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace
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
from deepwell.training._program import NUMBERS, Member, Outcome, Program, ProgramOptions, State

from ._rerun import Rerun, Step, arrays_of, chunk_of, is_finite
from ._training_pass import Done, batch_of, prediction_pass, training_pass

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


def _culprit(done: Iterable[Done]) -> Done | None:
    """Return the operation from which on all is infinite or NaN; None where the last is not."""
    first: Done | None = None
    for one in done:
        if np.isfinite(one.output).all():
            first = None
        elif first is None:
            first = one
    return first


def blamed_on_dev_rows(rerun: Rerun, state: State) -> Done:
    """Return the operation that is to blame where finite weights make no finite dev cost."""
    rows = rerun.rows.views[rerun.member.view]
    network = rerun.member.architecture
    found = _culprit(prediction_pass(network, state, rows.x_dev, rows.y_dev))
    if found is None:
        return Done("prediction for the dev rows", "", np.zeros(0))
    return replace(found, operation=f"{found.operation} on the dev rows")


def blamed_in_step(rerun: Rerun, step: Step, may_compile: bool) -> tuple[Done, str]:
    """Return the operation of a step that is to blame, and its pass."""
    member, rows = rerun.member, rerun.rows.views[rerun.member.view]
    order = step.order[member.view] if step.order.ndim == 3 else step.order
    batch = batch_of(rows, order[0], member.dtype)
    found = _culprit(training_pass(member, step.before, batch, step.number))
    if found is not None:
        return found, "forward"
    if int(step.after["outcome"]) == Outcome.DIVERGED and is_finite(rerun, step.after):
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


def _gradient(rerun: Rerun, step: Step, may_compile: bool) -> State | None:
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
    session.advance(chunk_of(rerun, step.order, step.epoch, last=False))
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


def _in_update(rerun: Rerun, step: Step, gradient: State) -> Done:
    """Return the operation between a finite gradient and weights that are not finite."""
    member = rerun.member
    if not is_foreign(member.optimizer):
        for done in _update(rerun, step, gradient):
            if not np.isfinite(done.output).all():
                return done
    worse = [name for name in arrays_of(rerun) if not np.isfinite(step.after[name]).all()]
    operation = f"update by {member.optimizer}"
    of_batch = ("means", "variances", "channel_means", "channel_variances")
    if worse and worse[0].startswith(of_batch):
        operation = "moments of batch normalization"
    return _of(operation, member, worse[0]) if worse else Done(operation, "", np.zeros(0))


def _update(rerun: Rerun, step: Step, gradient: State) -> Iterator[Done]:
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
