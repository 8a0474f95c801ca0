"""What is remembered of each operation that gave numbers that are not finite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np

from ._nan_causes import ELEMENTWISE

Key = tuple[Any, ...]
ARGUMENT, CONSTANT = "argument", "constant"
_SHOWN = 3  # entries of an event that are kept to be shown


class Tracked(NamedTuple):
    """A value and the event that made its entries which are not finite; None where all are."""

    value: Any
    event: int | None = None


@dataclass(frozen=True)
class Where:
    """A place in a program: which equations lead to it, and which steps of their loops.

    Attributes:
        key: numbers of the equations around, and of the loops' steps; the same in each evaluation.
        path: the same in words, outermost first, as in `scan, step 3 of 10`.
        steps: of the loops around, outermost first, counted from 0.
        callers: sources of the equations around, outermost first.
    """

    key: Key = ()
    path: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    callers: tuple[Any, ...] = ()

    def inside(
        self, part: object, words: str = "", step: int | None = None, caller: Any = None
    ) -> Where:
        """Return the place of something inside."""
        path = (*self.path, words) if words else self.path
        steps = self.steps if step is None else (*self.steps, step)
        callers = self.callers if caller is None else (*self.callers, caller)
        return Where((*self.key, part), path, steps, callers)


@dataclass(frozen=True)
class Example:
    """An entry that is not finite.

    Attributes:
        at: its place in the output.
        inputs: the entries that it was made of; of an operation that combines many entries the
            largest in size of each input.
        output: what came of them.
    """

    at: tuple[int, ...]
    inputs: tuple[float, ...]
    output: float


@dataclass(frozen=True)
class Event:
    """An operation whose output is not finite.

    Attributes:
        number: in the order of time.
        where: in the program.
        primitive: its name, or `argument` or `constant` where the number was there before.
        source: of the equation, as JAX keeps it; for an argument its name.
        parents: numbers of the events that its inputs come from.
        born: entries that are not finite though all they are made of is finite.
        bad: entries that are not finite; of `size`.
        is_nan, from_nan: whether an output, and whether an input holds a NaN.
        shapes: of the inputs and of the outputs; dtype: of the first output that is not finite.
        power: of `integer_pow`.
        examples: a few of the entries.
    """

    number: int
    where: Where
    primitive: str
    source: Any
    parents: tuple[int, ...]
    born: int
    bad: int
    size: int
    is_nan: bool
    from_nan: bool
    shapes: tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]]
    dtype: Any
    power: float
    examples: tuple[Example, ...]


def not_finite(value: Any) -> np.ndarray | None:
    """Return which entries of a value are not finite, None where all are."""
    dtype = getattr(value, "dtype", None)
    if dtype is None:
        value = np.asarray(value)
        dtype = value.dtype
    if not jnp.issubdtype(dtype, jnp.inexact):
        return None
    finite = np.isfinite(np.asarray(value))
    return None if finite.all() else ~finite


def all_finite(values: Iterable[Any]) -> bool:
    """Return whether no entry of these values is infinite or NaN."""
    return all(not_finite(value) is None for value in values)


def holds_nan(values: Iterable[Any]) -> bool:
    """Return whether an entry of these values is NaN."""
    return any(
        not_finite(value) is not None and bool(np.isnan(np.asarray(value)).any())
        for value in values
    )


def born_elementwise(bad: np.ndarray, inputs: Sequence[Any]) -> np.ndarray:
    """Return which bad entries of an output are made of finite entries alone."""
    born = bad.copy()
    for value in inputs:
        worse = not_finite(value)
        if worse is not None:
            born &= ~np.broadcast_to(worse, bad.shape)
    return born


def repaired(value: Any, where: np.ndarray) -> Any:
    """Return a value with a usual finite number at some places: the median of the finite ones."""
    array = np.array(value)
    kept = array[np.isfinite(array)]
    if np.iscomplexobj(array) or not kept.size:
        array[where] = 1
    else:
        array[where] = np.median(kept.astype(np.float64)).astype(array.dtype)
    return jnp.asarray(array)


def with_finite_inputs(inputs: Sequence[Any]) -> list[Any]:
    """Return inputs of an operation with a half in place of what is not finite."""
    return [
        value if (bad := not_finite(value)) is None else _filled(value, bad) for value in inputs
    ]


def _filled(value: Any, bad: np.ndarray) -> Any:
    array = np.array(value)
    array[bad] = 0.5  # where nearly every function is finite
    return jnp.asarray(array)


def examples_of(
    primitive: str, inputs: Sequence[Any], output: Any, places: np.ndarray
) -> tuple[Example, ...]:
    """Return a few entries of an output with what they are made of.

    Args:
        primitive: name of the operation.
        inputs: of it.
        output: of it.
        places: which entries of the output count.
    """
    real = [np.asarray(v) for v in inputs if jnp.issubdtype(jnp.result_type(v), jnp.number)]
    array = np.asarray(output)
    shown = np.argwhere(places & np.isnan(array))[:_SHOWN]
    if len(shown) < _SHOWN:  # what is NaN tells more than what is infinite
        shown = np.concatenate([shown, np.argwhere(places & ~np.isnan(array))])[:_SHOWN]
    found = [tuple(int(i) for i in at) for at in shown]
    together = primitive in ELEMENTWISE
    if together:
        real = [np.broadcast_to(v, array.shape) for v in real]

    def entries(at: tuple[int, ...]) -> tuple[float, ...]:
        if together:
            return tuple(_number(v[at]) for v in real)
        return tuple(_number(_largest(v)) for v in real if v.size)

    return tuple(Example(at, entries(at), _number(array[at])) for at in found)


def _largest(array: np.ndarray) -> Any:
    flat = array.ravel()
    if np.iscomplexobj(flat) or not np.issubdtype(flat.dtype, np.floating):
        return flat[np.argmax(np.abs(flat))]
    size = np.abs(flat.astype(np.float64))
    return flat[np.argmax(np.where(np.isnan(size), np.inf, size))]


def _number(value: Any) -> float:
    """Return an entry as a real number, a complex one by its size."""
    return float(abs(value)) if np.iscomplexobj(value) else float(value)
