"""What every activation must hold."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.networks._activations import Activation

from ._require import in_jax, require, require_close

_SLOPES = (0.01, 0.3, 1.0)
_EXTREMES = np.array([-1e4, -90.0, 0.0, 90.0, 1e4])


def check_activation(activation: Activation) -> None:
    """Check an activation; raises `AssertionError` with a sentence.

    - it keeps shape and type, each element by itself, and is finite from -1e4 to 1e4;
    - it says the same in JAX as in NumPy, to 1e-13 in float64, and to 1e-6 in float32;
    - `zero_at_zero` says whether g(0) = 0, and `slope_name` whether the slope matters;
    - one that takes several z a unit is checked with one;
    - JAX's derivative is the numerical one, to 1e-7, away from 0 where kinks may lie.

    >>> from deepwell.networks import ACTIVATIONS
    >>> check_activation(ACTIVATIONS["elu"])
    """
    import jax
    import jax.numpy as jnp

    name = activation.name

    def apply(z: Any, slope: Any, xp: Any) -> Any:
        return activation.apply(z[..., None] if activation.takes_pieces else z, slope, xp)

    z = np.concatenate([np.linspace(-6, -0.05, 60), np.linspace(0.05, 6, 60)])
    for slope in _SLOPES:
        for kind in (np.float32, np.float64):
            both = np.concatenate([z, _EXTREMES]).astype(kind).reshape(5, -1)
            said = np.asarray(apply(both, kind(slope), np))
            require(
                said.shape == both.shape and said.dtype == kind,
                f"{name} must keep shape {both.shape} and type {kind.__name__}, "
                f"got {said.dtype} of shape {said.shape}",
            )
            require(np.isfinite(said).all(), f"{name} must be finite from -1e4 to 1e4")
            alone = np.asarray(apply(both[2:3, 3:4], kind(slope), np))
            require_close(alone, said[2:3, 3:4], 1e-6, f"{name} must treat each element by itself")
            by_jax = in_jax(lambda v, s: apply(v, s, jnp), both, kind(slope))
            tolerance = 1e-6 if kind is np.float32 else 1e-13
            require_close(by_jax, said, tolerance, f"{name} must say the same in JAX and NumPy")
        zero = float(np.asarray(apply(np.zeros(1), slope, np))[0])
        require(
            (zero == 0) == activation.zero_at_zero,
            f"zero_at_zero of {name} must say whether g(0) = 0, and g(0) is {zero:g}",
        )
        slopes = in_jax(
            jax.vmap(jax.grad(lambda v, s: apply(v, s, jnp)), in_axes=(0, None)), z, slope
        )
        high, low = (np.asarray(apply(z + by, slope, np)) for by in (1e-5, -1e-5))
        require_close(slopes, (high - low) / 2e-5, 1e-7, f"the derivative of {name} must be right")
    one, other = (np.asarray(apply(z, slope, np)) for slope in _SLOPES[:2])
    require(
        np.array_equal(one, other) == (activation.slope_name == ""),
        f"slope_name of {name} must name a hyperparameter exactly where the slope matters",
    )
