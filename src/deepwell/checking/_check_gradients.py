"""The gradient check for any loss that JAX differentiates, custom rules included."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._gradient_check import GradientCheck
from ._gradient_problem import Block, Problem
from ._gradient_run import ALIKE, Extent, run

_AT_ONCE = 256  # costs that one call of the compiled program returns, at most
_BYTES = 2**26  # that these may take together


def check_gradients(
    loss: Callable[..., Any],
    params: Any,
    *args: Any,
    has_aux: bool = False,
    steps: int = 10,
    every_entry_up_to: int = 2_000,
    seed: int = 0,
) -> GradientCheck:
    """Compare JAX's gradient of a loss with two-sided numerical derivatives, in float64.

    What can be wrong are rules of one's own: `custom_vjp`, `custom_jvp`, `stop_gradient`,
    callbacks; and what rounds or cuts.

    >>> import jax, jax.numpy as jnp
    >>> @jax.custom_vjp
    ... def square(x):
    ...     return x**2
    >>> square.defvjp(lambda x: (x**2, x), lambda x, g: (x * g,))
    >>> def loss(params, x):
    ...     return square(x @ params["w"]).mean() + params["b"] ** 2
    >>> x = jnp.array([[1.0, 2.0], [3.0, -1.0]])
    >>> check = check_gradients(loss, {"w": jnp.array([0.5, 0.1]), "b": 0.3}, x)
    >>> check.wrong_blocks, check.block("w").cause.sentence
    (('w',), 'it is 2 times too small')

    The relative error is `||slopes - gradient|| / (||slopes|| + ||gradient||)`: about 1e-7 is
    great, 1e-5 deserves a look, 1e-3 is a worry. A block is wrong where they differ by more than
    truncation, rounding and kinks explain, all three measured.

    The check runs in float64 whatever JAX is set to, which it leaves as it was: floating-point
    parameters and arguments are converted. A loss that computes in less inside is compared as
    exactly as its measured rounding allows; one that refuses float64 is checked in its own types.
    Both are said in `notes` and `digits`.

    Args:
        loss: `(params, *args) -> number`, in JAX. It must return the same number each time: pass
            a random key as an argument, which holds dropout's masks fixed, or switch dropout off.
        params: where: any pytree. Leaves without floating-point numbers are held as they are;
            complex ones are checked as real and imaginary part.
        args: what else the loss takes, in any form: data, keys.
        has_aux: whether the loss returns `(number, anything else)`, as for `jax.grad`.
        steps: of descent along the gradient before a second look, since much is small or alike at
            the start; 0 for none.
        every_entry_up_to: parameters up to which every entry is compared; above, a block is
            compared along random directions, and entries are looked up where these disagree.
        seed: of the random directions.

    Returns:
        The verdict, with the blocks and entries to blame and the likely error.

    Raises:
        UsageError: when an argument has not the form above, the loss is not finite at `params`,
            changes from call to call, or cannot be differentiated by JAX. Errors of the loss
            itself are not caught.

    Source: Rumelhart et al. 1986 (backpropagation); Baydin et al. 2018, section 2.1.
    """
    extent = Extent(steps, every_entry_up_to, seed)
    if not callable(loss):
        raise UsageError(f"`loss` must be a function, got {type(loss).__name__}")
    start()
    task = _Task(loss, has_aux)
    one, two = (_number(loss(params, *args), has_aux) for _ in range(2))
    _check_steady(one, two)
    notes: list[str] = []
    with jax.enable_x64(True):
        wide = _Point.of(params, args, wide=True)
        try:
            value = float(task.at(wide)(wide.vector, wide.rows))
        except (TypeError, ValueError, NotImplementedError) as error:
            kind = f"{type(error).__name__}: {error}"
            notes.append(
                "the loss refuses float64, so that it is checked in the types it was given "
                f"({safe_text(' '.join(kind.split()), 160)})"
            )
        else:
            _check_steady(value, value)
            return _check(task, wide, extent, notes)
    return _check(task, _Point.of(params, args, wide=False), extent, notes)


def _number(told: Any, has_aux: bool) -> Any:
    """Return the cost that a loss returned."""
    if has_aux:
        if not (isinstance(told, tuple) and len(told) == 2):
            raise UsageError(
                "`loss` must return two things, a number and others, with has_aux=True, got "
                f"{type(told).__name__}"
            )
        told = told[0]
    if isinstance(told, tuple | list | dict):
        raise UsageError(
            f"`loss` must return one number, got a {type(told).__name__}; with (number, others) "
            "pass has_aux=True"
        )
    kind = getattr(told, "dtype", np.dtype(type(told)) if isinstance(told, int | float) else None)
    real = kind is not None and jnp.issubdtype(kind, jnp.floating)
    if not real or np.shape(told):
        got = (
            f"shape {np.shape(told)}" if np.shape(told) else safe_text(kind or type(told).__name__)
        )
        raise UsageError(f"`loss` must return one floating-point number, got {got}")
    return told


def _check_steady(one: Any, two: Any) -> None:
    one, two = float(one), float(two)
    if not np.isfinite(one):
        raise UsageError(f"`loss` must be finite at `params`, got {one}; start elsewhere")
    if abs(one - two) > ALIKE * abs(one):
        raise UsageError(
            f"`loss` must return the same number each time, got {one!r} and {two!r}; draw from a "
            "random key that is passed as an argument, or switch dropout off"
        )


@dataclass(frozen=True)
class _Leaf:
    """A leaf of the parameters that is checked: where it lies, its form, the type it is given."""

    place: int
    name: str
    shape: tuple[int, ...]
    dtype: Any

    @property
    def parts(self) -> tuple[str, ...]:
        """Names of its blocks: a complex leaf has two."""
        if jnp.issubdtype(self.dtype, jnp.complexfloating):
            return f"{self.name}/real", f"{self.name}/imaginary"
        return (self.name,)


@dataclass(frozen=True)
class _Point:
    """Parameters as one vector, and how they and the arguments are put together again."""

    vector: np.ndarray
    leaves: tuple[_Leaf, ...]
    held: tuple[str, ...]
    blocks: tuple[Block, ...]
    back: Callable[[Any], Any]
    rows: list[Any]
    arguments: Callable[[list[Any]], Any]

    @classmethod
    def of(cls, params: Any, args: tuple[Any, ...], *, wide: bool) -> _Point:
        """Take the parameters and arguments apart; `wide` converts to 64 bits."""
        pairs, form = jax.tree_util.tree_flatten_with_path(params)
        flat = [leaf for _, leaf in pairs]
        leaves, held, blocks, values = [], [], [], [np.zeros(0)]
        start = 0
        for place, (path, leaf) in enumerate(pairs):
            name = safe_text(jax.tree_util.keystr(path, simple=True, separator="/") or "params")
            if not _is_inexact(leaf):
                held.append(name)
                continue
            kind = _in_64_bits(jnp.result_type(leaf)) if wide else jnp.result_type(leaf)
            one = _Leaf(place, name, np.shape(leaf), kind)
            leaves.append(one)
            plain = np.asarray(leaf)
            split = (np.real(plain), np.imag(plain)) if len(one.parts) == 2 else (plain,)
            for part, numbers in zip(one.parts, split, strict=True):
                blocks.append(Block(part, one.shape, start))
                values.append(np.asarray(numbers, np.float64).reshape(-1))
                start = blocks[-1].stop
        if not start:
            raise UsageError(
                "`params` must hold floating-point numbers, got "
                f"{safe_text(', '.join(held) or 'none')}; write 1.0 in place of 1"
            )
        rows, arguments = _arguments(args, wide)
        back = partial(_back, form, flat, tuple(leaves))
        return cls(
            np.concatenate(values), tuple(leaves), tuple(held), tuple(blocks), back, rows, arguments
        )


def _is_inexact(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray | np.generic | jax.Array):
        return jnp.issubdtype(leaf.dtype, jnp.inexact)
    return isinstance(leaf, float | complex)


def _in_64_bits(kind: Any) -> Any:
    return jnp.complex128 if jnp.issubdtype(kind, jnp.complexfloating) else jnp.float64


def _back(form: Any, flat: list[Any], leaves: tuple[_Leaf, ...], vector: Any) -> Any:
    """Return the parameters that a vector stands for."""
    filled, start = list(flat), 0
    for leaf in leaves:
        size, parts = int(np.prod(leaf.shape)), []
        for _ in leaf.parts:
            parts.append(vector[start : start + size].reshape(leaf.shape))
            start += size
        values = jax.lax.complex(*parts) if len(parts) == 2 else parts[0]
        filled[leaf.place] = values.astype(leaf.dtype)
    return jax.tree_util.tree_unflatten(form, filled)


def _arguments(args: tuple[Any, ...], wide: bool) -> tuple[list[Any], Callable[[list[Any]], Any]]:
    """Return the arrays among the arguments, and how these become the arguments again."""
    flat, form = jax.tree_util.tree_flatten(args)
    places = [i for i, leaf in enumerate(flat) if isinstance(leaf, np.ndarray | jax.Array)]
    places = [i for i in places if getattr(flat[i], "dtype", None) != np.dtype(object)]
    rows = [flat[i] for i in places]
    if wide:
        rows = [
            jnp.asarray(row, _in_64_bits(row.dtype)) if _is_inexact(row) else row for row in rows
        ]

    def together(traced: list[Any]) -> Any:
        whole = list(flat)
        for place, row in zip(places, traced, strict=True):
            whole[place] = row
        return jax.tree_util.tree_unflatten(form, whole)

    return rows, together


@dataclass(frozen=True)
class _Task:
    """The user's loss."""

    loss: Callable[..., Any]
    has_aux: bool

    def at(self, point: _Point) -> Callable[[Any, list[Any]], Any]:
        """Return it as a function of a vector and the arguments' arrays."""

        def cost(vector: Any, rows: list[Any]) -> Any:
            told = self.loss(point.back(jnp.asarray(vector)), *point.arguments(rows))
            return _number(told, self.has_aux)

        return cost


