"""The cost of a dense network as a function of its parameters alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import jax.numpy as jnp

from deepwell.networks._architecture import Architecture
from deepwell.networks._losses import LOSSES
from deepwell.networks._mlp import Pass, outputs
from deepwell.optimization._penalties import l2_penalty

Parameters = Mapping[str, Any]


def network_cost(
    architecture: Architecture, l2: float = 0.0
) -> Callable[[Parameters, tuple[Any, Any]], Any]:
    """Return `(parameters, (x, y)) -> cost`: the mean loss and the L2 penalty, no dropout.

    What `minimize`, `curvature` and `loss_surface` take, with the rows as data.

    Args:
        architecture: the network; `parameters` go by its `parameter_shapes`. Where it normalizes,
            then by the moments of the rows.
        l2: factor of the weight in the gradient.
    """
    loss = LOSSES[architecture.loss]
    numbers = architecture.slope, architecture.norm_epsilon

    def cost(parameters: Parameters, rows: tuple[Any, Any]) -> Any:
        x, y = rows
        weights = [parameters[f"weights/{layer}"] for layer in range(architecture.layers)]
        share = jnp.full(len(y), 1 / len(y), x.dtype)
        slope, epsilon = (jnp.asarray(n, x.dtype) for n in numbers)
        z, _ = outputs(architecture, parameters, x, Pass(slope, epsilon, share=share))
        return loss.rows(z, y, jnp).mean() + l2_penalty(weights, l2)

    return cost
