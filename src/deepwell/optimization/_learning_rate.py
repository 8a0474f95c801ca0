"""The learning rate of a step: warm-up and decay upon the base rate."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import complete

from ._decay import DECAYS, Numbers, Time

SCHEDULE_NUMBERS = (
    "decay_rate",
    "decay_factor",
    "decay_scale",
    "decay_every",
    "epochs",
    "warmup_epochs",
)


def warmed(numbers: Numbers, time: Time, xp: Any) -> Any:
    """Return the warm-up's factor `min(1, step / warm-up steps)`, 1 without one.

    It multiplies what the decay says. The first step moves already; `cosine` begins to fall when
    the warm-up ends.
    """
    steps = numbers["warmup_epochs"] * time.per_epoch
    return xp.minimum(time.step / xp.maximum(steps, 1), 1)


def learning_rates(per_epoch: int, **hyperparameters: Any) -> np.ndarray:
    """Return the learning rate of every step of a training, (epochs * per_epoch,) float64.

    >>> learning_rates(1, learning_rate=0.2, decay="inverse_time", decay_rate=1.0, epochs=3)
    array([0.1       , 0.06666667, 0.05      ])

    Args:
        per_epoch: update steps of an epoch, at least 1.
        hyperparameters: as of a trial: `learning_rate`, `decay`, `epochs`, `warmup_epochs` and so
            on; others have no effect.

    Raises:
        UsageError: when a value is out of its range.
    """
    if per_epoch < 1:
        raise UsageError(f"`per_epoch` must be at least 1, got {per_epoch}")
    values = complete(hyperparameters)
    numbers = {name: float(values[name]) for name in SCHEDULE_NUMBERS}  # type: ignore[arg-type]
    steps = np.arange(1, int(numbers["epochs"]) * per_epoch + 1, dtype=np.float64)
    time = Time((steps - 1) // per_epoch + 1, steps, per_epoch)
    factor = DECAYS[str(values["decay"])](numbers, time, np) * warmed(numbers, time, np)
    return float(values["learning_rate"]) * factor  # type: ignore[arg-type]
