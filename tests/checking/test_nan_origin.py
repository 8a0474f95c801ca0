"""Where a NaN came from: planted cases, each with the one line and operation to be blamed.

The line to blame is the one that ends in `# here`.
"""

from __future__ import annotations

import functools
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import deepwell as dw
from deepwell._base._errors import UsageError
from deepwell.checking._nan_evaluation import MOST_STEPS

SEVEN = np.arange(7, dtype=np.float32)


def A(values):  # noqa: N802
    array = np.asarray(values)
    return array.astype(np.float32) if array.dtype == np.float64 else array


def log_of_zero(p):
    return -jnp.sum(jnp.log(p))  # here


def log_of_negative(p):
    q = p * 2.0
    return jnp.sum(jnp.log(q) * q)  # here


def zero_over_zero(x):
    return jnp.mean((x - x[0]) / (x - x[0]))  # here


def softmax_by_hand(z):
    e = jnp.exp(z)  # here
    return jnp.sum(e / jnp.sum(e))


def logsumexp_by_hand(z):
    return jnp.log(jnp.sum(jnp.exp(z)))  # here


def half_precision(x):
    h = x.astype(jnp.float16)
    return jnp.sum(h * h).astype(jnp.float32)  # here


def too_large_for_half(x):
    h = x.astype(jnp.float16)  # here
    return jnp.sum(jnp.sin(h))


def infinity_minus_infinity(x):
    a = x * 1e30
    b = a * 1e30  # here
    return jnp.sum(b - b)


def arccos_out_of_range(x):
    cosine = jnp.dot(x, x) / (jnp.dot(x, x) * 0.999)
    return jnp.arccos(cosine)  # here


def power_of_a_negative(x):
    return jnp.sum(x**1.5)  # here


def masked_row(z):
    masked = jnp.where(z > 0, z, -jnp.inf)
    return jnp.sum(jax.nn.softmax(masked, axis=1)[:, 0])  # here


def batch_norm_without_epsilon(z):
    mean, variance = z.mean(0), z.var(0)
    return jnp.sum((z - mean) / jnp.sqrt(variance))  # here


def dot_overflow(w):
    return jnp.sum(jnp.tanh(w @ w) * jnp.sum(w @ w))  # here


def root_of_negative_variance(x):
    variance = jnp.mean(x * x) - jnp.mean(x) ** 2 - 1e-3
    return 1 / jnp.sqrt(variance)  # here


def inside_scan(x):
    def body(carry, a):
        carry = carry + 1 / (a - 3.0)  # here
        return carry, carry

    return jax.lax.scan(body, 0.0, x)[0]


def inside_while(x):
    def body(carry):
        i, a = carry
        return i + 1, jnp.log(a - 1.0) + 1.5  # here

    return jax.lax.while_loop(lambda carry: carry[0] < 6, body, (0, x))[1]


def inside_cond(x):
    def risky(v):
        return jnp.sum(1.0 / v)  # here

    return jax.lax.cond(x.sum() > 0, risky, jnp.sum, x)


def inside_vmap(x):
    def one(row):
        return row / jnp.linalg.norm(row)  # here

    return jnp.sum(jax.vmap(one)(x))


def inside_jit_and_remat(x):
    @jax.jit
    @jax.checkpoint
    def inner(v):
        return jnp.log(v)  # here

    return jnp.sum(inner(x))


def adam_without_epsilon(g):
    moment, square = 0.1 * g, 0.001 * g * g
    return jnp.sum(moment / jnp.sqrt(square))  # here


def update_overflow(w):
    def step(w, _):
        gradient = 4 * w**3
        return w - 0.9 * gradient, None  # here

    return jnp.sum(jax.lax.scan(step, w, None, length=12)[0])


def root_at_zero(x):
    return jnp.sum(jnp.sqrt(x))  # here


def norm_at_zero(x):
    return jnp.linalg.norm(x)  # here


def where_trap(x):
    return jnp.sum(jnp.where(x > 0, jnp.log(x), 0.0))  # here


def where_trap_of_division(x):
    safe = jnp.where(x != 0, jnp.sin(x) / x, 1.0)  # here
    return jnp.sum(safe)


def power_at_zero(x):
    return jnp.sum(jnp.abs(x) ** 0.3)  # here


def root_in_scan(x):
    def body(carry, a):
        return carry + jnp.sqrt(a), None  # here

    return jax.lax.scan(body, 0.0, x)[0]


@jax.custom_vjp
def clipped(x):
    return jnp.clip(x, -1.0, 1.0)


def _forth(x):
    return clipped(x), x


def _back(x, slope):
    return (slope * jnp.clip(x, -1.0, 1.0) / x,)


clipped.defvjp(_forth, _back)


def custom_backward(x):
    return jnp.sum(clipped(x) ** 2)  # here


