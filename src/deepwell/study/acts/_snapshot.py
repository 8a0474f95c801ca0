"""Snapshot: the whole state of networks kept in files, to go back to or to compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell.records import Request, Trial
from deepwell.study._scene import Scene
from deepwell.study._snapshots import keep_snapshot

from ._act import Act, Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

SNAPSHOT = "snapshot"


def _check(scene: Scene, request: Request) -> None:
    _begun(scene, request)


def _begun(scene: Scene, request: Request) -> list[Trial]:
    found = [trial for trial in scene.chosen(request.trial) if trial.epochs]
    if not found:
        raise UsageError(
            f"no network that is meant has ended an epoch yet in study {scene.name}; "
            "take a snapshot when one has"
        )
    return found


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    found = _begun(desk.scene(), request)
    with desk.history.store.states.all_or_none() as kept:
        for trial in found:
            kept.append(keep_snapshot(desk.history, trial.number, desk.state_of(trial)))
        details = {
            "epoch": max(state.epoch for state in kept),
            "networks": {str(s.trial): {"epoch": s.epoch, "sha256": s.hash} for s in kept},
        }
        desk.record(stand, request, [desk.event(SNAPSHOT, request, details)], kept=kept)
    for state, trial in zip(kept, found, strict=True):
        if not desk.history.store.states.file(state.hash).exists():  # `gc` came in between
            keep_snapshot(desk.history, trial.number, desk.state_of(trial))
    return stand


ACT = Act(SNAPSHOT, _check, _do)
