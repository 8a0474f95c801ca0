"""What of a configuration is counted in epochs, for a training in epochs of more steps.

With f = steps of an epoch before / steps of an epoch now, an epoch e of the chosen network ends
with the step that ends epoch e f. A schedule has there the rate that it had then:

    inverse_time          decay_rate / f
    exponential           decay_factor^(1 / f)
    inverse_sqrt_epoch    decay_scale sqrt(f)
    staircase             decay_every f, in whole epochs that make as many stairs up to the end
    cosine, one_cycle     epochs f
    warm-up               warmup_epochs f

and what changes on the way changes as far on it, before the end where the chosen network had an
epoch of it. What is counted in steps stays as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from deepwell._base._changes import changes_text
from deepwell._base._hyperparameters import Value
from deepwell.records import TrialSpec


@dataclass(frozen=True)
class Shortening:
    """How a training is to be told in other epochs.

    Attributes:
        factor: f, steps of an epoch before over steps of an epoch now.
        before: epochs of the chosen network.
        now: epochs of the new training, about `factor` times as many.
    """

    factor: float
    before: int
    now: int


def in_other_epochs(spec: TrialSpec, how: Shortening) -> TrialSpec:
    """Return a configuration whose schedule and changes go as far in epochs of other lengths.

    >>> spec = TrialSpec({"epochs": 40, "warmup_epochs": 4, "change": "10: l2=0.1"}, seed=0)
    >>> told = in_other_epochs(spec, Shortening(0.75, before=40, now=30))
    >>> told["epochs"], told["warmup_epochs"], told["change"]
    (30, 3.0, '8: l2=0.1')

    Args:
        spec: of the chosen network.
        how: the epochs.
    """
    values = dict(spec.hyperparameters)
    timed = _timed(values, how)
    begins = {
        **timed,
        "epochs": max(how.now, round(spec.whole("epochs") * how.factor)),
    }
    changes: dict[int, dict[str, Value]] = {}
    for epoch, numbers in spec.changes.items():
        values |= numbers
        now = _timed(values, how)
        follows = {name: new for name, new in now.items() if new != timed[name]}
        told = {name: now.get(name, value) for name, value in numbers.items()}
        then = _moved(epoch, how)
        changes[then] = {**changes.get(then, {}), **told, **follows}
        timed = now
    values = {**spec.hyperparameters, **begins, "change": changes_text(changes)}
    return TrialSpec(values, spec.seed, spec.order_seed, spec.dtype)


def _moved(epoch: int, how: Shortening) -> int:
    """Return after which epoch a change comes."""
    then = round(epoch * how.factor)
    return max(1, min(then, how.now - 1) if epoch < how.before else then)


def _timed(values: Mapping[str, Value], how: Shortening) -> dict[str, Value]:
    """Return the numbers of the schedule that are counted in epochs, in the new ones."""
    numbers = {name: float(values[name]) for name in _NUMBERS}  # type: ignore[arg-type]
    every, decay = int(numbers["decay_every"]), values["decay"]
    if decay == "inverse_time":
        numbers["decay_rate"] /= how.factor
    elif decay == "exponential":
        numbers["decay_factor"] **= 1 / how.factor
    elif decay == "inverse_sqrt_epoch":
        numbers["decay_scale"] *= math.sqrt(how.factor)
    elif decay == "staircase":
        every, power = _stairs(every, how)
        numbers["decay_factor"] **= power
    numbers["warmup_epochs"] *= how.factor
    return {**numbers, "decay_every": every}


_NUMBERS = ("decay_rate", "decay_factor", "decay_scale", "decay_every", "warmup_epochs")


def _stairs(every: int, how: Shortening) -> tuple[int, float]:
    """Return the epochs of a stair, and how many old stairs one of them stands for.

    That is one, unless there are more stairs than epochs.
    """
    down, last = (how.before - 1) // every, how.now - 1
    wanted = max(1, round(every * how.factor), last // (down + 1) + 1)
    if down:
        wanted = max(1, min(wanted, last // down))
    taken = last // wanted
    return wanted, down / taken if taken else 1.0