@jax.custom_jvp
def cubic_root(x):
    return jnp.cbrt(x)


@cubic_root.defjvp
def _slope(primals, tangents):
    (x,), (t,) = primals, tangents
    return cubic_root(x), t / (3 * jnp.cbrt(x) ** 2)  # here


def custom_tangent(x):
    return jnp.sum(cubic_root(x))


def arccos_slope_at_one(x):
    return jnp.sum(jnp.arccos(x))  # here


def mask_beside_a_fault(x):
    weights = jax.nn.softmax(jnp.where(x > 1, x, -jnp.inf))
    scaled = x / (x[1] - 1.0)  # here
    return jnp.sum(weights * scaled)


def made_by_a_library(x):
    import optax

    return optax.safe_norm(x, 0.0) + jnp.log(jnp.sum(x))  # here


# function, argument, direction, primitive, words of the cause, steps, how it became NaN
CASES = [
    (log_of_zero, A([0.5, 0.0]), "forward", "log", "log of 0", (), ""),
    (log_of_negative, A([0.5, -1.0]), "forward", "log", "log of a negative", (), ""),
    (zero_over_zero, A([1.0, 2.0]), "forward", "div", "0 / 0", (), ""),
    (softmax_by_hand, A([1.0, 100.0]), "forward", "exp", "exp overflows float32", (), "inf / inf"),
    (logsumexp_by_hand, A([1.0, 100.0]), "forward", "exp", "overflows float32", (), ""),
    (half_precision, A([300.0, 2.0]), "forward", "mul", "overflows float16", (), ""),
    (too_large_for_half, A([1e5]), "forward", "convert_element_type", "float16", (), "sin of inf"),
    (infinity_minus_infinity, A([1.0, 0.0]), "forward", "mul", "overflows", (), "inf - inf"),
    (arccos_out_of_range, A([1.0, 2.0]), "forward", "acos", "outside [-1, 1]", (), ""),
    (power_of_a_negative, A([-2.0, 1.0]), "forward", "pow", "to the power 1.5", (), ""),
    (masked_row, A([[1.0, -1.0], [-1.0, -2.0]]), "forward", "sub", "-inf - (-inf)", (), ""),
    (batch_norm_without_epsilon, A([[1.0, 2.0], [1.0, 3.0]]), "forward", "div", "0 / 0", (), ""),
    (dot_overflow, A([[1e20, 1e20], [1e20, 1e20]]), "forward", "dot_general", "overflows", (), ""),
    (root_of_negative_variance, A([1.0, 1.0, 1.0]), "forward", "sqrt", "of a negative", (), ""),
    (inside_scan, SEVEN, "forward", "div", "of 1 by 0", (3,), ""),
    (inside_while, A(3.0), "forward", "log", "of a negative", (4,), ""),
    (inside_cond, A([2.0, 0.0]), "forward", "div", "of 1 by 0", (), ""),
    (inside_vmap, A([[3.0, 4.0], [0.0, 0.0]]), "forward", "div", "0 / 0", (), ""),
    (inside_jit_and_remat, A([1.0, 0.0]), "forward", "log", "log of 0", (), ""),
    (adam_without_epsilon, A([0.1, 0.0]), "forward", "div", "0 / 0", (), ""),
    (update_overflow, A([2.0]), "forward", "integer_pow", "overflows float32", (3,), ""),
    (root_at_zero, A([1.0, 0.0]), "backward", "div", "of 0.5 by 0", (), ""),
    (norm_at_zero, A([0.0, 0.0]), "backward", "div", "of 0.5 by 0", (), "0 * inf"),
    (where_trap, A([1.0, 0.0]), "backward", "div", "0 / 0", (), ""),
    (where_trap_of_division, A([1.0, 0.0]), "backward", "integer_pow", "0 to a", (), "0 * inf"),
    (power_at_zero, A([1.0, 0.0]), "backward", "pow", "0 to a negative power", (), ""),
    (root_in_scan, A([1.0, 4.0, 0.0, 2.0]), "backward", "div", "of 0.5 by 0", (2,), ""),
    (custom_backward, A([1.0, 0.0]), "backward", "div", "0 / 0", (), ""),
    (custom_tangent, A([1.0, 0.0]), "backward", "div", "by 0", (), ""),
    (arccos_slope_at_one, A([0.5, 1.0]), "backward", "rsqrt", "root of 0", (), ""),
    (mask_beside_a_fault, A([2.0, 1.0, 3.0]), "forward", "div", "by 0", (), "0 * inf"),
    (made_by_a_library, A([0.0, -1.0]), "forward", "log", "of a negative", (), ""),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case[0].__name__)
