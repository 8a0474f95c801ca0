"""What a run leaves behind, and what the whole study cost."""

from __future__ import annotations

from dataclasses import dataclass

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.diagnosis._metrics import Metric
from deepwell.execution._local import LocalEngine
from deepwell.records import DataChecks, FirstSteps, PlanFacts

from ._baselines import SimpleModel
from ._contenders import Contenders
from ._history import History
from ._settings import Settings


@dataclass(frozen=True)
class Run:
    """All that a run leaves behind."""

    data: Data
    settings: Settings
    metric: Metric
    plan: PlanFacts
    history: History
    engine: LocalEngine
    baselines: tuple[SimpleModel, ...]
    folds: Folds | None = None
    memory: int | None = None
    checks: FirstSteps | None = None
    data_checks: DataChecks | None = None
    contenders: Contenders | None = None


@dataclass(frozen=True)
class Work:
    """What the whole study cost, all its runs together.

    Attributes:
        seconds: working time.
        programs: how many were planned.
        resumed: how often the study was resumed.
        repeated_seconds: working time that kills took back.
        extended: how often it was asked for more after its end.
    """

    seconds: float
    programs: int
    resumed: int = 0
    repeated_seconds: float = 0.0
    extended: int = 0
