"""What an expert tries before a long training: six small experiments with one network.

Karpathy, "A Recipe for Training Neural Networks" (2019), and the notes of the course CS231n name
them; the thresholds here are derived or measured on a healthy twin. Each experiment is in a file of
its own; nothing here judges, the measurements leave as plain fields of the records `FirstSteps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.networks._forward import activations
from deepwell.training._program import Member, TrainingRows
from deepwell.training._state import initial_state

from ._first_steps_apart import rows_mixed, units_alike
from ._first_steps_bench import Bench, bare, native_bench
from ._first_steps_fit import STEPS, Fit, few_rows, tries
from ._first_steps_gradient import ROWS as GRADIENT_ROWS
from ._first_steps_gradient import gradient_error
from ._first_steps_inputs import inputs_used
from ._first_steps_rows import Sample, apart, read_sample, sampled
from ._first_steps_start import start_loss

FEW = (2, 20)


def first_steps(member: Member, rows: TrainingRows, *, own_rule: bool = True) -> dict[str, Any]:
    """Try a dense network on a few of its rows with the native program.

    Args:
        member: a network of the population that is to be trained.
        rows: train and dev rows.
        own_rule: whether the native program has the member's optimizer.

    Returns:
        Fields of `FirstSteps`: `rows`, `start`, `gradient`, `fits`, `moved`, `inputs`, `mixed`,
        `alike`.
    """
    if not own_rule:
        member = replace(member, optimizer="adam")
    train = _sample(rows.x_train, rows.y_train, rows.weight_train)
    dev = _sample(rows.x_dev, rows.y_dev, rows.weight_dev)
    doubled = Sample(
        np.concatenate([train.x, np.zeros_like(train.x)]),
        np.concatenate([train.y, train.y]),
        np.concatenate([train.weight, train.weight]),
    )
    bench = native_bench(member, doubled.x, doubled.y, doubled.weight)
    found: dict[str, Any] = {"start": start_loss(bench, member, train)}
    found |= _fitted(member, train, own_rule=own_rule)
    batch = np.arange(len(train))[:: max(1, len(train) // GRADIENT_ROWS)][:GRADIENT_ROWS]
    found["gradient"] = gradient_error(bench, member, batch)
    if member.architecture.batch_norm == "none" and len(batch) > 1:
        found["mixed"] = rows_mixed(bench, member, train, batch)
    found["inputs"] = inputs_used(bench, member, train, dev)
    found["rows"] = len(train)
    return found


def _fitted(member: Member, train: Sample, *, own_rule: bool) -> dict[str, Any]:
    """Return what the fits of a few rows showed, and whether units became unlike."""
    chosen = rows_to_fit(member, train)
    few = Sample(train.x[chosen], train.y[chosen], np.ones(len(chosen), np.float32))
    bench = native_bench(member, few.x, few.y, few.weight)
    members = tries(member, adam=True)[0 if own_rule else 1 :]
    found = fits_of(bench, members, few, np.arange(len(chosen)))
    return found if own_rule else {**found, "moved": float("nan")}


def fits_of(
    bench: Bench, members: Sequence[Member], sample: Sample, rows: np.ndarray, most: int = STEPS
) -> dict[str, Any]:
    """Return the fields `fits`, `moved` and `alike`: two rows fitted, and if they are, twenty.

    Args:
        bench: holds the sample.
        members: the network with several rules and rates.
        sample: the rows of the bench.
        rows: those that may be fitted, in the order in which they are taken.
        most: the budget of steps of each fit.
    """
    fits: list[Fit] = []
    for size in sorted({min(n, len(rows)) for n in FEW}):
        alike = len(np.unique(sample.y[rows[:size]])) < 2  # a constant fits them
        if size > 1 and not alike and all(fit.found["fitted"] for fit in fits):
            fits.append(few_rows(bench, members, sample, rows[:size], most))
    if not fits:
        return {"fits": [], "moved": float("nan"), "alike": []}
    return {
        "fits": [fit.found for fit in fits],
        "moved": fits[-1].moved,
        "alike": units_alike(members[0].architecture, fits[-1].state),
    }


def rows_to_fit(member: Member, train: Sample) -> np.ndarray:
    """Return rows that the network tells apart as it starts, or whose inputs at least differ."""
    a = member.architecture
    one = bare(member, 1.0)
    begun = initial_state(one)
    classes = a.loss != "squared"
    with np.errstate(over="ignore", invalid="ignore"):
        features = activations(one.architecture, begun, train.x, a.layers - 1)
        if np.isfinite(features).all():
            rows = apart(features, train.y, max(FEW), classes=classes)
            if len(rows) > 1:
                return rows
    return apart(train.x, train.y, max(FEW), classes=classes)


def _sample(x: np.ndarray, y: np.ndarray, weight: np.ndarray) -> Sample:
    return read_sample(x, y, weight, sampled(y, weight))
