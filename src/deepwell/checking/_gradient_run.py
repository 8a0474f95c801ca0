"""A gradient check from start to end: at the parameters given, then after a short descent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._gradient_causes import Cause, cause, evidence_of
from ._gradient_check import (
    RIGHT,
    UNDECIDED,
    WRONG,
    BlockCheck,
    GradientCheck,
    PointCheck,
    WrongEntry,
)
from ._gradient_compare import Comparison
from ._gradient_measure import Measured, measure
from ._gradient_problem import Block, Problem

STEPS = IntegerInterval(0, 10_000)
ENTRIES = IntegerInterval(0, 10_000_000)
SEED = IntegerInterval(0, 2**63 - 1)

ALIKE = 1e-5  # relative difference of two calls that some devices' sums leave; draws leave more

_WORST = 5
_LENGTHS = 0.05 * 5.0 ** -np.arange(6)  # of a step, relative to the parameters


@dataclass(frozen=True)
class Extent:
    """How much is checked: the options of a gradient check.

    Attributes:
        steps: of descent before the second look; 0 for none.
        every_entry_up_to: parameters up to which each entry is compared by itself.
        seed: of random directions.
    """

    steps: int
    every_entry_up_to: int
    seed: int

    def __post_init__(self) -> None:
        for name, allowed in (("steps", STEPS), ("every_entry_up_to", ENTRIES), ("seed", SEED)):
            value = getattr(self, name)
            if not allowed.accepts(value):
                raise UsageError(
                    f"`{name}` must be {allowed.describe()}, got {safe_text(repr(value))}"
                )


def run(problem: Problem, extent: Extent, notes: tuple[str, ...] = ()) -> GradientCheck:
    """Check a problem's gradient; its cost and gradient must be defined at the start."""
    rng = np.random.default_rng(extent.seed)
    repeated = _unsteady(problem, rng)
    first = measure(problem, problem.start, extent.every_entry_up_to, rng)
    points = [_point(problem, first, "at the start", repeated)]
    at, taken = _descend(problem, extent.steps)
    if taken:
        later = measure(problem, at, extent.every_entry_up_to, rng)
        words = f"after {taken} step{'s' if taken > 1 else ''}"
        points.append(_point(problem, later, words, repeated))
    elif extent.steps and points[0].error == 0 and not first.point.gradient.any():
        notes += ("the gradient is 0 at the start, so that there is no descent to look at",)
    elif extent.steps:
        notes += (
            "no step against the gradient lowers the cost, so that only the start is checked",
        )
    size = max(abs(first.point.here.cost), 1e-300)
    digits = -math.log10(min(max(first.point.here.noise / size, 2.0**-53), 1.0))
    return GradientCheck(tuple(points), round(digits, 1), notes)


def _unsteady(problem: Problem, rng: np.random.Generator) -> frozenset[str]:
    """Return the blocks whose gradient changes from call to call at the same parameters."""
    first = problem.gradient(problem.start)
    problem.gradient(problem.start + 0.01 * problem.scales * rng.normal(size=len(first)))
    again = problem.gradient(problem.start)
    size = np.abs(first[np.isfinite(first)]).max(initial=0.0)
    with np.errstate(invalid="ignore"):
        differs = np.abs(first - again) > 1e3 * problem.rounding * size
    return frozenset(b.name for b in problem.blocks if differs[b.place].any())


def _descend(problem: Problem, steps: int) -> tuple[np.ndarray, int]:
    """Return the parameters after a short descent, and the steps that it could take.

    Each step goes against the gradient, in units of the parameters' sizes, as far as the cost
    falls most among a few lengths.
    """
    at = problem.start
    cost = float(problem.costs(at[None])[0])
    for taken in range(steps):
        way = problem.gradient(at) * problem.scales
        length = float(np.linalg.norm(way))
        if not (0 < length < math.inf):
            return at, taken
        change = math.sqrt(len(at)) / length * way * problem.scales
        points = at - _LENGTHS[:, None] * change
        costs = problem.costs(points)
        best = int(np.argmin(np.where(np.isfinite(costs), costs, np.inf)))
        if not costs[best] < cost:
            return at, taken
        at, cost = points[best], float(costs[best])
    return at, steps


