"""Momentum in averaged form (Polyak 1964, with the gradient weighted by 1 - beta)."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """`v = beta v + (1 - beta) g; w -= alpha v`, no bias correction."""
    beta = numbers["momentum"]
    v = beta * slots[0] + (1 - beta) * gradient
    return -numbers["learning_rate"] * v, (v,)


momentum = Optimizer("momentum", ("first_moment",), _change)
