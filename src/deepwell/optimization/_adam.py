"""Adam (Kingma & Ba 2015, algorithm 1); with `weight_decay` AdamW (Loshchilov & Hutter 2019)."""

from __future__ import annotations

from ._optimizer import Optimizer


def _change(gradient, slots, numbers, step, xp):
    """Both moments with bias correction; `w -= alpha m_hat / (sqrt(s_hat + eps_root) + eps)`.

    The corrections are applied to the rate and to the root, one division an element:
    `alpha / (1 - beta1^t) * m / (sqrt(s + eps_root (1 - beta2^t)) / sqrt(1 - beta2^t) + eps)`.
    """
    beta1, beta2 = numbers["beta1"], numbers["beta2"]
    m = beta1 * slots[0] + (1 - beta1) * gradient
    s = beta2 * slots[1] + (1 - beta2) * gradient * gradient
    seen = 1 - beta2**step
    rate = numbers["learning_rate"] / (1 - beta1**step)
    root = xp.sqrt(s + numbers.get("epsilon_root", 0) * seen) * (1 / xp.sqrt(seen))
    return -rate * m / (root + numbers["epsilon"]), (m, s)


adam = Optimizer("adam", ("first_moment", "second_moment"), _change)
