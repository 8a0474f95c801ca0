"""The faults of the development half, a file for each kind of what they change."""

from __future__ import annotations

from benchmarks.diagnosis.fault import checked
from benchmarks.diagnosis.program_case import PROGRAM_TASKS
from benchmarks.diagnosis.tasks import PLANTED_ON

from . import data, labels, programs, settings, split

FAULTS = checked(
    (
        *data.FAULTS,
        *labels.FAULTS,
        *split.FAULTS,
        *settings.INIT,
        *settings.NETWORK,
        *settings.OPTIMIZER,
        *settings.REGULARIZING,
        *settings.DURATION,
        *settings.REGIME,
        *programs.FAULTS,
    ),
    {**PLANTED_ON, **PROGRAM_TASKS},
)
