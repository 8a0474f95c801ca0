"""The schedulers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from . import _none, _successive_halving
from ._scheduler import Scheduler

SCHEDULERS: Registry[Scheduler] = Registry(
    "scheduler",
    {
        "none": Scheduler(_none.rungs, _none.decide),
        "halving": Scheduler(_successive_halving.rungs, _successive_halving.decide),
    },
)
