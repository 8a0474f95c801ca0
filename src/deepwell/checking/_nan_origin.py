"""Where a NaN or an infinity came from: the first operation that made one out of finite numbers.

The function is traced, then computed operation by operation, into calls, branches and loops, and
so is its gradient where the function itself is finite. Every operation with an output that is not
finite is an event; those whose inputs were finite are suspects. From the outputs that are not
finite the search goes back to the suspects that reach them. Where there are several, such as a
mask of -inf that a softmax turns into zeros and a division that went wrong, later ones are mended
and the program is computed again: the culprit is the first suspect with which the result stays
not finite.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend import core

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._jax._start import start

from ._nan_causes import cause_of
from ._nan_evaluation import Evaluation, TooManyStepsError
from ._nan_events import ARGUMENT, CONSTANT, Event, Example, Key
from ._nan_report import NanOrigin, Operation
from ._nan_source import Place, place_of

FORWARD, BACKWARD = "forward", "backward"
_PATIENCE = 10  # times the steps of the first evaluation, for loops that mended numbers prolong


def nan_origin(
    function: Callable[..., Any],
    *args: Any,
    argnums: int | Sequence[int] | None = None,
    has_aux: bool = False,
    **kwargs: Any,
) -> NanOrigin | None:
    """Return which operation first made a NaN or an infinity that reaches a result or a gradient.

    >>> import deepwell as dw
    >>> import jax.numpy as jnp
    >>> def cost(w):
    ...     return jnp.sum(jnp.where(w > 0, jnp.sqrt(w), 0.0))  # its value is finite
    >>> found = dw.nan_origin(cost, jnp.array([4.0, 0.0]))
    >>> found.direction, found.first.primitive, found.first.cause, found.nan.cause
    ('backward', 'div', 'division of 0.5 by 0', '0 * inf')
    >>> dw.nan_origin(cost, jnp.array([4.0, 1.0])) is None
    True

    Infinities that are meant and vanish again, such as a mask of -inf before a softmax, are not
    blamed. An infinity that becomes NaN later is told with both operations. Of a constant -inf in
    the program that does harm, the operation that it harmed is told.

    Limits: operations are computed one by one, as without `jit`, so what only a fused program
    rounds to an infinity is not seen. Entries are followed by arrays, not one by one; which of
    several suspects is to blame is found by mending, and only the first is told. A function that
    calls back into Python does so several times. Kernels written by hand, `shard_map` and the
    function inside a reduction count as one operation. Loops may take 200,000 steps together. The
    first call compiles each kind of operation, seconds for a large function.

    Args:
        function: of arrays, and of lists and dictionaries of them, that JAX can trace.
        args: what it is called with.
        argnums: arguments by which it is differentiated; None takes all that hold real numbers
            alone, `()` none. Of an output of several numbers their sum is differentiated.
        has_aux: whether it returns `(value, others)`, where only the value is differentiated.
        kwargs: further arguments by name, not differentiated.

    Returns:
        The origin, or None when results and gradients are finite.

    Raises:
        UsageError: when JAX cannot trace or differentiate the function with these arguments, or
            its loops take too many steps.
    """
    if not callable(function):
        raise UsageError(f"`function` must be callable, got {type(function).__name__}")
    start()
    wanted = _differentiated(args, argnums)

    def value(*given: Any) -> Any:
        return function(*given, **kwargs)

    with jax.debug_nans(False), jax.debug_infs(False):
        forward, names = _traced(value, args)
        found = _search(forward, args, FORWARD, names)
        if found is not None or not wanted:
            return found
        backward, _ = _traced(jax.grad(_total(value, has_aux), argnums=wanted), args)
        rules = _backward_rules(forward.jaxpr)
        names = [
            f"the gradient by argument {number}{_path(path)}"
            for number in wanted
            for path, _ in jax.tree_util.tree_flatten_with_path(args[number])[0]
        ]
        found = _search(backward, args, BACKWARD, names)
    rule = found and rules.get((found.first.place.file, found.first.place.line))
    if found is None or not rule:
        return found
    told = f"the line calls a function with a backward pass of its own, {rule}"
    return replace(found, hint=f"{told}; {found.hint}".removesuffix("; "))


def _backward_rules(program: Any, around: tuple[Any, ...] = ()) -> dict[tuple[str, int], str]:
    """Return the backward passes written by hand, by the line that calls their function.

    JAX gives what such a pass computes the line of the call.
    """
    found: dict[tuple[str, int], str] = {}
    for equation in program.eqns:
        sources = (equation.source_info, *around)
        place = place_of(*sources)
        rule = equation.params.get("bwd")
        rule = getattr(rule, "f", rule)  # JAX wraps it
        code = getattr(rule, "__code__", None)
        if code is not None:
            where = f"{Path(code.co_filename).name}:{code.co_firstlineno}"
            found[place.file, place.line] = f"{rule.__name__} at {where}"
        for inner in core.jaxprs_in_params(equation.params):
            found |= _backward_rules(inner, sources)
    return found


def _total(value: Callable[..., Any], has_aux: bool) -> Callable[..., Any]:
    """Return the function as one real number."""

    def total(*given: Any) -> Any:
        out = value(*given)[0] if has_aux else value(*given)
        real = [
            jnp.real(leaf)
            for leaf in jax.tree.leaves(out)
            if jnp.issubdtype(jnp.result_type(leaf), jnp.inexact)
        ]
        if len(real) == 1 and not jnp.shape(real[0]):
            return real[0]
        return sum((jnp.sum(leaf) for leaf in real), jnp.zeros(()))

    return total


def _traced(function: Callable[..., Any], args: Sequence[Any]) -> tuple[Any, list[str]]:
    """Return a function as a program, and its outputs' names."""
    try:
        program, shape = jax.make_jaxpr(function, return_shape=True)(*args)
    except (TypeError, jax.errors.JAXTypeError) as error:
        first = safe_text(str(error).strip().partition("\n")[0], 200)
        raise UsageError(
            f"the function must be one that JAX can trace and differentiate ({first}); give "
            "arrays, and bind other arguments with functools.partial"
        ) from error
    paths = jax.tree_util.tree_flatten_with_path(shape)[0]
    return program, [f"the output{_path(path)}" for path, _ in paths]


