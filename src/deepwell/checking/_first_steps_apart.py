"""Two things that must stay apart: the rows of a batch, and the units of a layer.

The cost of a batch is a mean over its rows, so what the batch gives is the sum of what its parts
give by themselves, cost and gradient alike:

    W J(all) = W_a J(a) + W_b J(b),      W g(all) = W_a g(a) + W_b g(b)

with W the weight of the rows. A row that leaks into the output of another breaks both. Batch
normalization is meant to: its rows share their moments.

Units that start alike get equal gradients and stay alike: a layer of them is one unit.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.training._program import Member, State

from ._first_steps_bench import Bench, bare
from ._first_steps_gradient import jolted
from ._first_steps_rows import Sample

_STILL = 1e-12  # a rate whose steps change nothing: they are taken for their cost alone
_ALIKE = 1e-5  # of the largest weight: float32 after some steps


def rows_mixed(bench: Bench, member: Member, sample: Sample, rows: np.ndarray) -> dict[str, float]:
    """Return the fields of `RowsMixed`: what is missing to the sums above, as a share of them.

    Args:
        bench: of a program that has plain descent in float64; holds the sample.
        member: the network, without batch normalization.
        sample: the rows of the bench.
        rows: of the batch, at least 2: the first is one part, the others the other.
    """
    one = bare(member, 1.0, optimizer="sgd", dtype="float64")
    state = jolted(one)
    parts = rows, rows[:1], rows[1:]
    weights = [float(sample.weight[part].sum(dtype=np.float64)) for part in parts]
    names = list(one.architecture.parameter_shapes())
    told = []
    for part, weight in zip(parts, weights, strict=True):
        (after,), cost = bench.advance([one], [state], [part])
        slopes = [(weight * (state[n] - after[n])).ravel() for n in names]
        told.append((weight * float(cost[0]), np.concatenate(slopes)))
    (cost, slope), *both = told
    size = np.concatenate([state[n].ravel() for n in names])
    gap = np.linalg.norm(slope - sum(s for _, s in both))
    whole = np.linalg.norm(slope) + sum(np.linalg.norm(s) for _, s in both)
    costs = abs(cost) + sum(abs(c) for c, _ in both)
    error = max(abs(cost - sum(c for c, _ in both)) / costs if costs else 0.0,
                float(gap / whole) if whole else 0.0)  # fmt: skip
    # The gradient is a difference of weights, which are rounded, and a sum over rows.
    lost = weights[0] * float(np.linalg.norm(size) / whole) if whole else 1.0
    eps = float(np.finfo(np.float64).eps)
    return {"error": float(error), "threshold": eps * (len(rows) * 100 + 10 * lost)}


def costs_mixed(bench: Bench, member: Member, sample: Sample, rows: np.ndarray) -> dict[str, float]:
    """Return the same for the costs alone, by any program in its own type."""
    one = bare(member, _STILL)
    parts = rows, rows[:1], rows[1:]
    told = []
    for part in parts:
        cost = bench.costs([one], [None], part)
        told.append(float(sample.weight[part].sum(dtype=np.float64)) * float(cost[0]))
    whole = sum(abs(cost) for cost in told)
    error = abs(told[0] - told[1] - told[2]) / whole if whole else 0.0
    return {"error": error, "threshold": float(np.finfo(one.dtype).eps) * len(rows) * 100}


def units_alike(architecture: Architecture, state: State) -> list[float]:
    """Return of each layer with more than one unit the share of them that are like its first one.

    Alike are units, or channels, whose incoming weights, biases and normalization agree; 1 means
    that a layer is a single unit. Convolutional layers come first.
    """
    found: list[float] = []
    shapes = architecture.parameter_shapes()
    front = architecture.front.channels if architecture.front is not None else ()
    for layer, units in enumerate(front):
        parts = ("kernels", "offsets", "channel_scales", "channel_shifts")
        found.append(_like_the_first(state, [f"{p}/{layer}" for p in parts], shapes, units))
    for layer, units in enumerate(architecture.hidden):
        parts = ("weights", "biases", "scales", "shifts")
        found.append(_like_the_first(state, [f"{p}/{layer}" for p in parts], shapes, units))
    return [share for share in found if not np.isnan(share)]


def _like_the_first(state: State, names: list[str], shapes: dict[str, Any], units: int) -> float:
    if units < 2:
        return float("nan")
    alike = np.ones(units, bool)
    for name in names:
        if name in shapes:
            columns = np.moveaxis(state[name], -1, 0).reshape(units, -1)
            largest = np.abs(columns).max(initial=0.0)
            alike &= (np.abs(columns - columns[0]) <= _ALIKE * largest).all(axis=1)
    return float(alike.mean())
