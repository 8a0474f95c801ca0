"""RMSprop (Tieleman & Hinton 2012), epsilon outside the root."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """`s = beta s + (1 - beta) g^2; w -= alpha g / (sqrt(s) + eps)`, beta = `beta2`."""
    beta = numbers["beta2"]
    s = beta * slots[0] + (1 - beta) * gradient * gradient
    return -numbers["learning_rate"] * gradient / (xp.sqrt(s) + numbers["epsilon"]), (s,)


rmsprop = Optimizer("rmsprop", ("second_moment",), _change)
