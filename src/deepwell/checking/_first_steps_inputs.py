"""Are the inputs used? A network trained on zeroed inputs must do worse than on the real ones.

Both are trained for the same few steps from the same weights on the same batches, one on the rows,
one on rows of zeros, and both are scored on dev rows of their own kind: a paired comparison, row
by row. On zeros the best that can be learned is a constant guess.

When the real inputs do no better there are two reasons, and a linear model tells them apart: where
it does better than a constant the inputs carry something that the network does not use; where it
does not, nobody can see that they carry anything.

Dev rows may be too few to say so, and where the train targets alone are shuffled they mislead: any
function of inputs that tell of the dev targets, one learned from noise too, goes along with them or
against them. So unless the loss itself falls for certain, train rows are asked as well, each
predicted from the others, by a linear model and by one of nearness.
"""

from __future__ import annotations

import itertools
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
_PARTS = 5
CERTAIN = 0.01  # of all comparisons together


def inputs_used(
    bench: Bench,
    member: Member,
    train: Sample,
    dev: Sample,
    tried: Sequence[Member] = (),
    stages: Sequence[int] = STAGES,
) -> dict[str, Any]:
    """Return the fields of `InputsUsed`.

    Args:
        bench: holds the train rows and behind them as many rows of zeros, with the same targets.
        member: the network.
        train: rows to train on.
        dev: rows to compare on.
        tried: the network at some rates of its own rule, for a program without Adam.
        stages: steps after which they are compared.
    """
    members = list(tried) or [bare(member, rate, optimizer="adam") for rate in _RATES]
    real: Sequence[State | None] = [None] * len(members)
    blank, done, best = real, 0, {"p_value": 1.0, "loss_p": 1.0}
    for goal in stages:
        if best["p_value"] < CERTAIN:
            break
        batches = _batches(len(train), min(_BATCH, bench.batch or _BATCH), done, goal)
        used, _ = bench.advance(members, real, batches)
        unused, _ = bench.advance(members, blank, [b + len(train) for b in batches])
        here = [_compared(m, r, b, dev) for m, r, b in zip(members, used, unused, strict=True)]
        real, blank, done = used, unused, goal
        best = min(here, key=lambda found: found["p_value"])
        for name in ("p_value", "loss_p"):
            best[name] = min(1.0, best[name] * len(members) * len(stages))
    shown = best["p_value"] < CERTAIN
    falls = best.pop("loss_p") < CERTAIN
    linear = 1.0 if shown else linear_signal(train, dev, member)
    return {
        **best,
        "steps": done,
        "rows": len(dev),
        "linear_p": linear,
        "explained_high": math.inf if falls else explained_at_most(train, member),
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


def explained_at_most(train: Sample, member: Member) -> float:
    """Return what share of the targets' squared error the inputs explain at most, with 97.5 %.

    Kernel ridge regression, each fifth of the rows predicted from the other four, with a linear
    kernel and a Gaussian one as wide as the median distance: the better of all that are tried,
    which makes the limit rather too high.

    Args:
        train: rows whose targets are predicted from one another.
        member: whose loss says what the targets are.
    """
    middle, spread = train.x.mean(axis=0, dtype=float), train.x.std(axis=0, dtype=float)
    a = (train.x - middle) / np.where(spread > 0, spread, 1.0)
    squares = np.square(a).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares - 2 * (a @ a.T), 0.0)
    width = float(np.median(apart)) or 1.0
    kernels = (a @ a.T / max(1.0, float(squares.mean())), np.exp(-apart / width))
    y = _targets(train.y, member)
    part = np.random.default_rng(0).permutation(len(y)) % _PARTS
    limits: list[tuple[float, float]] = []
    for kernel, strength in itertools.product(kernels, _STRENGTHS):
        gains, before = np.zeros(len(y)), np.zeros(len(y))
        for held in range(_PARTS):
            out, rest = np.flatnonzero(part == held), np.flatnonzero(part != held)
            constant = np.average(y[rest], axis=0, weights=train.weight[rest])
            ridged = kernel[np.ix_(rest, rest)] + strength * np.eye(len(rest))
            said = kernel[np.ix_(out, rest)] @ np.linalg.solve(ridged, y[rest] - constant)
            before[out] = np.square(y[out] - constant).sum(axis=1)
            gains[out] = before[out] - np.square(y[out] - constant - said).sum(axis=1)
        found = _paired(gains, train.weight)
        limits.append((found["difference"], found["high"] / float(before.mean() or 1.0)))
    return max(limits)[1]


def _batches(rows: int, size: int, first: int, last: int) -> list[np.ndarray]:
    """Return the batches of some steps: pass after pass over the rows, each shuffled anew."""
    size = min(size, rows)
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
    found["loss_p"] = 2 * found["p_value"]
    found["p_value"] = min(found["loss_p"], 2 * towards["p_value"])
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
