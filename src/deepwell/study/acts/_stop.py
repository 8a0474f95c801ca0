"""Stop: one network, which keeps what it has reached, or the whole run as Ctrl-C does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell.records import Request
from deepwell.study._scene import Scene

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

STOP = "stop_by_hand"


def _check(scene: Scene, request: Request) -> None:
    if request.trial is not None:
        scene.chosen(request.trial)


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    if request.trial is None:
        desk.record(stand, request, [desk.event(STOP, request, {"epoch": desk.epoch()})])
        desk.stopping = True
        return stand
    found = desk.scene().chosen(request.trial)
    numbers = [trial.number for trial in found]
    epoch = max(trial.epochs for trial in found)
    event = desk.event(STOP, request, {"epoch": epoch, "networks": numbers})
    desk.record(
        stand,
        request,
        [event],
        ended=dict.fromkeys(numbers, f"stopped by hand after epoch {epoch}"),
    )
    return stand


ACT = Act(STOP, _check, _do)
