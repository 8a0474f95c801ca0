"""What a bracket reports to while it trains, who decides in it, and what may stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from deepwell.records import Progress
from deepwell.search.schedulers._scheduler import Scheduler

from ._ahead import Part
from ._budget import Clock
from ._checkpoint import Checkpoints
from ._contenders import Contenders
from ._desk import Desk
from ._probe_choice import Probing
from ._retention import Retention


@dataclass(frozen=True)
class Deciding:
    """Who decides at rungs, and what decisions depend on beside the trials.

    Attributes:
        scheduler: decides.
        seed: of the study.
    """

    scheduler: Scheduler
    seed: int


@dataclass(frozen=True)
class Watch:
    """What a bracket reports to, and what may stop it.

    Attributes:
        progress: called after every chunk.
        stop: asked between chunks.
        clock: of the whole run.
        scale: from a program's score to the metric's unit.
        percent: whether scores are shares that people read as per cent.
        expected_seconds: the plan's estimate for this bracket, until measured speed replaces it.
        checkpoints: are told where the bracket stands.
        probing: which networks are looked into.
        contenders: remember what the best networks said of the dev rows.
        retention: keeps the states of networks that train no further.
        desk: takes up what other processes ask.
        part: which part of the whole work the bracket is.
    """

    progress: Callable[[Progress], None]
    stop: Callable[[], bool]
    clock: Clock
    scale: float
    percent: bool
    expected_seconds: float
    checkpoints: Checkpoints
    probing: Probing
    contenders: Contenders
    retention: Retention
    desk: Desk
    part: Part = field(default_factory=Part)
