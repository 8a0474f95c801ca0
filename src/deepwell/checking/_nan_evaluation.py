"""A traced program computed equation by equation, with a note of what is not finite.

Calls, branches and loops are gone into. Inside a loop, steps whose results are finite are computed
as a whole, and so are those that only hand on the same entries that were not finite before.

In a second evaluation, events other than chosen ones are mended at birth: the entries that the
operation made become finite there. What is then still not finite at the end comes from the chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.extend import core

from deepwell._base._errors import UsageError

from ._nan_causes import ELEMENTWISE
from ._nan_events import (
    ARGUMENT,
    CONSTANT,
    Event,
    Key,
    Tracked,
    Where,
    all_finite,
    born_elementwise,
    examples_of,
    holds_nan,
    not_finite,
    repaired,
    with_finite_inputs,
)

MOST_STEPS = 200_000  # of all loops together, about 20 seconds
_NONE_BORN: list[np.ndarray | None] = [None]
_CALLS = ("jaxpr", "call_jaxpr", "fun_jaxpr")  # where calls keep what they call
_NAMED_CALLS = (
    "jit",
    "pjit",
    "closed_call",
    "core_call",
    "remat",
    "remat2",
    "checkpoint",
    "custom_jvp_call",
    "custom_vjp_call",
    "custom_vjp_call_jaxpr",
)


class TooManyStepsError(UsageError):
    """The loops of a program take too long."""


class Evaluation:
    """One evaluation of a traced program.

    Args:
        compiled: bodies of loops by their identity, shared between evaluations of one program.
        kept: keys of the events that are left as they are; None leaves all.
        most_steps: of all loops together.

    Attributes:
        events: in the order of time.
        steps: of loops so far.
    """

    def __init__(
        self,
        compiled: dict[int, Any],
        kept: frozenset[Key] | None = None,
        most_steps: int = MOST_STEPS,
    ) -> None:
        self._compiled = compiled
        self._kept = kept
        self._most_steps = most_steps
        self.events: list[Event] = []
        self.steps = 0

    def of(
        self, program: core.ClosedJaxpr, values: Sequence[Any], names: Sequence[str]
    ) -> list[Tracked]:
        """Return the outputs of a program.

        Args:
            program: traced.
            values: of its arguments, flat.
            names: of the same, to be told.
        """
        arguments = [
            self._given(ARGUMENT, value, Where((ARGUMENT, i)), name)
            for i, (value, name) in enumerate(zip(values, names, strict=True))
        ]
        return self._run(program, arguments, Where())

    def _run(
        self, program: core.ClosedJaxpr, inputs: Sequence[Tracked], where: Where
    ) -> list[Tracked]:
        jaxpr = program.jaxpr
        held: dict[Any, Tracked] = dict(zip(jaxpr.invars, inputs, strict=True))
        for i, (var, value) in enumerate(zip(jaxpr.constvars, program.consts, strict=True)):
            held[var] = self._given(CONSTANT, value, where.inside((CONSTANT, i)), None)

        def read(atom: Any, place: Where, source: Any) -> Tracked:
            if isinstance(atom, core.Literal):
                return self._given(CONSTANT, atom.val, place, source)
            return held[atom]

        last = self._last_uses(jaxpr)
        for number, equation in enumerate(jaxpr.eqns):
            here = where.inside(number)
            given = [
                read(atom, here.inside((CONSTANT, i)), equation.source_info)
                for i, atom in enumerate(equation.invars)
            ]
            results = self._equation(equation, given, here)
            held.update(zip(equation.outvars, results, strict=True))
            for var in last.get(number, ()):
                held.pop(var, None)  # what nobody reads any more need not fill memory
        return [
            read(atom, where.inside(("result", i)), None) for i, atom in enumerate(jaxpr.outvars)
        ]

    @staticmethod
    def _last_uses(jaxpr: Any) -> dict[int, list[Any]]:
        last: dict[Any, int] = {}
        for number, equation in enumerate(jaxpr.eqns):
            last.update({v: number for v in equation.invars if not isinstance(v, core.Literal)})
        for var in (*jaxpr.outvars, *jaxpr.constvars):
            if not isinstance(var, core.Literal):
                last.pop(var, None)
        by_number: dict[int, list[Any]] = {}
        for var, number in last.items():
            by_number.setdefault(number, []).append(var)
        return by_number

    def _equation(self, equation: Any, inputs: list[Tracked], where: Where) -> list[Tracked]:
        name = equation.primitive.name
        if name in _LOOPS:
            return _LOOPS[name](self, equation, inputs, where)
        inner = _called(equation)
        if inner is None:
            return self._primitive(equation, inputs, where)
        words = str(equation.params.get("name", "")) or name
        return self._run(inner, inputs, where.inside("in", words, caller=equation.source_info))

    def _primitive(self, equation: Any, inputs: list[Tracked], where: Where) -> list[Tracked]:
        values = [one.value for one in inputs]
        outputs = _bound(equation, values)
        bad = [not_finite(output) for output in outputs]
        if all(mask is None for mask in bad):
            return [Tracked(output) for output in outputs]
        born = self._born(equation, inputs, bad)
        if self._kept is not None and where.key not in self._kept:
            pairs = zip(outputs, born, strict=True)
            outputs = [o if mask is None else repaired(o, mask) for o, mask in pairs]
            bad = [not_finite(output) for output in outputs]
            if all(mask is None for mask in bad):
                return [Tracked(output) for output in outputs]
            born = _NONE_BORN * len(outputs)
        event = self._note(equation, inputs, outputs, where, born)
        return [
            Tracked(output, None if mask is None else event)
            for output, mask in zip(outputs, bad, strict=True)
        ]

    @staticmethod
    def _born(
        equation: Any, inputs: list[Tracked], bad: list[np.ndarray | None]
    ) -> list[np.ndarray | None]:
        """Return which entries of each output are not finite by the doing of this operation."""
        values = [one.value for one in inputs]
        if all(one.event is None for one in inputs):
            return bad
        if equation.primitive.name in ELEMENTWISE and bad[0] is not None:
            masks: list[np.ndarray | None] = [born_elementwise(bad[0], values)]
        else:
            masks = [not_finite(o) for o in _bound(equation, with_finite_inputs(values))]
        return [mask if mask is not None and mask.any() else None for mask in masks]

    def _note(
        self,
        equation: Any,
        inputs: list[Tracked],
        outputs: list[Any],
        where: Where,
        born: list[np.ndarray | None],
    ) -> int:
        values = [one.value for one in inputs]
        told = next(i for i, output in enumerate(outputs) if not_finite(output) is not None)
        told = next((i for i, mask in enumerate(born) if mask is not None), told)
        bad, made = not_finite(outputs[told]), born[told]
        assert bad is not None
        name = equation.primitive.name
        self.events.append(
            Event(
                number=len(self.events),
                where=where,
                primitive=name,
                source=equation.source_info,
                parents=tuple(sorted({one.event for one in inputs if one.event is not None})),
                born=0 if made is None else int(made.sum()),
                bad=int(bad.sum()),
                size=bad.size,
                is_nan=holds_nan(outputs),
                from_nan=holds_nan(values),
                shapes=(tuple(map(jnp.shape, values)), tuple(map(jnp.shape, outputs))),
                dtype=outputs[told].dtype,
                power=float(equation.params["y"]) if name == "integer_pow" else 1.0,
                examples=examples_of(name, values, outputs[told], bad if made is None else made),
            )
        )
        return len(self.events) - 1

    def _given(self, kind: str, value: Any, where: Where, source: Any) -> Tracked:
        """Return a value that no equation made."""
        bad = not_finite(value)
        if bad is None:
            return Tracked(value)
        if self._kept is not None and where.key not in self._kept:
            return Tracked(repaired(value, bad))
        array = np.asarray(value)
        self.events.append(
            Event(
                number=len(self.events),
                where=where,
                primitive=kind,
                source=source,
                parents=(),
                born=int(bad.sum()),
                bad=int(bad.sum()),
                size=bad.size,
                is_nan=holds_nan([value]),
                from_nan=False,
                shapes=((), (array.shape,)),
                dtype=array.dtype,
                power=1.0,
                examples=examples_of(kind, (), array, bad),
            )
        )
        return Tracked(value, len(self.events) - 1)

    def _whole(self, program: core.ClosedJaxpr) -> Callable[..., list[Any]]:
        """Return a program as one compiled function that rounds as its single operations do."""
        if id(program) not in self._compiled:
            made = jax.jit(
                core.jaxpr_as_fun(program),
                compiler_options={"xla_allow_excess_precision": False},
            )
            self._compiled[id(program)] = program, made  # held, so that the number stays its own
        return self._compiled[id(program)][1]

    def _step(
        self, program: core.ClosedJaxpr, inputs: list[Tracked], where: Where, before: list[Tracked]
    ) -> list[Tracked]:
        """Return what a step of a loop gives: as a whole unless something new happens in it.

        Args:
            program: the body.
            inputs: of the step.
            where: the step.
            before: what the same outputs were one step earlier, the carry first.
        """
        self.steps += 1
        if self.steps > self._most_steps:
            raise TooManyStepsError(
                f"the loops of the function must take at most {self._most_steps:,} steps to be "
                "gone through one by one; take fewer"
            )
        outputs = self._whole(program)(*(one.value for one in inputs))
        if all_finite(outputs):
            return [Tracked(output) for output in outputs]
        if len(before) == len(outputs) and all(
            _same_places(old.value, new) for old, new in zip(before, outputs, strict=True)
        ):
            return [Tracked(n, old.event) for n, old in zip(outputs, before, strict=True)]
        return self._run(program, inputs, where)

    def scan(self, equation: Any, inputs: list[Tracked], where: Where) -> list[Tracked]:
        """Return the results of a loop over a leading axis."""
        params = equation.params
        if all(one.event is None for one in inputs):
            outputs = _bound(equation, [one.value for one in inputs])
            if all_finite(outputs):
                return [Tracked(output) for output in outputs]
        consts, carries = params["num_consts"], params["num_carry"]
        fixed, carry = inputs[:consts], inputs[consts : consts + carries]
        rows, length = inputs[consts + carries :], params["length"]
        program: core.ClosedJaxpr = params["jaxpr"]
        stacked: list[list[Tracked]] = []
        for i in reversed(range(length)) if params["reverse"] else range(length):
            words = f"scan, step {i} of {length}"
            here = where.inside(("step", i), words, i, equation.source_info)
            row = [_row(one, i) for one in rows]
            before = [*carry, *(stacked[-1] if stacked else ())]
            out = self._step(program, [*fixed, *carry, *row], here, before)
            carry = out[:carries]
            stacked.append(out[carries:])
        if params["reverse"]:
            stacked.reverse()
        columns = zip(*stacked, strict=True) if stacked else ()
        avals = [var.aval for var in equation.outvars[carries:]]
        if not stacked:
            return [*carry, *(Tracked(jnp.zeros(a.shape, a.dtype)) for a in avals)]
        return [*carry, *(self._joined(column, equation, where) for column in columns)]

    def _joined(self, column: Sequence[Tracked], equation: Any, where: Where) -> Tracked:
        """Return what a loop gave at each of its steps as one array."""
        value = jnp.stack([one.value for one in column]) if len(column) < 64 else _stack(column)
        events = sorted({one.event for one in column if one.event is not None})
        if len(events) < 2:
            return Tracked(value, events[0] if events else None)
        given = [Tracked(value, event) for event in events]
        return Tracked(
            value, self._note(equation, given, [value], where.inside("rows"), _NONE_BORN)
        )

    def loop(self, equation: Any, inputs: list[Tracked], where: Where) -> list[Tracked]:
        """Return the results of a `while`."""
        params = equation.params
        of_test, of_body = params["cond_nconsts"], params["body_nconsts"]
        test, fixed = inputs[:of_test], inputs[of_test : of_test + of_body]
        carry = inputs[of_test + of_body :]
        goes_on = self._whole(params["cond_jaxpr"])
        step = 0
        while bool(goes_on(*(one.value for one in (*test, *carry)))[0]):
            words = f"while, step {step}"
            here = where.inside(("step", step), words, step, equation.source_info)
            carry = self._step(params["body_jaxpr"], [*fixed, *carry], here, carry)
            step += 1
        return carry

    def branch(self, equation: Any, inputs: list[Tracked], where: Where) -> list[Tracked]:
        """Return the results of the branch that is taken."""
        branches = equation.params["branches"]
        chosen = int(np.clip(int(inputs[0].value), 0, len(branches) - 1))
        words = f"cond, branch {chosen} of {len(branches)}"
        here = where.inside(("branch", chosen), words, caller=equation.source_info)
        return self._run(branches[chosen], inputs[1:], here)


_LOOPS = {"scan": Evaluation.scan, "while": Evaluation.loop, "cond": Evaluation.branch}


def _called(equation: Any) -> core.ClosedJaxpr | None:
    """Return what a call calls, None for all else."""
    if equation.primitive.name not in _NAMED_CALLS:
        return None
    for name in _CALLS:
        inner = equation.params.get(name)
        if isinstance(inner, core.ClosedJaxpr):
            return inner
        if isinstance(inner, core.Jaxpr):
            return core.ClosedJaxpr(inner, ())
    return None


def _bound(equation: Any, values: Sequence[Any]) -> list[Any]:
    """Return the outputs of one operation."""
    params = equation.primitive.get_bind_params(equation.params)
    functions: Sequence[Any] = ()
    if not isinstance(params, dict):  # JAX 0.10.1 hands over functions beside them
        functions, params = params
    outputs = equation.primitive.bind(*functions, *values, **params)
    return list(outputs) if equation.primitive.multiple_results else [outputs]


def _row(one: Tracked, i: int) -> Tracked:
    value = one.value[i]
    clean = one.event is None or not_finite(value) is None
    return Tracked(value, None if clean else one.event)


def _same_places(old: Any, new: Any) -> bool:
    """Whether the same entries are not finite."""
    before, after = not_finite(old), not_finite(new)
    if before is None or after is None:
        return before is after
    return bool((before == after).all())


def _stack(column: Sequence[Tracked]) -> Any:
    """Return many arrays as one: JAX would compile a program with as many arguments."""
    if jnp.issubdtype(column[0].value.dtype, jax.dtypes.extended):
        return jnp.stack([one.value for one in column])
    return jnp.asarray(np.stack([np.asarray(one.value) for one in column]))
