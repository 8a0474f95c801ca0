"""The gradient that a program descends, against differences of the costs that it reports.

One step of plain descent at rate 1 moves the parameters by minus the gradient g. For each block of
parameters, a layer's weights or its biases, the costs on both sides of the point give

    (J(w + h u) - J(w - h u)) / (2 h)  =  g . u  +  O(h^2)

along a direction u of length 1 inside the block: half a random one, which no wrong entry is likely
to escape, and half the gradient's own, along which the cost changes most. All in float64, with the
penalties l2 and l1, without dropout; every point of all blocks is a member of one population.

A program that was compiled for another rule in float32 gives its gradient by a step of that rule
which is nothing but a multiple of it. The costs are then those of the forward pass in NumPy, in
float64, and the gradient has float32's rounding, which a sum over many terms makes larger.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell.optimization._penalties import l1_penalty, l2_penalty
from deepwell.training._program import Member, State
from deepwell.training._state import initial_state

from ._first_steps_bench import Bench, bare
from ._first_steps_rows import Sample
from ._probes import slopes_of
from ._training_pass import Batch, training_pass

ROWS = 16
LOOK = 1e-5  # relative error from which a gradient is wrong rather than rounded
LOOK_SINGLE = 1e-3  # the same in float32
_HALF_STEPS = (1e-5, 1e-6, 1e-6, 1e-7)  # a kink between two points spoils them: then nearer ones
_ROUNDING = 32 * float(np.finfo(np.float64).eps)  # of a cost, as a share of it
_JOLT = 0.1
_SEED = 301


@dataclass(frozen=True, eq=False)
class _Point:
    """Where a member stands, with the gradient there by the program."""

    member: Member
    state: State
    slope: State


def gradient_error(bench: Bench, member: Member, rows: np.ndarray) -> dict[str, Any]:
    """Return the fields of `GradientError`.

    Args:
        bench: of a program that has plain descent in float64.
        member: the network.
        rows: of the batch.
    """
    one = descending(member)
    state = jolted(one)
    (after,), _ = bench.advance([one], [state], [rows])
    slope = {n: state[n] - after[n] for n in one.architecture.parameter_shapes()}

    def costs(points: Sequence[State]) -> np.ndarray:
        return bench.costs([one] * len(points), points, rows)

    return _compared(_Point(one, state, slope), costs, LOOK)


def gradient_error_of_rule(
    bench: Bench, member: Member, sample: Sample, rows: np.ndarray
) -> dict[str, Any]:
    """Return the same for a program with the member's own rule in its own type.

    Args:
        bench: of the program that is to train the member; holds the sample.
        member: the network, whose rule is not Optax's.
        sample: the rows of the bench.
        rows: of the batch.
    """
    plain = bare(member, 1.0)
    penalties = {name: member.number(name) for name in ("l2", "l1")}
    one = replace(plain, numbers={**plain.numbers, **penalties})
    begun = jolted(one)
    names = one.architecture.parameter_shapes()
    state = {**begun, **{n: begun[n].astype(one.dtype) for n in names}}

    def stepped(copies: Sequence[Member], starts: Sequence[State]) -> list[State]:
        return bench.advance(copies, starts, [rows])[0]

    (slope,) = slopes_of([one], [state], stepped)
    some = Batch(sample.x[rows], sample.y[rows], sample.weight[rows], len(rows))
    some = replace(some, x=some.x.astype(np.float64), weight=some.weight.astype(np.float64))
    exact = replace(one, dtype="float64")

    def costs(points: Sequence[State]) -> np.ndarray:
        told = [list(training_pass(exact, point, some, 1))[-1].output for point in points]
        return np.array([float(cost) for cost in told])

    wide = {n: a.astype(np.float64) if a.dtype.kind == "f" else a for n, a in state.items()}
    wide_slope = {n: a.astype(np.float64) for n, a in slope.items()}
    look = LOOK if one.dtype == "float64" else LOOK_SINGLE
    return _compared(_Point(exact, wide, wide_slope), costs, look)


def _compared(
    at: _Point, costs: Callable[[Sequence[State]], np.ndarray], look: float
) -> dict[str, Any]:
    """Return the fields of `GradientError`.

    Args:
        at: the point and the gradient there.
        costs: of other points, penalties left out.
        look: relative error from which a block is wrong.
    """
    slope = at.slope
    random = np.random.default_rng(_SEED)
    left = dict.fromkeys(slope, np.inf)
    errors = dict(left)
    wrong: set[str] = set(left)
    for half in _HALF_STEPS:
        if not wrong:
            break
        along = {name: _direction(at.slope[name], random) for name in sorted(wrong)}
        found = _differences(at, costs, half, along)
        for name, (numeric, exact, noise) in found.items():
            gap = abs(numeric - exact)
            size = abs(numeric) + abs(exact)
            if noise < look * size:  # else the difference is all rounding
                errors[name] = min(errors[name], gap / size)
            if gap <= look * size + noise:
                wrong.discard(name)
    errors = {name: error if np.isfinite(error) else 0.0 for name, error in errors.items()}
    worst = max(errors, key=lambda n: (n in wrong, errors[n]))
    return {
        "error": float(errors[worst]),
        "block": worst,
        "blocks": len(errors),
        "wrong": sorted(wrong),
        "threshold": look,
    }


def descending(member: Member) -> Member:
    """Return the network as plain descent at rate 1 moves it in float64, with its penalties."""
    one = bare(member, 1.0, optimizer="sgd", dtype="float64")
    penalties = {name: member.number(name) for name in ("l2", "l1")}
    return replace(one, numbers={**one.numbers, **penalties})


def jolted(member: Member) -> State:
    """Return the network's initial state moved off its symmetric points and kinks, biases too."""
    random = np.random.default_rng(_SEED + 1)
    state = initial_state(member)
    for name, shape in member.architecture.parameter_shapes().items():
        size = _JOLT / np.sqrt(shape[0]) if len(shape) > 1 else _JOLT
        state[name] = state[name] + random.normal(0.0, size, shape)
    return state


def _differences(
    at: _Point, costs_at: Callable[[Sequence[State]], np.ndarray], half: float, along: State
) -> dict[str, tuple[float, float, float]]:
    """Return of each block the numeric and the exact derivative along a direction, and noise."""
    points: list[State] = [
        {**at.state, name: at.state[name] + side * direction}
        for name, direction in along.items()
        for side in (half, -half)
    ]
    costs = costs_at(points)
    costs = costs + np.array([_penalty(at.member, point) for point in points])
    found = {}
    for place, (name, direction) in enumerate(along.items()):
        ahead, behind = costs[2 * place : 2 * place + 2]
        noise = _ROUNDING * max(abs(ahead), abs(behind)) / half
        exact = float((at.slope[name] * direction).sum())
        found[name] = float(ahead - behind) / (2 * half), exact, float(noise)
    return found


def _direction(slope: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return a direction of length 1, half of it random, half along the gradient."""
    drawn = random.normal(size=slope.shape)
    drawn /= np.linalg.norm(drawn)
    length = np.linalg.norm(slope)
    if length > 0:  # on the gradient's side, lest the halves cancel
        along = slope / length
        drawn = (drawn if (drawn * along).sum() >= 0 else -drawn) + along
    return drawn / np.linalg.norm(drawn)


def _penalty(member: Member, point: State) -> float:
    weights = [w for n, w in point.items() if n.startswith("weights/")]
    l2, l1 = member.number("l2"), member.number("l1")
    return float(l2_penalty(weights, l2)) + float(l1_penalty(weights, l1))
