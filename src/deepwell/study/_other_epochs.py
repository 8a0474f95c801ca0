"""What of a configuration is counted in epochs, for a training of other epochs.

With f epochs now for each before, since they have more steps or since there is time for no more, an
epoch e of the network that is trained again ends with epoch e f. A schedule has there the rate that
it had then:

    inverse_time          decay_rate / f
    exponential           decay_factor^(1 / f)
    inverse_sqrt_epoch    decay_scale sqrt(f)
    inverse_sqrt_step     decay_scale sqrt(steps now / steps before)
    staircase             decay_every f, in whole epochs that make as many stairs up to the end
    cosine, one_cycle     epochs f
    warm-up               warmup_epochs f

and what changes on the way changes as far on it, before the end where that network had an epoch of
it. What is counted in steps stays as it is where there are as many.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from deepwell._base._changes import changes_text
from deepwell._base._hyperparameters import Value
from deepwell.records import TrialSpec

_LEAST_FACTOR = 1e-300  # of a decay: a power of a small one would be 0, which none may be


@dataclass(frozen=True)
class Shortening:
    """How a training is to be told in other epochs.

    Attributes:
        factor: f, epochs now for each before.
        before: epochs of the network that is trained again.
        now: epochs of the new training, about `factor` times as many.
        steps: update steps of the new training for each before; 1 where its epochs are longer.
    """

    factor: float
    before: int
    now: int
    steps: float = 1.0


def in_other_epochs(spec: TrialSpec, how: Shortening) -> TrialSpec:
    """Return a configuration whose schedule and changes go as far in other epochs.

    >>> spec = TrialSpec({"epochs": 40, "warmup_epochs": 4, "change": "10: l2=0.1"}, seed=0)
    >>> told = in_other_epochs(spec, Shortening(0.75, before=40, now=30))
    >>> told["epochs"], told["warmup_epochs"], told["change"]
    (30, 3.0, '8: l2=0.1')

    Args:
        spec: of the network that is trained again.
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
    return replace(spec, hyperparameters=values)


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
    elif decay == "inverse_sqrt_step":
        numbers["decay_scale"] *= math.sqrt(how.steps)
    elif decay == "staircase":
        every, power = _stairs(every, how)
        numbers["decay_factor"] **= power
    numbers["decay_factor"] = max(numbers["decay_factor"], _LEAST_FACTOR)
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
