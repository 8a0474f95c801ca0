"""The exact statistics of batch normalization: mean and variance over all train rows.

Training normalizes with the moments of a batch, and averages over the last batches are what
prediction usually takes for them. The ideal numbers are the moments over all train rows in the
finished network, dropout off; of a convolutional layer those of each channel over all places of
all rows' images. They are found layer by layer, since what a layer sees depends on how those
below it normalize; mean and variance of a layer come from one pass over the rows, in pieces whose
moments are merged (Chan, Golub & LeVeque 1983).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ._architecture import Architecture
from ._forward import Arrays, activations, before_norm, front_before_norm, rows_at_once

Seen = Callable[[np.ndarray], np.ndarray]


def with_exact_statistics(
    architecture: Architecture, parameters: Arrays, x: np.ndarray, weight: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the parameters with means and variances of all layers over all rows.

    Args:
        architecture: the network.
        parameters: trained.
        x: encoded train rows (n, D), n at least 1; may lie in a memory-mapped file.
        weight: (n,) sample weights, not all 0.
    """
    found = dict(parameters)

    def channels(layer: int) -> Seen:
        return lambda rows: front_before_norm(architecture, found, rows, layer)

    def units(layer: int) -> Seen:
        def seen(rows: np.ndarray) -> np.ndarray:
            a = activations(architecture, found, rows, layer)
            return before_norm(architecture, found, layer, a)

        return seen

    at_once = rows_at_once(architecture)
    for name in architecture.statistic_shapes():
        kind, layer = name.split("/")
        if not kind.endswith("means"):
            continue
        seen = channels(int(layer)) if kind == "channel_means" else units(int(layer))
        with np.errstate(over="ignore", invalid="ignore"):  # as in `forward`
            moments = _moments(seen, x, weight, at_once)
        for which, values in zip((name, name.replace("means", "variances")), moments, strict=True):
            found[which] = values.astype(found[which].dtype)
    return found


def _moments(
    seen: Seen, x: np.ndarray, weight: np.ndarray, at_once: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance of each unit or channel, the last axis of what is seen."""
    total, mean, squares = 0.0, np.zeros(()), np.zeros(())
    for first in range(0, len(x), at_once):
        rows = slice(first, first + at_once)
        w = np.asarray(weight[rows], np.float64)
        if not w.sum():
            continue
        z = seen(np.asarray(x[rows])).astype(np.float64)
        places = z[0].size // z.shape[-1]
        z, each = z.reshape(-1, z.shape[-1]), np.repeat(w / places, places)
        share = w.sum() / (total + w.sum())
        here = each @ z / w.sum()
        apart = here - mean
        squares = squares + each @ (z - here) ** 2 + apart**2 * total * share
        mean = mean + apart * share
        total += w.sum()
    return mean, squares / total
