"""The checks that a program which was compiled for training allows, without another compilation.

For networks that the native program does not have, as convolutional ones: an order that visits a
few rows alone, and numbers that switch penalties and dropout off. Such a program has no plain
descent in float64, and no rows of zeros; what needs these is left out.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.training._program import Member, Program, TrainingRows

from ._first_steps import FEW, fits_of
from ._first_steps_apart import costs_mixed
from ._first_steps_bench import Bench
from ._first_steps_fit import tries
from ._first_steps_rows import Sample, apart, read_sample, sampled
from ._first_steps_start import SEEDS, start_loss

_WORK = 4e9  # multiply-adds: about half a second of two cores
_STEPS = 120  # the budget of a fit; a step takes longer here than its arithmetic
_LEFT_OUT = "gradient and zeroed inputs: this program was compiled for training alone"


def compiled_first_steps(program: Program, member: Member, rows: TrainingRows) -> dict[str, Any]:
    """Try a network on a few of its rows with the program that is to train it.

    Args:
        program: as compiled.
        member: a network that fits it.
        rows: the train rows that the program holds.

    Returns:
        Fields of `FirstSteps`, `left_out` among them.
    """
    structure = program.structure
    few = min(structure.batch, len(rows.y_train))
    step = float(structure.network.multiply_adds()) * structure.batch
    places = sampled(rows.y_train, rows.weight_train, few)
    sample = read_sample(rows.x_train, rows.y_train, rows.weight_train, places)
    bench = Bench(
        program, places, len(rows.y_train), structure.batch, structure.steps, structure.views
    )
    if 2 * SEEDS * step > _WORK:
        return {"left_out": ("all checks: a few steps of these networks take too long",)}
    found: dict[str, Any] = {"rows": len(sample), "left_out": (_LEFT_OUT,)}
    found["start"] = start_loss(bench, member, sample)
    batch = np.arange(len(sample))
    if len(sample) > 1 and member.architecture.batch_norm == "none":
        found["mixed"] = costs_mixed(bench, member, sample, batch)
    return found | _fitted(bench, member, sample, int(_WORK / step))


def _fitted(bench: Bench, member: Member, sample: Sample, steps: int) -> dict[str, Any]:
    members = tries(member, adam=False)
    classes = member.architecture.loss != "squared"
    rows = apart(sample.x, sample.y, max(FEW), classes=classes)
    most = min(_STEPS, steps // (len(members) * len(FEW)))
    return fits_of(bench, members, sample, rows, most)
