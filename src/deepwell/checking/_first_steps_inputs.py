"""Are the inputs used? A network trained on zeroed inputs must do worse than on the real ones.

Both are trained for the same few steps from the same weights on the same batches, one on the rows,
one on rows of zeros, and both are scored on dev rows of their own kind: a paired comparison, row
by row. On zeros the best that can be learned is a constant guess.

When the real inputs do no better there are two reasons, and a linear model tells them apart: where
it does better than a constant the inputs carry something that the network does not use; where it
does not, nobody can see that they carry anything.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deepwell.networks._forward import forward
from deepwell.networks._losses import LOSSES
from deepwell.training._program import Member, State

from ._first_steps_bench import Bench, bare
from ._first_steps_rows import Sample

STAGES = (16, 64, 256)  # steps after which they are compared: more only where it did not show
_BATCH = 32
_RATES = (0.001, 0.01)
_STRENGTHS = (0.03, 0.3, 3.0)  # of ridge regression, as a share of the kernel's mean diagonal
CERTAIN = 0.01  # of all comparisons together


def inputs_used(bench: Bench, member: Member, train: Sample, dev: Sample) -> dict[str, Any]:
    """Return the fields of `InputsUsed`.

    Args:
        bench: holds the train rows and behind them as many rows of zeros, with the same targets.
        member: the network.
        train: rows to train on.
        dev: rows to compare on.
    """
    members = [bare(member, rate, optimizer="adam") for rate in _RATES]
    real: Sequence[State | None] = [None] * len(members)
    blank, done, best = real, 0, {"p_value": 1.0}
    for goal in STAGES:
        if best["p_value"] < CERTAIN:
            break
        batches = _batches(len(train), done, goal)
        used, _ = bench.advance(members, real, batches)
        unused, _ = bench.advance(members, blank, [b + len(train) for b in batches])
        here = [_compared(m, r, b, dev) for m, r, b in zip(members, used, unused, strict=True)]
        real, blank, done = used, unused, goal
        best = min(here, key=lambda found: found["p_value"])
    linear = 1.0 if best["p_value"] < CERTAIN else linear_signal(train, dev, member)
    return {
        **best,
        "steps": done,
        "rows": len(dev),
        "linear_p": linear,
        "certain": CERTAIN,
        "varying": int((train.x != train.x[:1]).any(axis=0).sum()),
    }


def linear_signal(train: Sample, dev: Sample, member: Member) -> float:
    """Return the p-value of ridge regression doing better than a constant on the dev rows."""
    middle, spread = train.x.mean(axis=0, dtype=float), train.x.std(axis=0, dtype=float)
    a, b = ((x - middle) / np.where(spread > 0, spread, 1.0) for x in (train.x, dev.x))
    y_train, y_dev = (_targets(s.y, member) for s in (train, dev))
    constant = np.average(y_train, axis=0, weights=train.weight)
    kernel = a @ a.T
    size = float(np.trace(kernel)) / len(kernel)
    if not size > 0:
        return 1.0
    found = []
    before = np.square(y_dev - constant).sum(axis=1)
    for strength in _STRENGTHS:
        ridged = kernel + strength * size * np.eye(len(kernel))
        said = constant + b @ (a.T @ np.linalg.solve(ridged, y_train - constant))
        found.append(_paired(before - np.square(y_dev - said).sum(axis=1), dev.weight)["p_value"])
    return min(1.0, len(_STRENGTHS) * min(found))


def _batches(rows: int, first: int, last: int) -> list[np.ndarray]:
    """Return the batches of some steps: pass after pass over the rows, each shuffled anew."""
    size = min(_BATCH, rows)
    per_pass = -(-rows // size)
    batches = []
    for step in range(first, last):
        turn, place = divmod(step, per_pass)
        order = np.random.default_rng(turn).permutation(rows)
        batches.append(order[place * size : (place + 1) * size])
    return batches


def _compared(member: Member, real: State, blank: State, dev: Sample) -> dict[str, float]:
    """Return zeroed less real mean loss on the dev rows, with interval and p-value."""
    nothing = np.zeros_like(dev.x[:1])  # one row of zeros says what all of them would
    said = [
        forward(member.architecture, s, x).astype(np.float64)
        for s, x in ((real, dev.x), (blank, nothing))
    ]
    loss = LOSSES[member.architecture.loss]
    with np.errstate(over="ignore", invalid="ignore"):
        said[1] = np.repeat(said[1], len(dev), axis=0)
        losses = [loss.rows(outputs, dev.y, np) for outputs in said]
        found = _paired(losses[1] - losses[0], dev.weight)
        share = dev.weight / dev.weight.sum(dtype=float)
        towards = _paired(_towards(said[0], share, dev.y, member), dev.weight)
    found["p_value"] = 2 * min(found["p_value"], towards["p_value"])
    found["p_value"] = min(1.0, found["p_value"] * len(_RATES) * len(STAGES))
    return {**found, "zeroed": float(share @ losses[1]), "real": float(share @ losses[0])}


def _towards(outputs: np.ndarray, share: np.ndarray, y: np.ndarray, member: Member) -> np.ndarray:
    """Return how fast each row's loss falls from the constant guess towards the outputs.

    `(y - mean y) . (z - mean z)`, with one column a class: above 0 on average where the outputs
    know something of the rows, even if a network that is far too sure has a high loss.
    """
    targets = _targets(y, member)
    if outputs.shape[1] < targets.shape[1]:
        targets = targets[:, 1:]
    return ((targets - share @ targets) * (outputs - share @ outputs)).sum(axis=1)


def _paired(gains: np.ndarray, weight: np.ndarray) -> dict[str, float]:
    """Return a weighted mean with its 95 % interval, and the chance of it by luck where it is 0.

    Student's t with Kish's effective number of rows, one-sided, by `student_tail`.
    """
    share = weight.astype(np.float64) / weight.sum(dtype=np.float64)
    mean = float(share @ gains)
    freedom = 1.0 / float(share @ share) - 1.0
    if not (math.isfinite(mean) and freedom >= 1.0):
        return {"difference": mean, "low": -math.inf, "high": math.inf, "p_value": 1.0}
    error = math.sqrt(float(share**2 @ np.square(gains - mean)) * (1 + 1 / freedom))
    reach = student_975(freedom) * error
    p = student_tail(mean / error, freedom) if error > 0 else (0.0 if mean > 0 else 1.0)
    return {"difference": mean, "low": mean - reach, "high": mean + reach, "p_value": p}


def student_tail(t: float, freedom: float) -> float:
    """Return about the chance that Student's t exceeds a number (Wallace 1959).

    By the normal distribution at `(8n + 1) / (8n + 3) sqrt(n log(1 + t^2 / n))`; loading SciPy for
    the exact one would take longer than all checks. Where it errs, few rows, it errs upwards.
    """
    z = (8 * freedom + 1) / (8 * freedom + 3) * math.sqrt(freedom * math.log1p(t * t / freedom))
    return 0.5 * math.erfc(math.copysign(z, t) / math.sqrt(2))


def student_975(freedom: float) -> float:
    """Return about what Student's t exceeds once in 40 times, by the same formula turned round."""
    z = 1.959963984540054 * (8 * freedom + 3) / (8 * freedom + 1)
    return math.sqrt(freedom * math.expm1(z * z / freedom))


def _targets(y: np.ndarray, member: Member) -> np.ndarray:
    """Return targets as columns, (m, 1) numbers or one column a class."""
    if member.architecture.loss == "squared":
        return y.astype(np.float64)[:, None]
    return (y[:, None] == np.arange(max(2, member.architecture.outputs))).astype(np.float64)
