"""The schedulers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from . import (
    _asha,
    _extrapolate,
    _hyperband,
    _median,
    _none,
    _patience,
    _pbt,
    _successive_halving,
)
from ._scheduler import Scheduler

SCHEDULERS: Registry[Scheduler] = Registry(
    "scheduler",
    {
        "none": Scheduler(_none.rungs, _none.decide),
        "halving": Scheduler(_successive_halving.rungs, _successive_halving.decide),
        "hyperband": Scheduler(_hyperband.rungs, _hyperband.decide),
        "median": Scheduler(_median.rungs, _median.decide, curves=True, even=True),
        "patience": Scheduler(_patience.rungs, _patience.decide, curves=True, even=True),
        "extrapolate": Scheduler(_extrapolate.rungs, _extrapolate.decide, curves=True, even=True),
        "pbt": Scheduler(_pbt.rungs, _pbt.decide, curves=True, even=True, forks=True),
        "asha": Scheduler(_asha.rungs, _asha.decide, wave=_asha.WAVE),
    },
)
