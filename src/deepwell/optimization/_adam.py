"""Adam (Kingma & Ba 2015, algorithm 1)."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """Both moments with bias correction; `w -= alpha m_hat / (sqrt(s_hat) + eps)`.

    The corrections are applied to the rate and to the root, one division an element:
    `alpha / (1 - beta1^t) * m / (sqrt(s) / sqrt(1 - beta2^t) + eps)`.
    """
    beta1, beta2 = numbers["beta1"], numbers["beta2"]
    m = beta1 * slots[0] + (1 - beta1) * gradient
    s = beta2 * slots[1] + (1 - beta2) * gradient * gradient
    rate = numbers["learning_rate"] / (1 - beta1**step)
    root = 1 / xp.sqrt(1 - beta2**step)
    return -rate * m / (xp.sqrt(s) * root + numbers["epsilon"]), (m, s)


adam = Optimizer("adam", ("first_moment", "second_moment"), _change)
