"""Pause and resume: the run holds its networks and trains none until it is told to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell.records import Request
from deepwell.study._scene import Scene

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

PAUSE, GO_ON = "pause_by_hand", "resume_by_hand"


def _check(scene: Scene, request: Request) -> None:
    """Nothing can be wrong: a run that is paused stays so, one that trains goes on."""


def _pause(desk: Desk, stand: Stand, request: Request) -> Stand:
    desk.record(stand, request, [desk.event(PAUSE, request, {"epoch": desk.epoch()})])
    desk.paused = True
    return stand


def _resume(desk: Desk, stand: Stand, request: Request) -> Stand:
    desk.record(stand, request, [desk.event(GO_ON, request, {"epoch": desk.epoch()})])
    desk.paused = False
    return stand


PAUSED = Act(PAUSE, _check, _pause)
RESUMED = Act(GO_ON, _check, _resume)
