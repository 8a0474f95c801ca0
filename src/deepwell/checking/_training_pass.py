"""The forward pass of one update step in NumPy, operation by operation, to see where it overflows.

The same numbers as the programs' up to rounding: the rows of the batch with their noise and
mixture, the dropout masks and the batch's moments, in the member's own type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from deepwell._base._hash import Key, Purpose, fold, key, words
from deepwell.data._augmentation import share_table
from deepwell.networks._activations import ACTIVATIONS
from deepwell.networks._architecture import Architecture
from deepwell.networks._batch_norm import batch_moments, normalized
from deepwell.networks._convolutions import Stage, convolved, sum_of_products
from deepwell.networks._dropout_rate import INPUT_LAYER, drop_of
from deepwell.networks._losses import LOSSES
from deepwell.optimization._gradient_noise import normal_of
from deepwell.training._program import Member, TrainingRows

Arrays = Mapping[str, np.ndarray]
SUMS = "weighted sums"
LOSS = "mean loss"


@dataclass(frozen=True)
class Done:
    """An operation and what it gave."""

    operation: str
    layer: str
    output: np.ndarray


@dataclass(frozen=True)
class Batch:
    """Rows of a step.

    Attributes:
        x: (B, D); y, weight: (B,); places without a row weigh 0.
        filled: places up to the last one that holds a row, at least 1.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    filled: int


def batch_of(rows: TrainingRows, order: np.ndarray, dtype: str) -> Batch:
    """Return the rows of a step in a member's type; `order` is its line of the epoch's order."""
    real = order < len(rows.y_train)
    places = np.where(real, order, 0)
    x = np.asarray(rows.x_train[places], dtype) * real[:, None]
    weight = np.asarray(rows.weight_train[places], dtype) * real
    filled = int(np.flatnonzero(real)[-1]) + 1 if real.any() else 1
    return Batch(x, np.asarray(rows.y_train[places]), weight, filled)


def training_pass(member: Member, parameters: Arrays, batch: Batch, step: int) -> Iterator[Done]:
    """Yield the operations of an update step's forward pass in their order.

    Args:
        member: of dense layers, with or without convolutional ones before them.
        parameters: before the step.
        batch: its rows.
        step: counted from 1.
    """
    kind = np.dtype(member.dtype).type
    x, y, mixture = _augmented(member, batch, step)
    yield Done("augmentation", "inputs", x)
    total = max(batch.weight.sum(), np.finfo(kind).tiny)
    share = (batch.weight / total).astype(kind)
    masks = _Masks(member, step, len(batch.y))
    z = x
    for done in _layers(member.architecture, parameters, x, share, masks):
        z = done.output
        yield done
    loss = LOSSES[member.architecture.loss]
    smoothing = kind(member.number("label_smoothing")) or 0.0
    losses = loss.rows(z, y, np, smoothing)
    if mixture is not None:
        other, kept = mixture
        losses = kept * losses + (1 - kept) * loss.rows(z, other, np, smoothing)
    yield Done("loss", "", losses[batch.weight > 0])
    yield Done(LOSS, "", np.asarray((losses * batch.weight).sum() / total))


def prediction_pass(
    architecture: Architecture, parameters: Arrays, x: np.ndarray, y: np.ndarray
) -> Iterator[Done]:
    """Yield the operations of scoring rows, where batch normalization takes what it remembers."""
    z = np.asarray(x, parameters["weights/0"].dtype)
    for done in _layers(architecture, parameters, z, None, None):
        z = done.output
        yield done
    yield Done(LOSS, "", np.asarray(LOSSES[architecture.loss].rows(z, y, np).mean()))


class _Masks:
    """Dropout of one step."""

    def __init__(self, member: Member, step: int, rows: int) -> None:
        self._architecture = member.architecture
        self._key = fold(_own_key(member, Purpose.DROPOUT), step)
        self._rows = rows

    def __call__(self, layer: int, a: np.ndarray) -> np.ndarray:
        drop = drop_of(self._architecture, layer)
        if not drop.threshold:
            return a
        word = INPUT_LAYER if layer < 0 else layer
        kept = words(fold(self._key, word), (self._rows, a.shape[1])) >= drop.threshold
        return np.where(kept, a * a.dtype.type(drop.train_scale), 0).astype(a.dtype)


