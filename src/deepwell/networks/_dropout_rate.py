"""Dropout rates as the numbers that every program computes with (Srivastava et al. 2014).

A unit is kept with probability 1 - p. Inverted dropout divides what is kept by 1 - p in training
and does nothing at prediction; classic dropout leaves it as it is and multiplies by 1 - p at
prediction, the same as weights times 1 - p.
"""

from __future__ import annotations

from dataclasses import dataclass

from ._architecture import Architecture

INPUT_LAYER = 2**32 - 1  # the word folded into a mask's key for the inputs; hidden layers from 0


@dataclass(frozen=True)
class Drop:
    """Dropout of one layer.

    Attributes:
        threshold: the 32-bit number below which a unit's word means "dropped"; 0 drops nothing.
        train_scale: factor on what is kept in training.
        predict_scale: factor on everything at prediction.
    """

    threshold: int
    train_scale: float
    predict_scale: float


def drop_of(architecture: Architecture, layer: int) -> Drop:
    """Return the dropout of a hidden layer, or of the inputs at layer -1.

    >>> drop_of(Architecture(2, (5,), 1, dropout=(0.2,)), 0).train_scale
    1.25
    """
    rate = architecture.input_dropout if layer < 0 else architecture.rate(layer)
    keep = 1.0 - rate
    if architecture.classic_dropout:
        return Drop(drop_threshold(rate), 1.0, keep)
    return Drop(drop_threshold(rate), 1.0 / keep, 1.0)


def drop_threshold(rate: float) -> int:
    """Return the 32-bit number below which a unit's word means "dropped".

    An integer comparison gives the same mask in every program and on every device.

    >>> drop_threshold(0.5) == 2**31
    True
    """
    return min(round(rate * 2.0**32), 2**32 - 1)