def test_the_planted_operation_is_blamed(case) -> None:
    function, x, direction, primitive, cause, steps, became = case
    found = dw.nan_origin(function, x)
    assert found is not None
    assert (found.direction, found.first.primitive) == (direction, primitive), str(found)
    assert cause in found.first.cause, str(found)
    assert found.first.steps == steps
    if function is not update_overflow:  # its power stands in the line above
        assert found.first.place.code.endswith("# here"), str(found)
    assert found.first.place.file == __file__
    assert (found.nan.cause if found.nan else "") == became


def test_what_is_told_of_an_operation() -> None:
    found = dw.nan_origin(inside_scan, SEVEN)
    assert found is not None
    first = found.first
    assert first.path == ("scan, step 3 of 7",)
    assert first.input_shapes == ((), ())
    assert (first.output_shapes, first.dtype, first.bad, first.size) == (((),), "float32", 1, 1)
    assert first.place.function == "inside_scan.<locals>.body"
    lines = inspect_lines()
    assert lines[first.place.line - 1].strip() == first.place.code
    found = dw.nan_origin(log_of_negative, A([[0.5, -1.0], [-3.0, 2.0]]))
    assert found is not None
    assert (found.first.bad, found.first.size) == (2, 4)
    assert [one.at for one in found.first.examples] == [(0, 1), (1, 0)]
    assert [one.inputs for one in found.first.examples] == [(-2.0,), (-6.0,)]
    text = str(found)
    assert text.startswith("forward: log, log of a negative number, at test_nan_origin.py:")
    assert "2 of 4 entries of float32[2, 2]" in text
    assert "reaches: the output" in text


def inspect_lines() -> list[str]:
    import pathlib

    return pathlib.Path(__file__).read_text("utf-8").splitlines()


def test_the_trap_of_where_has_its_remedy() -> None:
    def safe(x):
        ok = x > 0
        return jnp.sum(jnp.where(ok, jnp.log(jnp.where(ok, x, 1.0)), 0.0))

    x = A([1.0, 0.0])
    found = dw.nan_origin(where_trap, x)
    assert found is not None
    assert "where(ok, f(where(ok, x, 1)), 0)" in found.hint
    assert dw.nan_origin(safe, x) is None


def test_a_row_that_is_masked_as_a_whole_is_told_so() -> None:
    found = dw.nan_origin(masked_row, A([[1.0, -1.0], [-1.0, -2.0]]))
    assert found is not None
    assert "masked out as a whole" in found.hint
    other = dw.nan_origin(infinity_minus_infinity, A([1.0, 0.0]))
    assert other is not None
    assert "masked" not in other.hint


def test_a_backward_pass_written_by_hand_is_named() -> None:
    found = dw.nan_origin(custom_backward, A([1.0, 0.0]))
    assert found is not None
    line = 1 + next(n for n, code in enumerate(inspect_lines()) if code.startswith("def _back"))
    assert f"a backward pass of its own, _back at test_nan_origin.py:{line}" in found.hint


HEALTHY = [
    (lambda x: jnp.sum(jnp.sin(x)), A([1.0, 2.0])),
    (lambda x: jnp.sum(jax.nn.softmax(jnp.where(x > 0, x, -jnp.inf)) * x), A([1.0, -1.0])),
    (lambda x: jnp.max(jnp.where(x > 0, x, -jnp.inf)), A([1.0, -1.0])),
    (lambda x: jax.nn.logsumexp(jnp.where(x > 0, x, -jnp.inf)), A([700.0, -1.0])),
    (lambda x: jnp.sum(jax.nn.relu(x)), A([0.0, -1.0])),
    (lambda x: jnp.sum(jnp.where(x > 0, x, jnp.nan)[:1]), A([1.0, -1.0])),
    (lambda x: jnp.exp(-jnp.exp(jnp.max(x))), A([1.0, 2.0])),
    (lambda x: jax.nn.log_softmax(x)[0], A([1.0, 1e4])),
    (lambda n: jnp.arange(3)[n], A(1)),
    (
        lambda x: jax.lax.scan(
            lambda best, a: (jnp.maximum(best, a), best * 0 + a if False else a), -jnp.inf, x
        )[0],
        A([1.0, 3.0]),
    ),
]


@pytest.mark.parametrize("number", range(len(HEALTHY)))
def test_what_is_finite_or_meant_is_not_blamed(number: int) -> None:
    function, x = HEALTHY[number]
    assert dw.nan_origin(function, x) is None


def test_a_mask_of_infinities_in_every_step_is_not_blamed_for_a_fault_in_one() -> None:
    def attention(x):
        def body(carry, a):
            weights = jax.nn.softmax(jnp.where(jnp.arange(3) < 2, a + carry, -jnp.inf))
            carry = carry + jnp.sqrt(6.0 - a) * weights[0]
            return carry, weights

        return jax.lax.scan(body, 0.0, x)[0]

    assert dw.nan_origin(attention, A([1.0, 2.0, 3.0])) is None
    found = dw.nan_origin(attention, A([1.0, 2.0, 9.0, 3.0, 8.0]))
    assert found is not None
    assert (found.first.primitive, found.first.steps) == ("sqrt", (2,))


