"""Learning-rate decay: a pure function of the epoch, chosen by a number inside a program.

A member's schedule is data, so that one program trains members with different schedules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from deepwell._base._registry import Registry


def constant(rate: Any, decay_rate: Any, epoch: Any) -> Any:
    """Return `alpha0`."""
    return rate + 0 * decay_rate


def inverse_time(rate: Any, decay_rate: Any, epoch: Any) -> Any:
    """Return `alpha0 / (1 + decay_rate * epoch)`, epochs counted from 1.

    >>> [round(inverse_time(0.2, 1.0, e), 4) for e in (1, 2, 3, 4)]
    [0.1, 0.0667, 0.05, 0.04]
    """
    return rate / (1 + decay_rate * epoch)


DECAYS: Registry[Callable[[Any, Any, Any], Any]] = Registry(
    "decay", {"constant": constant, "inverse_time": inverse_time}
)


def decay_code(name: str) -> int:
    """Return the number by which a program knows a schedule."""
    DECAYS[name]
    return list(DECAYS).index(name)