def _check(task: _Task, point: _Point, extent: Extent, notes: list[str]) -> GradientCheck:
    cost = task.at(point)
    slope, many = _slope(cost, point)
    costs = _costs(cost, point, many)
    kinds = [leaf.dtype for leaf in point.leaves]
    rounding = max(float(jnp.finfo(kind).eps) / 2 for kind in kinds)
    if point.held:
        names = safe_text(", ".join(point.held), 200)
        notes.append(f"held as it is, having no floating-point numbers: {names}")
    sizes = [row.shape[0] for row in point.rows if getattr(row, "shape", ())]
    problem = Problem(
        point.blocks,
        point.vector,
        costs,
        lambda vector: np.asarray(slope(vector, point.rows), np.float64),
        resolution=rounding,
        rounding=rounding,
        counts={size: "rows" for size in sizes if size > 2},
    )
    return run(problem, extent, tuple(notes))


def _slope(cost: Callable[..., Any], point: _Point) -> tuple[Callable[..., Any], int]:
    """Return the gradient, compiled where it can be, and how many costs fit into memory."""
    slope = jax.grad(cost)
    vector = jnp.asarray(point.vector)
    try:
        compiled = jax.jit(slope).lower(vector, point.rows).compile()
        found = compiled(vector, point.rows)
    except Exception:  # code that needs values, as `if loss > 1`, runs step by step
        try:
            found = slope(vector, point.rows)
        except jax.errors.JAXTypeError as error:
            raise UsageError(
                "`loss` must be written in jax.numpy to be differentiated, got "
                f"{type(error).__name__}; check_gradients_of takes a gradient of any library"
            ) from error
        return slope, 0
    del found
    used = getattr(compiled.memory_analysis(), "temp_size_in_bytes", _BYTES // 16)
    one = int(used) + 8 * len(point.vector)
    many = max(1, min(_AT_ONCE, _BYTES // one))
    # The points of a slope, in fours, stay in one call: programs of two sizes round differently.
    return lambda v, rows: compiled(jnp.asarray(v), rows), many - many % 8 if many > 8 else many


def _costs(
    cost: Callable[..., Any], point: _Point, many: int
) -> Callable[[np.ndarray], np.ndarray]:
    """Return `(k, n) -> (k,)` costs: many in one program, else one after another.

    Args:
        cost: of a vector and the arguments' arrays.
        point: where.
        many: costs of one call; 0 where the loss cannot be compiled.
    """
    rows = point.rows
    single = jax.jit(cost) if many else cost

    def one_by_one(points: np.ndarray) -> np.ndarray:
        return np.array([float(single(jnp.asarray(p), rows)) for p in points])

    if not many:
        return one_by_one
    together = jax.jit(jax.vmap(cost, in_axes=(0, None)))

    def batched(points: np.ndarray) -> np.ndarray:
        found = []
        for first in range(0, len(points), many):
            part = points[first : first + many]
            if len(part) <= many // 4:  # a full batch would cost more
                found.append(one_by_one(part))
                continue
            full = np.concatenate([part, np.repeat(part[-1:], many - len(part), axis=0)])
            found.append(np.asarray(together(jnp.asarray(full), rows), np.float64)[: len(part)])
        return np.concatenate(found) if found else np.zeros(0)

    try:
        alone = one_by_one(point.vector[None])
        beside = batched(np.repeat(point.vector[None], many, axis=0))
    except Exception:  # a callback or a primitive without a rule for batches
        return one_by_one
    agree = np.allclose(alone, beside, rtol=1e-3, atol=0)
    return batched if agree else one_by_one
