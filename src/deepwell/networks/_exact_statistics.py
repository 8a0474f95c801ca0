"""The exact statistics of batch normalization: mean and variance over all train rows.

Training normalizes with the moments of a batch, and averages over the last batches are what
prediction usually takes for them. The ideal numbers are the moments over all train rows in the
finished network, dropout off. They are found layer by layer, since what a layer sees depends on
how those below it normalize; mean and variance of a layer come from one pass over the rows, in
pieces whose moments are merged (Chan, Golub & LeVeque 1983).
"""

from __future__ import annotations

import numpy as np

from ._architecture import Architecture
from ._forward import ROWS_AT_ONCE, Arrays, activations, before_norm


def with_exact_statistics(
    architecture: Architecture, parameters: Arrays, x: np.ndarray, weight: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the parameters with `means/l` and `variances/l` over all rows.

    Args:
        architecture: the network.
        parameters: trained.
        x: encoded train rows (n, D), n at least 1; may lie in a memory-mapped file.
        weight: (n,) sample weights, not all 0.
    """
    found = dict(parameters)
    for layer in range(architecture.layers):
        if not architecture.normed_units(layer):
            continue
        total, mean, squares = 0.0, np.zeros(()), np.zeros(())
        for first in range(0, len(x), ROWS_AT_ONCE):
            rows = slice(first, first + ROWS_AT_ONCE)
            w = np.asarray(weight[rows], np.float64)
            if not w.sum():
                continue
            with np.errstate(over="ignore", invalid="ignore"):  # as in `forward`
                a = activations(architecture, found, np.asarray(x[rows]), layer)
                z = before_norm(architecture, found, layer, a).astype(np.float64)
                share = w.sum() / (total + w.sum())
                here = w @ z / w.sum()
                apart = here - mean
                squares = squares + w @ (z - here) ** 2 + apart**2 * total * share
                mean = mean + apart * share
            total += w.sum()
        kind = found[f"means/{layer}"].dtype
        found[f"means/{layer}"] = mean.astype(kind)
        found[f"variances/{layer}"] = (squares / total).astype(kind)
    return found
