"""Nesterov's accelerated gradient (1983), rewritten for the weights that look ahead.

Sutskever et al. 2013 (equations 3 and 4) take the gradient at `w + mu v`. With these weights in
the place of `w`, the gradient is taken where the network stands, as any other rule does
(Bengio, Boulanger-Lewandowski & Pascanu 2013, equation 7).
"""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """`v = mu v - alpha g; w += mu v - alpha g`, mu = `momentum`."""
    mu, pull = numbers["momentum"], numbers["learning_rate"] * gradient
    v = mu * slots[0] - pull
    return mu * v - pull, (v,)


nesterov = Optimizer("nesterov", ("velocity",), _change)
