"""Learning-rate decay: the factor on the rate, a pure function of the time, for each schedule.

A member's schedule is data, chosen by a number inside a program, so that one program trains
members with different schedules. Epochs and steps count from 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from deepwell._base._registry import Registry

Numbers = Mapping[str, Any]

_RISE = 0.3  # share of the epochs in which one_cycle rises
_START = 1 / 25  # of the rate where it begins,
_END = 1 / 25e4  # and where it ends


@dataclass(frozen=True)
class Time:
    """When a step is taken.

    Attributes:
        epoch: the epoch at work, counted from 1.
        step: the update step, counted from 1 over all epochs.
        per_epoch: steps of an epoch.
    """

    epoch: Any
    step: Any
    per_epoch: Any

    @property
    def done(self) -> Any:
        """Epochs done before this step, as a real number."""
        return (self.step - 1) / self.per_epoch


def constant(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return 1."""
    return 0 * time.epoch + 1


def inverse_time(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `1 / (1 + decay_rate * epoch)`."""
    return 1 / (1 + numbers["decay_rate"] * time.epoch)


def exponential(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `decay_factor ^ epoch`."""
    return numbers["decay_factor"] ** time.epoch


def inverse_sqrt_epoch(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `decay_scale / sqrt(epoch)`."""
    return numbers["decay_scale"] / xp.sqrt(time.epoch)


def inverse_sqrt_step(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `decay_scale / sqrt(step)`.

    With `decay_scale` 1 this is `1 / sqrt(t + 1)` for t counted from 0, the decay inside Adagrad.
    """
    return numbers["decay_scale"] / xp.sqrt(time.step)


def staircase(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `decay_factor ^ floor((epoch - 1) / decay_every)`."""
    return numbers["decay_factor"] ** xp.floor((time.epoch - 1) / numbers["decay_every"])


def cosine(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return `(1 + cos(pi p)) / 2`, p the share done of the epochs after the warm-up.

    Loshchilov & Hutter 2017, equation 5, without restarts. From 1 in the first step to 0 after
    `epochs`.
    """
    warm = numbers["warmup_epochs"]
    return _half_wave((time.done - warm) / xp.maximum(numbers["epochs"] - warm, _SHORT), xp)


def one_cycle(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return the factor of the one-cycle policy (Smith & Topin 2019), in half cosine waves.

    From 1/25 up to 1 over the first 30 % of `epochs`, then down to 1/250,000.
    """
    share = time.done / numbers["epochs"]
    up = 1 + (_START - 1) * _half_wave(share / _RISE, xp)
    down = _END + (1 - _END) * _half_wave((share - _RISE) / (1 - _RISE), xp)
    return xp.where(share < _RISE, up, down)


_SHORT = 1e-6  # epochs: what keeps a division finite where the warm-up takes all of them


def _half_wave(share: Any, xp: Any) -> Any:
    """Return a smooth fall from 1 at 0 to 0 at 1."""
    return (1 + xp.cos(math.pi * xp.minimum(xp.maximum(share, 0), 1))) / 2


DECAYS: Registry[Callable[[Numbers, Time, Any], Any]] = Registry(
    "decay",
    {
        d.__name__: d
        for d in (
            constant,
            inverse_time,
            exponential,
            inverse_sqrt_epoch,
            inverse_sqrt_step,
            staircase,
            cosine,
            one_cycle,
        )
    },
)


def decay_code(name: str) -> int:
    """Return the number by which a program knows a schedule."""
    DECAYS[name]
    return list(DECAYS).index(name)
