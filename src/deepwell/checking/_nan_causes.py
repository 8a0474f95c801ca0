"""Why an operation on finite numbers gives a number that is not finite, in words."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax.numpy as jnp

Numbers = Sequence[float]

# Operations that treat every entry alone, so that inputs and outputs belong together by place.
ELEMENTWISE = frozenset((
    "abs", "acos", "acosh", "add", "add_any", "asin", "asinh", "atan", "atan2", "atanh", "cbrt",
    "ceil", "clamp", "conj", "convert_element_type", "cos", "cosh", "digamma", "div", "erf",
    "erf_inv", "erfc", "exp", "exp2", "expm1", "floor", "imag", "integer_pow", "lgamma", "log",
    "log1p", "logistic", "max", "min", "mul", "neg", "nextafter", "pow", "real",
    "reduce_precision", "rem", "round", "rsqrt", "select_n", "sign", "sin", "sinh", "sqrt",
    "square", "sub", "tan", "tanh",
))  # fmt: skip


def cause_of(primitive: str, inputs: Numbers, output: float, dtype: Any, power: float = 1) -> str:
    """Return why `output` came from `inputs`, as in `log of 0`.

    Args:
        primitive: name of the operation.
        inputs: the entries that met; of an operation that combines many entries the largest in
            size of each input.
        output: what came of them.
        dtype: of the output.
        power: of `integer_pow`.
    """
    rule = _RULES.get(primitive)
    told = "" if rule is None else rule(inputs, power)
    if told:
        return told
    if any(not math.isfinite(x) for x in inputs):
        return _of_infinities(primitive, inputs)
    if math.isinf(output):
        return f"{primitive} overflows {jnp.dtype(dtype).name} ({_limit(dtype)})"
    if primitive in _SUMS:
        return f"{primitive} overflows {jnp.dtype(dtype).name} ({_limit(dtype)}) in both directions"
    return f"{primitive} of these numbers is not defined"


_SUMS = {"dot_general", "reduce_sum", "cumsum", "conv_general_dilated", "reduce_window_sum"}


def _limit(dtype: Any) -> str:
    return f"at most {float(jnp.finfo(dtype).max):.3g}"


def _of_infinities(primitive: str, inputs: Numbers) -> str:
    shown = {math.inf: "inf", -math.inf: "-inf"}
    names = ["nan" if math.isnan(x) else shown.get(x, f"{x:.6g}") for x in inputs]
    signs = {"sub": " - ", "add": " + ", "add_any": " + ", "mul": " * ", "div": " / "}
    if primitive in signs and len(names) == 2:
        return signs[primitive].join(f"({n})" if n[0] == "-" and i else n
                                     for i, n in enumerate(names))  # fmt: skip
    return f"{primitive} of {', '.join(names)}"


def _division(x: Numbers, _: float) -> str:
    if len(x) != 2 or x[1] != 0 or not math.isfinite(x[0]):
        return ""
    return "0 / 0" if x[0] == 0 else f"division of {x[0]:.6g} by 0"


def _logarithm(x: Numbers, _: float) -> str:
    if x[0] == 0:
        return "log of 0"
    return "log of a negative number" if x[0] < 0 else ""


def _shifted_logarithm(x: Numbers, _: float) -> str:
    if x[0] == -1:
        return "log of 0 (log1p of -1)"
    return "log of a negative number (log1p below -1)" if x[0] < -1 else ""


def _root(x: Numbers, _: float) -> str:
    return "square root of a negative number" if x[0] < 0 else ""


def _inverse_root(x: Numbers, _: float) -> str:
    return "division by the root of 0 (rsqrt)" if x[0] == 0 else _root(x, _)


def _power(x: Numbers, _: float) -> str:
    base, exponent = x[0], x[1]
    if base < 0 and exponent != round(exponent):
        return f"a negative number to the power {exponent:.6g}"
    return "0 to a negative power" if base == 0 and exponent < 0 else ""


def _whole_power(x: Numbers, power: float) -> str:
    return "0 to a negative power" if x[0] == 0 and power < 0 else ""


def _outside_unit(name: str) -> Callable[[Numbers, float], str]:
    def told(x: Numbers, _: float) -> str:
        return f"{name} of a number outside [-1, 1]" if abs(x[0]) > 1 else ""

    return told


def _inverse_tanh(x: Numbers, _: float) -> str:
    if abs(x[0]) == 1:
        return "atanh of 1 or -1"
    return "atanh of a number outside [-1, 1]" if abs(x[0]) > 1 else ""


def _inverse_erf(x: Numbers, _: float) -> str:
    if abs(x[0]) == 1:
        return "erf_inv of 1 or -1"
    return "erf_inv of a number outside [-1, 1]" if abs(x[0]) > 1 else ""


def _inverse_cosh(x: Numbers, _: float) -> str:
    return "acosh of a number below 1" if x[0] < 1 else ""


def _remainder(x: Numbers, _: float) -> str:
    return "remainder of a division by 0" if len(x) == 2 and x[1] == 0 else ""


def _gamma(x: Numbers, _: float) -> str:
    pole = x[0] <= 0 and x[0] == round(x[0])
    return "the gamma function at 0 or a negative whole number" if pole else ""


def _factor(x: Numbers, _: float) -> str:
    return "a matrix that is not positive definite"


_RULES: dict[str, Callable[[Numbers, float], str]] = {
    "acos": _outside_unit("arccos"),
    "acosh": _inverse_cosh,
    "asin": _outside_unit("arcsin"),
    "atanh": _inverse_tanh,
    "cholesky": _factor,
    "digamma": _gamma,
    "div": _division,
    "erf_inv": _inverse_erf,
    "integer_pow": _whole_power,
    "lgamma": _gamma,
    "log": _logarithm,
    "log1p": _shifted_logarithm,
    "pow": _power,
    "rem": _remainder,
    "rsqrt": _inverse_root,
    "sqrt": _root,
}
