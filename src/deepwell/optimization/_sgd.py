"""Gradient descent: batch, mini-batch or stochastic, by the size of the batch."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """`w -= alpha g`."""
    return -numbers["learning_rate"] * gradient, slots


sgd = Optimizer("sgd", (), _change)
