"""The loss at the start against that of a constant guess.

A network that knows nothing yet says about the same of every row. Its outputs z are random, so its
cost lies above that of outputs of 0 by about half of what they bend the loss,

    E[L] = L(0) + 1/2 E[z' H z] + ...,      H the Hessian of a row's loss at outputs of 0:

    squared   H = 2              L(0) = sum_i v_i y_i^2
    logistic  H = 1/4            L(0) = log 2
    softmax   H = (I - 1/C)/C    L(0) = log C

How large z may be is not a matter of taste: a healthy twin, the same network with the initializer
of its activation, is begun from several seeds on the same rows, and the highest cost that their
mean and spread allow is the limit. What counts is the network's mean over the same seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepwell._base._hyperparameters import default_initializer
from deepwell.networks._losses import LOSSES
from deepwell.training._program import Member

from ._first_steps_bench import Bench, bare
from ._first_steps_rows import Sample

SEEDS = 8
_STUDENT = 4.785  # of 7 degrees of freedom: another healthy seed lies above 1 in 1,000 times
_RATE = 1e-12  # steps are taken for their cost alone


def start_loss(bench: Bench, member: Member, sample: Sample) -> dict[str, float | int]:
    """Return the fields of `StartLoss`.

    Args:
        bench: holds the sample as its first rows.
        member: the network.
        sample: the rows, with their weights.
    """
    twin = replace(
        member,
        initializer=default_initializer(member.architecture.activation),
        initializer_scale=1.0,
    )
    own = _begun(member)
    same = (twin.initializer, twin.initializer_scale) == (
        member.initializer,
        member.initializer_scale,
    )
    members = own if same else [*own, *_begun(twin)]
    batch = np.arange(len(sample))
    with np.errstate(over="ignore", invalid="ignore"):
        costs = bench.costs(members, [None] * len(members), batch)
    mine, healthy = costs[:SEEDS], costs[-SEEDS:]
    spread = float(healthy.std(ddof=1))
    return {
        "loss": float(mine[0]),
        "mean": float(mine.mean()),
        "constant": constant_loss(sample, member.architecture.loss, member.architecture.outputs),
        "zero": zero_loss(sample, member.architecture.loss, member.architecture.outputs),
        "healthy": float(healthy.mean()),
        "limit": float(healthy.mean()) + _STUDENT * spread * float(np.sqrt(1 + 1 / SEEDS)),
        "seeds": SEEDS,
    }


def constant_loss(sample: Sample, loss: str, outputs: int) -> float:
    """Return the cost of the best constant guess on rows, by their targets and weights.

    The entropy of the weighted class shares, `-sum_c p_c log p_c`, which is log C where classes
    are balanced; the weighted variance of numbers.
    """
    share = sample.weight.astype(np.float64) / sample.weight.sum(dtype=np.float64)
    if loss == "squared":
        y = sample.y.astype(np.float64)
        return float(share @ np.square(y - share @ y))
    p = np.bincount(sample.y.astype(int), weights=share, minlength=max(outputs, 2))
    return float(-(p[p > 0] * np.log(p[p > 0])).sum())


def zero_loss(sample: Sample, loss: str, outputs: int) -> float:
    """Return the cost of outputs that are all 0: log C, or the weighted mean square of numbers."""
    share = sample.weight.astype(np.float64) / sample.weight.sum(dtype=np.float64)
    nothing = np.zeros((len(sample), outputs))
    return float(share @ LOSSES[loss].rows(nothing, sample.y, np))


def _begun(member: Member) -> Sequence[Member]:
    """Return the network from its own seed and from others."""
    one = bare(member, _RATE)
    return [replace(one, seed=(member.seed + k) % 2**64) for k in range(SEEDS)]
