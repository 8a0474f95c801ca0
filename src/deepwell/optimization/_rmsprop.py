"""RMSprop (Tieleman & Hinton 2012), epsilon outside the root unless `epsilon_root` puts it in."""

from __future__ import annotations

from ._optimizer import Optimizer, over_root


def _change(gradient, slots, numbers, step, xp):
    """`s = beta s + (1 - beta) g^2; w -= alpha g / (sqrt(s) + eps)`, beta = `beta2`.

    An average that starts from the first gradient's square is one whose first step forgets all
    that was before: its beta is 0.
    """
    begins = numbers.get("rms_from_first", 0) * (step < 2)
    beta = numbers["beta2"] * (1 - begins)
    s = beta * slots[0] + (1 - beta) * gradient * gradient
    return -over_root(numbers["learning_rate"] * gradient, s, numbers, xp), (s,)


rmsprop = Optimizer("rmsprop", ("second_moment",), _change)
