"""Monte Carlo dropout: predictions of many thinned networks (Gal & Ghahramani 2016).

Each of T networks drops units as in training, one mask for each row and network by the coordinate
hash: the word at (row, unit) under fold(fold(fold(key(seed), 7), t), l). The mean over them is an
ensemble's prediction, and their spread says how much they disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hash import Key, Purpose, fold, key, word

from ._architecture import Architecture
from ._dropout_rate import INPUT_LAYER, drop_of
from ._forward import Arrays, Dropper, forward, rows_at_once
from ._losses import LOSSES


@dataclass(frozen=True)
class Sampled:
    """Predictions of many thinned networks.

    Attributes:
        mean: class probabilities (n, C), or values (n,).
        spread: standard deviation over the networks, of the same shape, with T - 1 below.
    """

    mean: np.ndarray
    spread: np.ndarray


def sampled_predictions(
    architecture: Architecture, parameters: Arrays, x: np.ndarray, samples: int, seed: int = 0
) -> Sampled:
    """Return mean and spread of the predictions of `samples` thinned networks, in float64.

    Args:
        architecture: a network with a dropout rate above 0.
        parameters: as in `forward`.
        x: encoded rows (n, D).
        samples: T, at least 2; the mean's error falls with its root. 50 is a usual number.
        seed: of the masks.

    Raises:
        UsageError: when no layer drops anything, or there are fewer than 2 samples.
    """
    if samples < 2:
        raise UsageError(f"`samples` must be at least 2, got {samples}; 50 is a usual number")
    if not any((*architecture.dropout, architecture.input_dropout)):
        raise UsageError(
            "this network was trained without dropout, so all samples would be the same; "
            "leave `samples` out, or train with dropout"
        )
    predict = LOSSES[architecture.loss].predict
    means, spreads, at_once = [], [], rows_at_once(architecture)
    for first in range(0, max(len(x), 1), at_once):
        rows = x[first : first + at_once]
        mean = squares = np.zeros(())
        for t in range(samples):
            parent = fold(fold(key(seed), Purpose.SAMPLES), t)
            drop = _masked(architecture, parent, first)
            raw = forward(architecture, parameters, rows, drop).astype(np.float64)
            with np.errstate(invalid="ignore"):
                got = predict(raw, np)
                step = got - mean  # sums of squares by Welford's method, which cannot cancel
                mean = mean + step / (t + 1)
                squares = squares + step * (got - mean)
        means.append(mean)
        spreads.append(np.sqrt(squares / (samples - 1)))
    return Sampled(np.concatenate(means), np.concatenate(spreads))


def _masked(architecture: Architecture, parent: Key, first: int) -> Dropper:
    """Return dropout as in training, for rows that are counted from `first`."""

    def drop(layer: int, a: np.ndarray) -> np.ndarray:
        told = drop_of(architecture, layer)
        if not told.threshold:
            return a
        of_layer = fold(parent, INPUT_LAYER if layer < 0 else layer)
        rows = fold(of_layer, np.arange(first, first + len(a), dtype=np.uint32)[:, None])
        kept = word(rows, np.arange(a.shape[1], dtype=np.uint32)) >= np.uint32(told.threshold)
        return np.where(kept, a * a.dtype.type(told.train_scale), a.dtype.type(0))

    return drop
