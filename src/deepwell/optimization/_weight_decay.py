"""Decoupled weight decay (Loshchilov & Hutter 2019): beside the optimizer, not through it."""

from __future__ import annotations

from typing import Any


def kept_share(learning_rate: Any, weight_decay: Any) -> Any:
    """Return what is left of each weight in a step: `w = (1 - alpha weight_decay) w + change`.

    The learning rate is that of the step, so that warm-up and decay hold for it too. With plain
    descent it is the `l2` penalty of the same number; with every other rule it is not.
    """
    return 1 - learning_rate * weight_decay
