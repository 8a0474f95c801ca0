"""What every layer must hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ._numerical import gradient_difference, numerical_gradient
from ._require import in_jax, require, require_close

Arrays = Mapping[str, Any]


def check_layer(
    layer: Callable[[Arrays, Any], Any],
    parameters: Mapping[str, np.ndarray],
    x: np.ndarray,
    *,
    mixes_rows: bool = False,
) -> None:
    """Check a layer `(parameters, x) -> a` of JAX; raises `AssertionError` with a sentence.

    - it gives one row of outputs a row of inputs, finite, and the same each time;
    - a row does not depend on the others, unless it is said to mix them, as batch norm does;
    - the gradient of a random sum of its outputs, at parameters and inputs, is the numerical one,
      to 1e-7 in float64.

    >>> import numpy as np
    >>> w = {"w": np.arange(6.0).reshape(2, 3)}
    >>> check_layer(lambda p, x: x @ p["w"], w, np.ones((4, 2)))

    Args:
        layer: the layer.
        parameters: name -> float64 array, at a place where the layer has no kink.
        x: (B, ...) float64 inputs.
        mixes_rows: whether a row's output may depend on the other rows.
    """
    import jax

    at = {name: np.asarray(values, np.float64) for name, values in parameters.items()}
    rows = np.asarray(x, np.float64)
    a = in_jax(layer, at, rows)
    require(a.shape[:1] == rows.shape[:1], f"a layer must keep the {len(rows)} rows, got {a.shape}")
    require(np.isfinite(a).all(), "the outputs of a layer must be finite")
    require(np.array_equal(a, in_jax(layer, at, rows)), "a layer must say the same each time")
    if not mixes_rows:
        require_close(
            in_jax(layer, at, rows[1:2]), a[1:2], 1e-12, "a row must not depend on the other rows"
        )
    weights = np.random.default_rng(1).normal(size=a.shape)
    place = {**at, "input": rows}

    def total(p: Arrays) -> Any:
        return (layer({n: p[n] for n in at}, p["input"]) * weights).sum()

    compiled = _compiled(total)
    numerical = numerical_gradient(lambda p: float(compiled(dict(p))), place)
    difference = gradient_difference(numerical, in_jax(jax.grad(total), place))
    require(
        difference < 1e-7,
        f"the gradient of a layer must be the numerical one: they differ by {difference:.1e}",
    )


def _compiled(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    import jax

    once = jax.jit(function)

    def call(p: Any) -> Any:
        with jax.enable_x64(True):
            return once(p)

    return call
