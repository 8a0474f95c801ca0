"""Momentum in velocity form (Polyak 1964; Sutskever et al. 2013, equations 1 and 2)."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """`v = mu v - alpha g; w += v`, mu = `momentum`."""
    v = numbers["momentum"] * slots[0] - numbers["learning_rate"] * gradient
    return v, (v,)


velocity = Optimizer("velocity", ("velocity",), _change)