def test_an_argument_that_is_not_finite_is_told_as_such() -> None:
    found = dw.nan_origin(lambda w, x: jnp.sum(w["a"] * x), {"a": A([1.0, jnp.nan])}, A([1.0, 2.0]))
    assert found is not None
    assert found.first.primitive == "argument"
    assert found.first.cause == "argument 0['a'] is not finite itself"
    assert found.first.text() == "argument, argument 0['a'] is not finite itself"
    assert found.first.examples[0].at == (1,)
    masked = dw.nan_origin(lambda x, mask: jax.nn.softmax(x + mask)[0], A([1.0, 2.0]),
                           A([0.0, -jnp.inf]), argnums=0)  # fmt: skip
    assert masked is None


def test_chosen_arguments_several_outputs_and_others_beside_the_value() -> None:
    def cost(w, b):
        return jnp.sum(jnp.sqrt(w)) + b, jnp.sum(w)

    w, b = A([0.0, 1.0]), A(2.0)
    assert dw.nan_origin(cost, w, b, argnums=1) is None
    assert dw.nan_origin(cost, w, b, argnums=()) is None
    found = dw.nan_origin(cost, w, b, argnums=0, has_aux=True)
    assert found is not None
    assert found.reaches == "the gradient by argument 0"
    found = dw.nan_origin(lambda x: {"fine": x, "bad": jnp.log(-x)}, A([1.0]))
    assert found is not None
    assert found.reaches == "the output['bad']"


def test_float64_and_bfloat16_keep_their_own_limits() -> None:
    with jax.enable_x64(True):
        assert dw.nan_origin(lambda x: jnp.exp(x), jnp.asarray(100.0)) is None
        found = dw.nan_origin(lambda x: jnp.exp(x), jnp.asarray(1000.0))
        assert found is not None
        assert "float64" in found.first.cause
    found = dw.nan_origin(lambda x: jnp.sum(x * x), jnp.full(2, 1e30, jnp.bfloat16))
    assert found is not None
    assert "bfloat16" in found.first.cause


def test_a_loop_with_a_carry_that_stays_nan_is_quick_and_tells_the_first_step() -> None:
    def long(x):
        def body(carry, i):
            return jnp.where(i == 5, jnp.log(carry - carry - 1.0), carry * 1.0), carry

        return jax.lax.scan(body, x, jnp.arange(3000))[0]

    found = dw.nan_origin(long, A(1.0), argnums=())
    assert found is not None
    assert found.first.steps == (5,)


def test_the_report_is_plain() -> None:
    found = dw.nan_origin(norm_at_zero, A([0.0, 0.0]))
    assert found is not None
    plain = json.loads(json.dumps(found.to_plain(), allow_nan=False))
    assert plain["first"]["examples"][0]["output"] == "inf"
    assert plain["nan"]["cause"] == "0 * inf"
    assert plain["direction"] == "backward"


def test_debugging_flags_of_jax_do_not_interfere() -> None:
    with jax.debug_nans(True):
        found = dw.nan_origin(zero_over_zero, A([1.0, 2.0]))
    assert found is not None


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: dw.nan_origin(3), "`function` must be callable, got int"),
        (lambda: dw.nan_origin(jnp.sum, A([1.0]), argnums=1), "`argnums` must count the 1 arg"),
        (lambda: dw.nan_origin(jnp.sum, A([1.0]), argnums=True), "must name|must count"),
        (lambda: dw.nan_origin(jnp.sum, A([1]), argnums=0), "argument 0 holds others"),
        (lambda: dw.nan_origin(lambda x, f: f(x), A([1.0]), jnp.sum), "functools.partial"),
        (lambda: dw.nan_origin(lambda x: x if x > 0 else -x, A(1.0)), "JAX can trace"),
        (
            lambda: dw.nan_origin(
                lambda x: jax.lax.while_loop(
                    lambda c: c[0] < MOST_STEPS + 9, lambda c: (c[0] + 1, c[1]), (0, x)
                )[1],
                A(1.0),
                argnums=(),
            ),
            "at most 200,000 steps",
        ),
    ],
)
def test_bad_input_is_answered_in_one_sentence(call, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_partial_and_keywords_pass_through() -> None:
    def cost(x, scale):
        return jnp.sum(jnp.log(x * scale))

    for one in (functools.partial(cost, scale=0.0), lambda x: cost(x, scale=0.0)):
        assert dw.nan_origin(one, A([1.0])) is not None
    assert dw.nan_origin(cost, A([1.0]), scale=np.float32(0.0)) is not None
    assert dw.nan_origin(cost, A([1.0]), scale=np.float32(1.0)) is None