def _layers(
    network: Architecture,
    parameters: Arrays,
    x: np.ndarray,
    share: np.ndarray | None,
    masks: _Masks | None,
) -> Iterator[Done]:
    """Yield what the layers do; the last output is the network's."""

    def drop(layer: int, a: np.ndarray) -> np.ndarray:
        if masks is not None:
            return masks(layer, a)
        return a * a.dtype.type(drop_of(network, layer).predict_scale)

    def norm(layer: int, z: np.ndarray) -> np.ndarray:
        if share is None:
            pair = parameters[f"means/{layer}"], parameters[f"variances/{layer}"]
        else:
            pair = batch_moments(z, share)
        scale, shift = parameters[f"scales/{layer}"], parameters[f"shifts/{layer}"]
        return normalized(z, pair, scale, shift, z.dtype.type(network.norm_epsilon), np)

    a = drop(-1, x)
    if network.front is not None:
        seen: list[Done] = []
        a = convolved(network.front, parameters, a, _stage(network, parameters, share, seen))
        yield from seen
    before: list[np.ndarray] = []
    for layer in range(len(network.hidden)):
        name = f"hidden {layer + 1}"
        a = a @ parameters[f"weights/{layer}"]
        if network.has_bias(layer):
            a = a + parameters[f"biases/{layer}"]
        yield Done(SUMS, name, a)
        if network.batch_norm == "before":
            a = norm(layer, a)
            yield Done("batch normalization", name, a)
        a = _activated(network, a)
        yield Done(network.activation, name, a)
        if network.batch_norm == "after":
            a = norm(layer, a)
            yield Done("batch normalization", name, a)
        a = drop(layer, a)
        yield Done("dropout", name, a)
        source = network.skip_source(layer)
        if source is not None:
            shared = min(a.shape[1], before[source].shape[1])
            a = a.copy()
            a[:, :shared] += before[source][:, :shared]
            yield Done("skip connection", name, a)
        before.append(a)
    last = network.layers - 1
    yield Done(SUMS, "output", a @ parameters[f"weights/{last}"] + parameters[f"biases/{last}"])


def _stage(
    network: Architecture, parameters: Arrays, share: np.ndarray | None, seen: list[Done]
) -> Stage:
    """Return what convolutional layers do, each operation noted in `seen`."""

    def convolve(a: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
        z = sum_of_products(a, kernel, stride)
        layer = 1 + sum(done.operation == SUMS for done in seen)
        seen.append(Done(SUMS, f"convolution {layer}", z))
        return z

    def norm(layer: int, z: np.ndarray) -> np.ndarray:
        if network.batch_norm == "none":
            return z
        flat = z.reshape(-1, z.shape[-1])
        if share is None:
            pair = parameters[f"channel_means/{layer}"], parameters[f"channel_variances/{layer}"]
        else:
            places = z.shape[1] * z.shape[2]
            pair = batch_moments(flat, np.repeat(share / places, places).astype(z.dtype))
        scale, shift = parameters[f"channel_scales/{layer}"], parameters[f"channel_shifts/{layer}"]
        epsilon = z.dtype.type(network.norm_epsilon)
        out = normalized(flat, pair, scale, shift, epsilon, np).reshape(z.shape)
        seen.append(Done("batch normalization", f"convolution {layer + 1}", out))
        return out

    first = network.batch_norm == "before"
    return Stage(convolve, norm, lambda z: _activated(network, z), first, biased=not first)


def _activated(network: Architecture, z: np.ndarray) -> np.ndarray:
    activation = ACTIVATIONS[network.activation]
    if activation.takes_pieces:
        z = z.reshape(len(z), -1, network.pieces)
    return activation.apply(z, z.dtype.type(network.slope), np)


def _augmented(
    member: Member, batch: Batch, step: int
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]:
    """Return what a member sees: inputs, targets, and the partners' targets where rows are mixed.

    Targets of one output are mixed as numbers, those of a softmax as losses.
    """
    x, y, mixture = batch.x, batch.y, None
    kind = x.dtype.type
    if member.number("mixup") > 0:
        drawn = words(fold(_own_key(member, Purpose.MIXUP), step), (len(y), 2))
        partner = drawn[:, 0] % np.uint32(batch.filled)
        table = np.asarray(share_table(member.number("mixup")), kind)
        kept = table[drawn[:, 1] >> 22]
        x = kept[:, None] * x + (1 - kept)[:, None] * batch.x[partner]
        mixture = y[partner], kept
        if member.architecture.loss != "softmax":
            y, mixture = kept * y + (1 - kept) * mixture[0], None
    if member.number("input_noise") > 0:
        drawn = words(fold(_own_key(member, Purpose.INPUT_NOISE), step), x.shape)
        x = x + kind(member.number("input_noise")) * normal_of(drawn, kind, np).astype(kind)
    return x, y, mixture


def _own_key(member: Member, purpose: int) -> Key:
    return fold(key(member.seed % 2**64), purpose)