def _path(path: Any) -> str:
    return jax.tree_util.keystr(path)


def _differentiated(args: Sequence[Any], argnums: int | Sequence[int] | None) -> tuple[int, ...]:
    """Return the arguments by which the function is differentiated.

    Raises:
        UsageError: when one of them does not exist, or holds anything but real numbers.
    """
    if argnums is None:
        return tuple(n for n, arg in enumerate(args) if _is_real(arg))
    wanted = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    for number in wanted:
        if not isinstance(number, int) or not 0 <= number < len(args):
            raise UsageError(
                f"`argnums` must count the {len(args)} arguments from 0, "
                f"got {safe_text(repr(number))}"
            )
        if not _is_real(args[number]):
            raise UsageError(
                f"`argnums` must name arguments of real numbers, but argument {number} holds "
                "others; leave it out"
            )
    return wanted


def _is_real(arg: Any) -> bool:
    try:
        kinds = [jnp.result_type(leaf) for leaf in jax.tree.leaves(arg)]
    except (TypeError, ValueError):
        return False
    return bool(kinds) and all(jnp.issubdtype(kind, jnp.floating) for kind in kinds)


def _search(
    program: Any, args: Sequence[Any], direction: str, outputs: Sequence[str]
) -> NanOrigin | None:
    """Return the origin of what is not finite at the end of a program, None where nothing is."""
    values = jax.tree.leaves(args)
    names = [
        f"argument {number}{_path(path)}"
        for number, arg in enumerate(args)
        for path, _ in jax.tree_util.tree_flatten_with_path(arg)[0]
    ]
    compiled: dict[int, Any] = {}
    first = Evaluation(compiled)
    ends = first.of(program, [_array(value) for value in values], names)
    bad = [end.event for end in ends if end.event is not None]
    if not bad:
        return None
    reached = _ancestors(first.events, bad)
    suspects = [event for event in first.events if event.number in reached and event.born]
    harmless = {e.where.key for e in first.events if e.born and e.number not in reached}

    def harms(kept: set[Key]) -> bool:
        again = Evaluation(compiled, frozenset(kept | harmless), _PATIENCE * (first.steps + 1))
        try:
            ends = again.of(program, [_array(value) for value in values], names)
        except TooManyStepsError:
            return False
        return any(end.event is not None for end in ends)

    culprit = _first_culprit(suspects, harms)
    after = _descendants(first.events, culprit, reached)
    turned = next((e for e in after if e.is_nan and not e.from_nan), None)
    told, later = culprit, None if culprit.is_nan else turned
    if culprit.primitive == CONSTANT:  # no line wrote it: the operation that it harmed did
        told, later = turned or next(iter(after), culprit), None
    followed = {event.number for event in (culprit, *after)}
    place = next(i for i, end in enumerate(ends) if end.event in followed)
    return NanOrigin(
        direction,
        _operation(told),
        None if later is None else _operation(later),
        outputs[place],
        _hint(direction, told, later),
    )


