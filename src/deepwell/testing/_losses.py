"""What every loss must hold."""

from __future__ import annotations

import numpy as np

from deepwell.networks._losses import Loss

from ._numerical import gradient_difference, numerical_gradient
from ._require import in_jax, require, require_close

_ROWS = 12


def check_loss(loss: Loss, outputs: int, classes: int = 0) -> None:
    """Check a loss; raises `AssertionError` with a sentence.

    - `rows` gives one finite number a row, for outputs from -1e4 to 1e4 too, and a row's loss
      does not depend on the other rows;
    - `slope` is the gradient of the sum of the rows' losses at the outputs, to 1e-7;
    - `rows` and `slope` say the same in JAX as in NumPy, to 1e-12 in float64;
    - `predict` gives one prediction a row: probabilities that sum to 1 where there are classes.

    >>> from deepwell.networks import LOSSES
    >>> check_loss(LOSSES["softmax"], outputs=3, classes=3)

    Args:
        loss: the loss.
        outputs: raw outputs of a row.
        classes: C, or 0 where the target is a number.
    """
    import jax.numpy as jnp

    name, random = loss.name, np.random.default_rng(5)
    z = random.normal(0, 2, (_ROWS, outputs))
    y = np.arange(_ROWS) % classes if classes else random.normal(size=_ROWS)
    far = np.where(random.random((_ROWS, outputs)) < 0.5, -1e4, 1e4)
    for place in (z, far):
        said = np.asarray(loss.rows(place, y, np))
        require(said.shape == (_ROWS,), f"{name} must give one loss a row, got {said.shape}")
        require(np.isfinite(said).all(), f"{name} must be finite for outputs of {place.max():g}")
        by_jax = in_jax(lambda o, t: loss.rows(o, t, jnp), place, y)
        require_close(by_jax, said, 1e-12, f"{name} must say the same in JAX and NumPy")
        slopes = np.asarray(loss.slope(place, y, np))
        by_jax = in_jax(lambda o, t: loss.slope(o, t, jnp), place, y)
        require_close(by_jax, slopes, 1e-12, f"the slope of {name} must be the same in JAX")
    alone = np.concatenate([loss.rows(z[i : i + 1], y[i : i + 1], np) for i in range(_ROWS)])
    require_close(alone, loss.rows(z, y, np), 1e-13, f"a row's {name} must not depend on others")
    numerical = numerical_gradient(lambda p: float(loss.rows(p["z"], y, np).sum()), {"z": z})
    difference = gradient_difference(numerical, {"z": loss.slope(z, y, np)})
    require(
        difference < 1e-7,
        f"the slope of {name} must be its gradient: they differ by {difference:.1e}",
    )
    _check_predictions(loss, z, classes)


def _check_predictions(loss: Loss, z: np.ndarray, classes: int) -> None:
    said = np.asarray(loss.predict(z, np))
    shape = (_ROWS, classes) if classes else (_ROWS,)
    require(said.shape == shape, f"{loss.name} must predict an array of {shape}, got {said.shape}")
    if classes:
        sums = said.sum(axis=1)
        require_close(sums, np.ones(_ROWS), 1e-12, f"probabilities of {loss.name} must sum to 1")
        require((said >= 0).all(), f"probabilities of {loss.name} must be at least 0")
