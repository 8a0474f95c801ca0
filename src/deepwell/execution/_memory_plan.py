"""How a memory budget is shared out: rows, windows of rows, members in flight, waiting members.

    budget = rows + window + members in flight + waiting states

The rows come first. Where all of them (with the copies that a program makes) would take more
than half of the budget, the train rows stay in their file or array and programs get windows.
Of what is left, a quarter is for waiting states (beyond it they go to a file) and the rest for
members in flight, which sets the lanes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.data._memory import gigabytes
from deepwell.networks._architecture import Architecture
from deepwell.optimization._registry import slots_of
from deepwell.training._native_program import KEPT_BYTES
from deepwell.training._program import EXTRAS, Member, TrainingRows
from deepwell.training._window import row_bytes

_ORDER_BYTES = 32  # a train row's target, weight, place in the epoch's order, and temporaries
_PLACE_BYTES = 8  # of a train row in the order of each part, and a temporary
_LARGEST_WINDOW = 256 << 20  # more rows at once make no call faster
_GATHERED = 16 << 20  # batches that a session of the native core lays out at a time
_LINE = 64  # bytes of a cache line
_BLOCK = 256  # rows that a network moves at a time
_UPDATED_AT_ONCE = 1 << 20  # elements; a larger network sums its gradients first


@dataclass(frozen=True)
class MemoryPlan:
    """The shares.

    Attributes:
        rows: train and dev rows, streamed or not.
        window_rows: train rows of a window; 0 when they are held.
        in_flight: bytes for members in flight and their workspaces.
        waiting: bytes for the states of waiting members.
    """

    rows: TrainingRows
    window_rows: int
    in_flight: int
    waiting: int


def share_out(budget: int, rows: TrainingRows, copies: int) -> MemoryPlan:
    """Return the shares of a budget.

    Args:
        budget: bytes for data, members and workspaces.
        rows: train rows in memory or in a memory-mapped file, dev rows in memory.
        copies: of the rows that a program makes, one on each device.

    Raises:
        UsageError: when the rows that must be held leave no room to train.
    """
    each = row_bytes(rows.x_train.shape[1])
    n = sum(len(held.y_train) for held in rows.held)
    k = sum(len(held.y_dev) for held in rows.held)
    on_disk = isinstance(rows.x_train, np.memmap)
    here = 0 if on_disk else n * each
    dev = k * each * (1 + max(1, copies))
    streamed = rows.streamed or on_disk or here + n * each * copies + dev > budget // 2
    if streamed and len(rows.views) > 1:
        several = f"{len(rows.views)} folds" if rows.others else "the data and parts of them"
        raise UsageError(
            f"the memory budget of {gigabytes(budget)} does not hold the {n + k:,} rows of "
            f"{several}; give more --memory{', or fewer folds' if rows.others else ''}"
        )
    orders = _ORDER_BYTES + _PLACE_BYTES * len(rows.parts)
    fixed = dev + n * orders + here + (0 if streamed else n * each * copies)
    window_rows = 0
    if streamed:
        window = min(_LARGEST_WINDOW, max(0, budget - fixed) // 4)
        window_rows = max(1, window // (each * (1 + copies)))
        fixed += window
    if len(rows.views) == 1:  # else each session's are a part of what its thread needs
        fixed += min(_GATHERED, n * each)
    left = budget - fixed
    if left <= 0:
        raise UsageError(
            f"the memory budget of {gigabytes(budget)} does not hold the {k:,} dev rows and what "
            f"each of {n:,} train rows needs (about {gigabytes(fixed)}); give more "
            "--memory, or fewer dev rows with --dev"
        )
    waiting = left // 4
    return MemoryPlan(replace(rows, streamed=streamed), window_rows, left - waiting, waiting)


def native_member_bytes(member: Member) -> int:
    """Return the bytes of a member in the native core and of its state when it is read out."""
    item = 4 if member.dtype == "float32" else 8
    arrays = 2 + len(slots_of(member.optimizer))
    a = member.architecture
    return arrays * item * (_core_size(a, item) + a.parameters) + item * 4 * sum(
        a.normed_units(layer) for layer in range(a.layers)
    )


def _core_size(a: Architecture, item: int) -> int:
    """Return the elements of a set of arrays in the core, normalization's rows included."""
    return sum(
        (inputs + (5 if a.normed_units(layer) else 1)) * _stride(outputs, item)
        for layer, (inputs, outputs) in enumerate(a.layer_shapes())
    )