def _point(
    problem: Problem, measured: Measured, where: str, repeated: frozenset[str]
) -> PointCheck:
    evidence = evidence_of(problem, measured)
    causes: dict[int, Cause | None] = {
        number: cause(one, evidence, problem.counts) for number, one in evidence.items()
    }
    checks, apart, sizes = [], 0.0, [0.0, 0.0]
    scales = problem.scales
    for number, block in enumerate(problem.blocks):
        told = _form(problem, block, number in causes) or causes.get(number)
        if block.name in repeated:
            told = Cause(
                "changes between calls",
                "two calls at the same parameters differ: it keeps something from call to call "
                "(momentum, a sum that is not set to 0) or draws at random",
            )
        faulty = told is not None
        mine = measured.entries.only(measured.entries.block == number)
        along = measured.blocks.only(measured.blocks.block == number)
        norms = _norms(mine if measured.complete[number] else along, scales)
        apart += norms[0] ** 2
        sizes = [sizes[i] + norms[1 + i] ** 2 for i in (0, 1)]
        checks.append(
            BlockCheck(
                block.name,
                block.shape,
                _verdict(along, mine, faulty),
                _error(*norms),
                len(mine.ways),
                int(mine.wrong.sum()),
                _worst(problem, number, mine),
                int(mine.beside.sum() + along.beside.sum()),
                told,
            )
        )
    error = _error(math.sqrt(apart), *(math.sqrt(size) for size in sizes))
    return PointCheck(where, measured.point.here.cost, error, tuple(checks))


def _form(problem: Problem, block: Block, still_wrong: bool) -> Cause | None:
    """Return the cause of a gradient in a wrong shape, or None."""
    form = problem.forms.get(block.name)
    if form is None:
        return None
    words = f"its gradient has shape {form.got}, must be {block.shape}"
    if form.summed:
        right = "which still is not right" if still_wrong else "which makes it right"
        words += f"; here {form.summed}, {right}"
    return Cause("form", words)


def _verdict(along: Comparison, mine: Comparison, faulty: bool) -> str:
    if faulty or along.wrong.any() or mine.wrong.any():
        return WRONG
    unclear, known = np.concatenate([along.unclear, mine.unclear]), len(along.ways) + len(mine.ways)
    return UNDECIDED if known and unclear.mean() > 0.5 else RIGHT


def _norms(found: Comparison, scales: np.ndarray) -> tuple[float, float, float]:
    """Return the norms of slopes less gradient, of slopes and of gradient.

    Along random signs the square of a block's norm is what squares are on average.
    """
    known = np.flatnonzero(~found.unclear)
    units = np.array([float(np.median(scales[found.ways[i].at])) for i in known])
    gradient, slope = found.gradient[known], found.slope[known]
    with np.errstate(invalid="ignore"):
        nothing = np.maximum(np.abs(gradient), np.abs(slope)) <= found.zero[known]
    gradient, slope = (np.where(nothing, 0.0, v) / units for v in (gradient, slope))
    many = found.entry[known] < 0
    share = 1 / math.sqrt(len(gradient)) if len(gradient) and many.all() else 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        apart, first, second = (np.linalg.norm(v) for v in (slope - gradient, slope, gradient))
    return share * float(apart), share * float(first), share * float(second)


def _error(apart: float, slope: float, gradient: float) -> float:
    if not math.isfinite(gradient):
        return 1.0
    size = slope + gradient
    return apart / size if size else 0.0


def _worst(problem: Problem, number: int, mine: Comparison) -> tuple[WrongEntry, ...]:
    block, scales = problem.blocks[number], problem.scales
    chosen = np.flatnonzero(mine.wrong)
    with np.errstate(invalid="ignore"):
        apart = np.abs(mine.slope - mine.gradient)[chosen]
    order = np.argsort(-np.where(np.isfinite(apart), apart, np.inf), kind="stable")[:_WORST]
    return tuple(
        WrongEntry(
            tuple(map(int, np.unravel_index(mine.entry[i] - block.start, block.shape))),
            float(mine.gradient[i] / scales[mine.entry[i]]),
            float(mine.slope[i] / scales[mine.entry[i]]),
        )
        for i in chosen[order]
    )
