"""What one chunk of a population reported: the unit in which curves are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ._probe import Probe
from ._status import Status


@dataclass(frozen=True)
class ChunkRecord:
    """One epoch's metrics of the members that one program moved.

    Attributes:
        epoch: the epoch that ended, counted from 1.
        trials: (P,) numbers of the trials.
        metrics: name -> (P,) float32; `train_cost` (mean of the epoch's batches, penalty left
            out), `dev_cost`, `dev_score` (the study's metric, lower is better); NaN where a trial
            trained no epoch.
        statuses: number of a trial -> its status, for those whose status this chunk changed.
        steps: (P,) int64, update steps done so far.
        probes: of those members that were looked into after this epoch, or before the first one.
    """

    epoch: int
    trials: np.ndarray
    metrics: Mapping[str, np.ndarray]
    statuses: Mapping[int, Status]
    steps: np.ndarray
    probes: tuple[Probe, ...] = ()