def _array(value: Any) -> Any:
    return value if isinstance(value, jax.Array) else jnp.asarray(value)


def _first_culprit(suspects: Sequence[Event], harms: Callable[[set[Key]], bool]) -> Event:
    """Return the first suspect with which, beside all before it, the result is not finite."""
    low, high = 0, len(suspects) - 1
    while low < high:
        middle = (low + high) // 2
        if harms({event.where.key for event in suspects[: middle + 1]}):
            high = middle
        else:
            low = middle + 1
    return suspects[low]


def _ancestors(events: Sequence[Event], ends: Sequence[int]) -> set[int]:
    """Return the numbers of all events that lead to these, themselves included."""
    found: set[int] = set()
    waiting = list(ends)
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting.extend(events[number].parents)
    return found


def _descendants(events: Sequence[Event], root: Event, among: set[int]) -> list[Event]:
    """Return the events that follow from one, in the order of time."""
    found = {root.number}
    for event in events[root.number + 1 :]:
        if event.number in among and found.intersection(event.parents):
            found.add(event.number)
    return [events[n] for n in sorted(found - {root.number})]


def _operation(event: Event) -> Operation:
    example = event.examples[0] if event.examples else Example((), (), float("nan"))
    if event.primitive == ARGUMENT:
        place, cause = Place(), f"{event.source} is not finite itself"
    else:
        place = place_of(event.source, *reversed(event.where.callers))
        cause = cause_of(event.primitive, example.inputs, example.output, event.dtype, event.power)
    if event.primitive == CONSTANT:
        cause = "a constant of the function is not finite"
    return Operation(
        primitive=event.primitive,
        cause=cause,
        place=place,
        path=event.where.path,
        steps=event.where.steps,
        input_shapes=event.shapes[0],
        output_shapes=event.shapes[1],
        dtype=str(jnp.dtype(event.dtype).name),
        bad=event.born or event.bad,
        size=event.size,
        examples=event.examples,
    )


def _hint(direction: str, first: Event, nan: Event | None) -> str:
    """Return what mends the patterns that are known by themselves."""
    if direction == BACKWARD and any(_zero_times_infinity(e) for e in (first, nan) if e):
        return (
            "the line has no finite slope here: add an epsilon inside, or, where it is a branch "
            "that was not taken, put a harmless number inside first, as in "
            "where(ok, f(where(ok, x, 1)), 0)"
        )
    if first.primitive == "sub" and any(set(e.inputs) == {-math.inf} for e in first.examples):
        return "a row that is masked out as a whole has no softmax; keep at least one entry"
    return _HINTS.get(first.primitive, "")


def _zero_times_infinity(event: Event) -> bool:
    pairs = [set(map(abs, one.inputs)) for one in event.examples if len(one.inputs) == 2]
    if event.primitive == "mul":
        return any(pair == {0.0, math.inf} for pair in pairs)
    return event.primitive == "div" and any(pair == {0.0} for pair in pairs)


_HINTS = {
    "exp": "subtract the largest entry before exp, as jax.nn.logsumexp and softmax do",
    "log": "use a form that stays finite, such as jax.nn.log_softmax or xlogy, or add an epsilon",
    "sqrt": "add an epsilon inside the root",
    "rsqrt": "add an epsilon before the root",
    "convert_element_type": "keep this part in float32, or scale it down first",
}