def native_worker_bytes(member: Member, batch: int, dev_rows: int) -> int:
    """Return the bytes that a core's thread needs to train and score a member.

    Args:
        member: the network.
        batch: rows of a batch.
        dev_rows: rows that are scored.
    """
    item = 4 if member.dtype == "float32" else 8
    a = member.architecture
    blocks = -(-batch // _BLOCK)
    stride = _stride(max(-(-batch // blocks), _BLOCK // 2), item)
    normed = a.batch_norm != "none"
    columns = blocks * stride if normed else stride  # whose moments count goes through at once
    widths = [outputs for _, outputs in a.layer_shapes()]
    hidden = sum(2 * units + 1 for units in a.hidden) * columns
    if normed or a.pieces > 1 or a.residual:  # sums, dropped units, gradients of connections
        hidden += sum(wide + 2 * units for wide, units in zip(widths, a.hidden, strict=False)) * (
            columns
        ) + 3 * sum(_stride(wide, item) for wide in widths)
    inputs = (a.inputs + 1) * columns if a.input_dropout else 0
    gradients = 2 * (max(widths) + _LINE // item) * columns
    transposed = stride * _stride(max(widths), item)
    apart = batch > _BLOCK or any(member.number(name) > 0 for name in EXTRAS)
    size = _core_size(a, item)
    sums = size if apart or normed or size > _UPDATED_AT_ONCE else 0
    changes = any(member.number(name) > 0 for name in ("input_noise", "mixup"))
    changed = _batch_size(a.inputs, batch, item) if changes else 0  # rows of its own
    scores = (a.outputs + 2) * dev_rows
    rest = columns + 5 * stride + sums + changed + scores
    return item * (hidden + inputs + gradients + transposed + rest)


def native_batches_bytes(member: Member, batch: int, steps: int) -> int:
    """Return the bytes of the batches that a session lays out at a time, in a member's type.

    Args:
        member: the network.
        batch: rows of a batch.
        steps: update steps of a call.
    """
    item = 4 if member.dtype == "float32" else 8
    a = member.architecture
    one = item * (a.inputs + 3) * _stride(batch, item)
    return item * _batch_size(a.inputs, batch, item) * min(steps, max(1, _GATHERED // one))


def native_said_bytes(member: Member, dev_rows: int) -> int:
    """Return the bytes of a member's raw outputs that a session keeps; 0 if they are too many."""
    said = member.architecture.outputs * dev_rows
    return said * (4 if member.dtype == "float32" else 8) if 8 * said <= KEPT_BYTES else 0


def batch_beyond(batch: int, inputs: int, train_rows: int, item: int) -> int:
    """Return the bytes that the core takes for one batch beyond those that are set aside.

    Args:
        batch: rows of it, which are laid out together however many they are.
        inputs: features of a row.
        train_rows: of the data.
        item: bytes of a number.
    """
    set_aside = min(_GATHERED, train_rows * row_bytes(inputs))
    return max(0, item * _batch_size(inputs, batch, item) - set_aside)


def check_room(in_flight: int, needed: int, parameters: int) -> None:
    """Check that a member fits alone.

    Args:
        in_flight: bytes for members in flight and their workspaces.
        needed: bytes of the member and of one thread's workspace.
        parameters: of the member, for the message.

    Raises:
        UsageError: when it does not.
    """
    if needed > in_flight:
        raise UsageError(
            f"the memory budget leaves {gigabytes(in_flight)} for networks in training, but one of "
            f"{parameters:,} parameters needs {gigabytes(needed)}; give more --memory, or "
            "smaller networks or batches"
        )


def lanes_that_fit(in_flight: int, lane: int, worker: int, workers: int, most: int) -> int:
    """Return the members that may be in flight together, at least one.

        lanes * lane + min(lanes, workers) * worker <= in_flight

    Args:
        in_flight: bytes for them and their workspaces.
        lane: bytes of the largest member.
        worker: bytes of a thread's workspace.
        workers: threads at work, as long as each has a member.
        most: lanes that are wanted.
    """
    lanes = (in_flight - workers * worker) // lane
    if lanes < workers:
        lanes = in_flight // (lane + worker)
    return max(1, min(most, lanes))


def _batch_size(inputs: int, batch: int, item: int) -> int:
    """Return the elements of a batch in the core: its rows, targets and weights, in blocks."""
    blocks = -(-batch // _BLOCK)
    return (inputs + 3) * blocks * _stride(-(-batch // blocks), item)


def _stride(columns: int, item: int) -> int:
    """Return the elements of a row of the native core's matrices, whole cache lines."""
    in_line = _LINE // item
    lines = -(-columns // in_line)
    return (lines | 1 if lines > 4 else lines) * in_line
