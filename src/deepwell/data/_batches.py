"""Mini-batches (technique D9): shuffled once an epoch, partitioned, the last one may be short."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from deepwell._base._hash import Purpose, fold, key, permutation
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
    order[:rows] = _shuffled(order_seed, epoch, rows) if size < rows else np.arange(rows)
    return order.reshape(steps, size)


def _shuffled(order_seed: int, epoch: int, rows: int) -> np.ndarray:
    """Return the epoch's permutation, by the compiled core where there is one."""
    parent = fold(fold(key(order_seed), Purpose.ORDER), epoch)
    if not available():
        return permutation(parent, rows)
    out = np.empty(rows, np.int32)
    core().permutation((int(parent.first), int(parent.second)), out)
    return out


def view_orders(order_seed: int, epoch: int, rows: Sequence[int], batch_size: int) -> np.ndarray:
    """Return the rows of each batch of one epoch for several data views that train side by side.

    Every view takes as many steps as the largest. One whose rows would fill fewer batches has them,
    shuffled anew in every epoch, spread evenly over all, so that no step is without a row.

    Args:
        order_seed: as in `epoch_order`, which gives a view of the largest size the same batches.
        epoch: counted from 1.
        rows: train rows of each view.
        batch_size: rows of a batch.

    Returns:
        (V, steps, B) int32 with B = min(batch_size, largest rows); places that hold no row carry
        the number of rows of their view.
    """
    size = min(batch_size, max(rows))
    steps = steps_per_epoch(max(rows), size)
    orders = np.empty((len(rows), steps, size), np.int32)
    for order, count in zip(orders, rows, strict=True):
        order[:] = count
        if steps_per_epoch(count, size) == steps:
            order.ravel()[:count] = epoch_order(order_seed, epoch, count, size).ravel()[:count]
            continue
        shuffled = _shuffled(order_seed, epoch, count)
        for batch, part in zip(order, np.array_split(shuffled, steps), strict=True):
            batch[: len(part)] = part
    return orders


def part_order(
    order_seed: int, epoch: int, part: np.ndarray, rows: int, batch_size: int
) -> np.ndarray:
    """Return the batches of one epoch for a network that trains on a part of the rows.

    An epoch is as many update steps as all rows take, so that networks of any number of rows take
    equally many. The part is gone through again and again, each time shuffled and partitioned as
    `epoch_order` does: step for step these are the batches of a training on the part alone.

    Args:
        order_seed: as in `epoch_order`.
        epoch: counted from 1, of all rows.
        part: (r,) numbers of the rows, r at least 1.
        rows: n, all train rows.
        batch_size: rows of a batch.

    Returns:
        (steps, B) int32 with B = min(batch_size, n) and the steps of n rows; places that hold no
        row carry the index n.
    """
    steps, inside = steps_per_epoch(rows, batch_size), steps_per_epoch(len(part), batch_size)
    begun = (epoch - 1) * steps
    first, last = begun // inside, (begun + steps - 1) // inside
    passes = [epoch_order(order_seed, n + 1, len(part), batch_size) for n in range(first, last + 1)]
    taken = np.concatenate(passes)[begun - first * inside :][:steps]
    order = np.full((steps, min(batch_size, rows)), rows, np.int32)
    order[:, : taken.shape[1]] = np.append(part, rows)[taken]
    return order
