"""The checks by a program that was compiled for training, without another compilation.

For networks that the native program does not have, as convolutional ones. The few rows that are
visited come with each call, so that rows of zeros can be among them, and rows that lie in a file;
numbers switch penalties and dropout off. There is no plain descent in float64 here: the gradient is
compared with costs by NumPy, and rows that mix show in the costs alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.optimization._foreign import is_foreign
from deepwell.training._program import Member, Program, TrainingRows, Window

from ._first_steps import FEW, fits_of
from ._first_steps_apart import costs_mixed
from ._first_steps_bench import Bench
from ._first_steps_fit import tries
from ._first_steps_gradient import ROWS as GRADIENT_ROWS
from ._first_steps_gradient import gradient_error_of_rule
from ._first_steps_inputs import STAGES, inputs_used
from ._first_steps_rows import ROWS, Sample, apart, read_sample, sampled
from ._first_steps_start import SEEDS, start_loss

_WORK = 4e9  # multiply-adds: about half a second of two cores
_STEPS = 120  # the budget of a fit; a step takes longer here than its arithmetic
_FORWARD = 5e7  # multiply-adds of a forward pass in NumPy
_HELD = 64 << 20  # bytes of the rows of a program that may come with a call
_LEAST = 32  # rows that can tell whether inputs are used


def compiled_first_steps(program: Program, member: Member, rows: TrainingRows) -> dict[str, Any]:
    """Try a network on a few of its rows with the program that is to train it.

    Args:
        program: as compiled.
        member: a network that fits it.
        rows: train and dev rows of its data view.

    Returns:
        Fields of `FirstSteps`, `left_out` among them.
    """
    structure = program.structure
    step = float(structure.network.multiply_adds()) * structure.batch
    if 2 * SEEDS * step > _WORK:
        return {"left_out": ("all checks: a few steps of these networks take too long",)}
    places = sampled(rows.y_train, rows.weight_train, structure.batch)
    some = read_sample(rows.x_train, rows.y_train, rows.weight_train, places)
    limits = structure.batch, structure.steps, structure.views
    most = _room(program, rows, len(some))
    train = _sample(rows.x_train, rows.y_train, rows.weight_train, most)
    bench = Bench(program, places, len(rows.y_train), *limits)
    if most or rows.streamed:
        window = _window(some, train)
        bench = Bench(program, np.arange(len(some)), len(window.y), *limits, window)
    found: dict[str, Any] = {"rows": len(some), "start": start_loss(bench, member, some)}
    batch = np.arange(len(some))
    if len(some) > 1 and member.architecture.batch_norm == "none":
        found["mixed"] = costs_mixed(bench, member, some, batch)
    found |= _fitted(bench, member, some, int(_WORK / step))
    left_out: list[str] = []
    if is_foreign(member.optimizer):
        left_out.append(f"gradient: {member.optimizer} does not tell it")
    else:
        few = batch[: max(2, min(GRADIENT_ROWS, _affordable(member)))]
        found["gradient"] = gradient_error_of_rule(bench, member, some, few)
    if len(train) >= min(_LEAST, len(rows.y_train)):
        both = replace(bench, places=np.arange(len(some), len(some) + 2 * len(train)))
        found["inputs"] = _inputs(both, member, (train, _dev(member, rows)), int(_WORK / step))
    else:
        left_out.append("zeroed inputs: the program takes too few rows, or too many, at a time")
    return found | {"left_out": tuple(left_out)}


def _room(program: Program, rows: TrainingRows, some: int) -> int:
    """Return how many rows may come with a call twice, once zeroed; 0 for no rows at all.

    What comes is padded to all rows that the program holds, which for many takes long.
    """
    structure = program.structure
    held = 4 * structure.views * structure.train_rows * structure.inputs  # at most
    if held > _HELD and not rows.streamed:
        return 0
    return min(ROWS, max(0, (structure.train_rows - 1 - some) // 2))


def _window(some: Sample, train: Sample) -> Window:
    """Return rows for a call: some, others to train on, and those with zeroed inputs."""
    seen = (some, train, replace(train, x=np.zeros_like(train.x)))
    return Window(*(np.concatenate([getattr(s, n) for s in seen]) for n in ("x", "y", "weight")))


def _inputs(
    bench: Bench, member: Member, rows: tuple[Sample, Sample], steps: int
) -> dict[str, Any]:
    members = tries(member, adam=False)
    most = max(1, steps // (2 * len(members)))
    stages = [goal for goal in STAGES if goal <= most] or [most]
    return inputs_used(bench, member, *rows, members, stages)


def _fitted(bench: Bench, member: Member, sample: Sample, steps: int) -> dict[str, Any]:
    members = tries(member, adam=False)
    classes = member.architecture.loss != "squared"
    rows = apart(sample.x, sample.y, max(FEW), classes=classes)
    most = min(_STEPS, steps // (len(members) * len(FEW)))
    return fits_of(bench, members, sample, rows, most)


def _dev(member: Member, rows: TrainingRows) -> Sample:
    most = min(ROWS, max(_LEAST, _affordable(member)))
    return _sample(rows.x_dev, rows.y_dev, rows.weight_dev, most)


def _affordable(member: Member) -> int:
    """Return how many rows may go through the network in NumPy at a time."""
    return int(_FORWARD / member.architecture.forward_multiply_adds())


def _sample(x: np.ndarray, y: np.ndarray, weight: np.ndarray, most: int) -> Sample:
    return read_sample(x, y, weight, sampled(y, weight, most))
