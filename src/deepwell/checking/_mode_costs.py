"""What the same batches cost in training mode and in prediction mode, dropout off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import forward
from deepwell.networks._losses import LOSSES

Arrays = Mapping[str, np.ndarray]


def mode_costs(
    architecture: Architecture,
    parameters: Arrays,
    x: np.ndarray,
    y: np.ndarray,
    batches: Sequence[np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean loss of each batch with its own, another batch's, and the stored moments.

    Args:
        architecture: a network with batch normalization.
        parameters: its weights and statistics.
        x: encoded train rows (n, D).
        y: (n,) their targets, as in training.
        batches: rows of each batch, at least two batches of at least two rows.

    Returns:
        Three (b,) arrays: training mode, the moments of the next batch, prediction mode.
    """
    moments = [
        with_exact_statistics(architecture, parameters, x[rows], np.ones(len(rows)))
        for rows in batches
    ]
    others = [*moments[1:], moments[0]]
    costs = [
        [_cost(architecture, p, x[rows], y[rows]) for p in (own, other, parameters)]
        for rows, own, other in zip(batches, moments, others, strict=True)
    ]
    trained, swapped, predicted = np.array(costs).T
    return trained, swapped, predicted


def _cost(architecture: Architecture, parameters: Arrays, x: np.ndarray, y: np.ndarray) -> float:
    raw = forward(architecture, parameters, x).astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        return float(LOSSES[architecture.loss].rows(raw, y, np).mean())
