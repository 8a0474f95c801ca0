"""Mini-batches (technique D9): shuffled once an epoch, partitioned, the last one may be short."""

from __future__ import annotations

import numpy as np

from deepwell._base._hash import Key, Purpose, fold, key, permutation
from deepwell._native._core_module import available, core


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Return the update steps of one epoch, the short last batch included.

    >>> steps_per_epoch(5_000_000, 1_000)
    5000
    """
    return -(-rows // min(batch_size, rows))


def epoch_order(order_seed: int, epoch: int, rows: int, batch_size: int) -> np.ndarray:
    """Return the rows of each batch of one epoch.

    Args:
        order_seed: of the study, or of a trial that asked for its own order.
        epoch: counted from 1.
        rows: train rows.
        batch_size: rows of a batch; `rows` or more means batch descent.

    Returns:
        (steps, B) int32 with B = min(batch_size, rows); places of the short last batch that hold
        no row carry the index `rows`, which programs map to a row of weight 0.
    """
    size = min(batch_size, rows)
    steps = steps_per_epoch(rows, batch_size)
    order = np.full(steps * size, rows, np.int32)
    shuffle = fold(fold(key(order_seed), Purpose.ORDER), epoch)
    order[:rows] = _shuffled(shuffle, rows) if size < rows else np.arange(rows)
    return order.reshape(steps, size)


def _shuffled(parent: Key, rows: int) -> np.ndarray:
    """Return `permutation(parent, rows)`, by the compiled core where there is one."""
    if not available():
        return permutation(parent, rows)
    out = np.empty(rows, np.int32)
    core().permutation((int(parent.first), int(parent.second)), out)
    return out
