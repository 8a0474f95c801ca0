"""The metrics that early stopping watches, inside the program: lower is better.

`(outputs (N, O), y (N,), weight (N,)) -> number`. They are the metrics of
`diagnosis/_metrics.py` retold in JAX on raw outputs; the tests hold both to the same values.
Regression scores are in the target's standardized unit: the order of networks is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from deepwell._base._registry import Registry
from deepwell.networks._losses import LOSSES, Loss

_STILL = 1e-12  # variance over mean square up to which a target counts as constant


def _classes(outputs: jax.Array) -> jax.Array:
    """Return the likeliest class of each row, (N,)."""
    if outputs.shape[1] == 1:
        return (outputs[:, 0] > 0).astype(jnp.int32)
    return jnp.argmax(outputs, axis=1).astype(jnp.int32)


def _mean(values: jax.Array, weight: jax.Array) -> jax.Array:
    return jnp.sum(values * weight) / jnp.sum(weight)


def _error(outputs, y, weight, loss):
    return _mean((_classes(outputs) != y).astype(outputs.dtype), weight)


def _log_loss(outputs, y, weight, loss):
    return _mean(loss.rows(outputs, y, jnp), weight)


def _by_class(outputs, y, weight) -> tuple[jax.Array, ...]:
    """Return hits, true rows and predicted rows of each class, weighted, each (C,)."""
    classes = jnp.arange(max(2, outputs.shape[1]))
    said = _classes(outputs)[:, None] == classes
    true = y[:, None] == classes
    return tuple(rows.astype(weight.dtype).T @ weight for rows in (said & true, true, said))


def _balanced_error(outputs, y, weight, loss):
    hits, true, _ = _by_class(outputs, y, weight)
    present = true > 0
    recall = jnp.where(present, hits / jnp.where(present, true, 1), 0)
    return 1 - recall.sum() / present.sum()


def _f1(outputs, y, weight, loss):
    hits, true, said = _by_class(outputs, y, weight)
    total = true + said
    f1 = jnp.where(total > 0, 2 * hits / jnp.where(total > 0, total, 1), 0)
    if outputs.shape[1] == 1:
        return 1 - f1[1]
    seen = total > 0
    return 1 - f1.sum() / seen.sum()


def _auc(outputs, y, weight, loss):
    if outputs.shape[1] == 1:  # logits rank as their probabilities do, without ties at 1
        return 1 - _area(outputs[:, 0], y == 1, weight)
    probability = loss.predict(outputs, jnp)
    if probability.shape[1] == 2:
        return 1 - _area(probability[:, 1], y == 1, weight)
    columns = range(probability.shape[1])
    areas = jnp.stack([_area(probability[:, c], y == c, weight) for c in columns])
    return 1 - jnp.nanmean(areas)  # a class without a row, or with every row, has no area


def _area(score, positive, weight):
    """Return the weighted share of (positive, negative) pairs ranked rightly, ties one half."""
    order = jnp.argsort(score)
    s, p = score[order], jnp.where(positive, weight, 0)[order]
    n = jnp.where(positive, 0, weight)[order]
    below = jnp.concatenate([jnp.zeros(1, n.dtype), jnp.cumsum(n)])
    left, right = jnp.searchsorted(s, s, side="left"), jnp.searchsorted(s, s, side="right")
    pairs = jnp.sum(p * (below[left] + below[right]) / 2)
    return pairs / (jnp.sum(p) * jnp.sum(n))


def _rmse(outputs, y, weight, loss):
    return jnp.sqrt(_mean((outputs[:, 0] - y) ** 2, weight))


def _mae(outputs, y, weight, loss):
    return _mean(jnp.abs(outputs[:, 0] - y), weight)


def _r2(outputs, y, weight, loss):
    spread = _mean((y - _mean(y, weight)) ** 2, weight)
    squares = _mean((outputs[:, 0] - y) ** 2, weight)
    # Of a target that does not vary only rounding errors are left: 0 when it is hit, else 1.
    varies = spread > _STILL * _mean(y**2, weight)
    still = jnp.where(squares > 0, 1.0, 0.0).astype(squares.dtype)
    return jnp.where(varies, squares / jnp.where(varies, spread, 1.0), still)


_Score = Callable[[jax.Array, jax.Array, jax.Array, Loss], Any]
_SCORES: Registry[_Score] = Registry(
    "metric",
    {
        "error": _error,
        "log_loss": _log_loss,
        "balanced_error": _balanced_error,
        "f1": _f1,
        "auc": _auc,
        "rmse": _rmse,
        "mae": _mae,
        "r2": _r2,
    },
)


def score_function(name: str, loss: str) -> Callable[[jax.Array, jax.Array, jax.Array], jax.Array]:
    """Return the metric `name` of raw outputs that the loss `loss` belongs to."""
    measure = _SCORES[name]
    kind = LOSSES[loss]
    return lambda outputs, y, weight: measure(outputs, y, weight, kind)
