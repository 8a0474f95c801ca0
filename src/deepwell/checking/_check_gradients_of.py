"""The gradient check for a cost and a gradient of any library, or written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._gradient_check import GradientCheck
from ._gradient_problem import Block, Form, Problem
from ._gradient_run import ALIKE, Extent, run
from ._gradient_tree import blocks_of, filled, follow, is_real, leaves, vector_of


def check_gradients_of(
    cost: Callable[[Any], Any],
    gradient: Callable[[Any], Any],
    theta: Any,
    *,
    steps: int = 10,
    every_entry_up_to: int = 2_000,
    seed: int = 0,
) -> GradientCheck:
    """Compare a gradient with two-sided numerical derivatives of its cost, in float64.

    >>> import numpy as np
    >>> x, y = np.array([[1.0, 2.0], [0.5, -1.0], [2.0, 0.3]]), np.array([1.0, 0.0, 2.0])
    >>> def cost(theta):
    ...     return np.mean((x @ theta["w"] + theta["b"] - y) ** 2)
    >>> def gradient(theta):
    ...     apart = x @ theta["w"] + theta["b"] - y
    ...     return {"w": 2 * x.T @ apart / 3, "b": 2 * apart.sum()}
    >>> check = check_gradients_of(cost, gradient, {"w": np.array([0.1, 0.2]), "b": 0.3})
    >>> check.wrong_blocks, check.block("b").cause.sentence
    (('b',), 'it is 3 times too large: a sum where a mean is meant?')

    The relative error is `||slopes - gradient|| / (||slopes|| + ||gradient||)`: about 1e-7 is
    great, 1e-5 deserves a look, 1e-3 is a worry. A block is wrong where they differ by more than
    truncation, rounding and kinks explain, all three measured. JAX is not loaded.

    Args:
        cost: `theta -> number`, the same number each time: without dropout, or with fixed masks;
            with the penalties whose gradient is included.
        gradient: `theta -> ` the form of `theta`. It is called right after `cost` at the same
            parameters, so that it may use what `cost` kept.
        theta: where: arrays and floating-point numbers in dictionaries, lists and tuples. What is
            no floating-point number is held as it is. The functions get float64 copies.
        steps: of descent along the gradient before a second look, since much is small or alike at
            the start; 0 for none.
        every_entry_up_to: parameters up to which every entry is compared; above, a block is
            compared along random directions, and entries are looked up where these disagree.
        seed: of the random directions.

    Returns:
        The verdict, with the blocks and entries to blame and the likely error.

    Raises:
        UsageError: when an argument has not the form above, or the cost is not finite at `theta`
            or changes from call to call. Errors of the functions themselves are not caught.

    Source: Rumelhart et al. 1986 (backpropagation); Baydin et al. 2018, section 2.1.
    """
    extent = Extent(steps, every_entry_up_to, seed)
    for name, function in (("cost", cost), ("gradient", gradient)):
        if not callable(function):
            raise UsageError(
                f"`{name}` must be a function of the parameters, got {type(function).__name__}"
            )
    blocks, held = blocks_of(theta, "theta")
    pair = _Pair(cost, gradient, theta, blocks)
    start = vector_of(theta)
    pair.check_start(start)
    notes = [f"held as it is, having no floating-point numbers: {', '.join(held)}"] if held else []
    forms, rounding = pair.forms(start)
    changed = pair.changed(start)
    if changed:
        notes.append(f"{changed} changes the parameters that it is given; it got copies here")
    problem = Problem(blocks, start, pair.costs, pair.slopes, rounding=rounding, forms=forms)
    return run(problem, extent, tuple(notes))


@dataclass(frozen=True)
class _Pair:
    """The user's two functions as functions of vectors."""

    cost: Callable[[Any], Any]
    gradient: Callable[[Any], Any]
    theta: Any
    blocks: tuple[Block, ...]
    paths: list[tuple[Any, ...]] = field(init=False)

    def __post_init__(self) -> None:
        paths = [path for path, leaf in leaves(self.theta) if is_real(leaf)]
        object.__setattr__(self, "paths", paths)

    def check_start(self, start: np.ndarray) -> None:
        """Refuse a cost that is not finite or changes from call to call."""
        one, two = self._one(start), self._one(start)
        if not np.isfinite(one):
            raise UsageError(f"`cost` must be finite at `theta`, got {one}; start elsewhere")
        if abs(one - two) > ALIKE * abs(one):
            raise UsageError(
                f"`cost` must return the same number each time, got {one!r} and {two!r}; fix the "
                "seed of what it draws, as dropout's masks, or switch it off"
            )

    def costs(self, points: np.ndarray) -> np.ndarray:
        """Return the costs (k,) at points (k, n)."""
        with np.errstate(all="ignore"):
            return np.array([self._one(point) for point in points])

    def slopes(self, vector: np.ndarray) -> np.ndarray:
        """Return the user's gradient (n,); NaN for a block whose form does not fit."""
        found = np.full(len(vector), np.nan)
        for block, values in zip(self.blocks, self._gradient(vector), strict=True):
            fitting, _ = _fitted(values, block.shape)
            if fitting is not None:
                found[block.place] = fitting.reshape(-1)
        return found

    def forms(self, start: np.ndarray) -> tuple[dict[str, Form], float]:
        """Return the blocks whose gradient has a wrong form, and the gradient's rounding."""
        parts = self._gradient(start)
        wrong = {
            block.name: Form(values.shape, _fitted(values, block.shape)[1])
            for block, values in zip(self.blocks, parts, strict=True)
            if values.shape != block.shape
        }
        floating = [v.dtype for v in parts if v.dtype.kind == "f"]
        coarse = max((float(np.finfo(kind).eps) / 2 for kind in floating), default=2.0**-53)
        return wrong, max(coarse, 2.0**-53)

    def changed(self, start: np.ndarray) -> str:
        """Return which of the functions changes its argument in place, or an empty string."""
        for name, function in (("`cost`", self.cost), ("`gradient`", self.gradient)):
            tree = filled(self.theta, start)
            function(tree)
            if not np.array_equal(vector_of(tree), start):
                return name
        return ""

    def _one(self, vector: np.ndarray) -> float:
        told = self.cost(filled(self.theta, vector))
        value = np.asarray(told)
        if value.size != 1 or value.dtype.kind not in "fiu":
            got = f"an array of shape {value.shape}" if value.size != 1 else type(told).__name__
            raise UsageError(f"`cost` must return one real number, got {safe_text(got)}")
        return float(value.reshape(()))

    def _gradient(self, vector: np.ndarray) -> list[np.ndarray]:
        """Return the gradient's arrays, one a block."""
        with np.errstate(all="ignore"):
            self.cost(filled(self.theta, vector))
            tree = self.gradient(filled(self.theta, vector))
        parts = [np.asarray(follow(tree, path)) for path in self.paths]
        for block, values in zip(self.blocks, parts, strict=True):
            if values.dtype.kind not in "fiu":
                raise UsageError(
                    f"`gradient` must return real numbers, but that of {block.name} is "
                    f"{safe_text(values.dtype)}"
                )
        return parts


def _fitted(values: np.ndarray, shape: tuple[int, ...]) -> tuple[np.ndarray | None, str]:
    """Return a block's gradient in its shape and how it was made to fit; None where it cannot."""
    size = int(np.prod(shape))
    if values.size == size:
        return np.asarray(values, np.float64).reshape(shape), "reshaped"
    for axis in range(values.ndim):
        summed = values.sum(axis=axis, dtype=np.float64)
        if summed.size == size and summed.squeeze().shape == np.squeeze(np.empty(shape)).shape:
            return summed.reshape(shape), f"summed over axis {axis}"
    return None, ""
