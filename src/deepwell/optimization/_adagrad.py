"""Adagrad (Duchi, Hazan & Singer 2011)."""

from __future__ import annotations

from ._optimizer import Optimizer, over_root


def _change(gradient, slots, numbers, step, xp):
    """`s = s + g^2; w -= alpha g / (sqrt(s) + eps)`, s from 0."""
    s = slots[0] + gradient * gradient
    return -over_root(numbers["learning_rate"] * gradient, s, numbers, xp), (s,)


adagrad = Optimizer("adagrad", ("square_sum",), _change)
