"""Rollback: a copy of a network goes on from an earlier epoch in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell.records import Event, Request, Status, Trial, to_plain
from deepwell.study._forks import forked, without
from deepwell.study._history import BRANCH, FORK, NUDGE
from deepwell.study._scene import Scene
from deepwell.study._values_asked import settled_values

from ._act import Act, Stand
from ._copies import copies_of, go_back, record_copies

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

ROLLBACK = "rollback"


def _check(scene: Scene, request: Request) -> None:
    source, epoch = _back(scene, request)
    asked: Any = request.details["changes"]
    forked(source.spec, epoch, settled_values(source.spec, epoch, asked))


def _back(scene: Scene, request: Request) -> tuple[Trial, int]:
    """Return which network goes back, and to which epoch."""
    assert request.trial is not None
    scene.refuse_folds("rollback")
    source = scene.trial(request.trial)
    name, number = scene.name, source.number
    if number < scene.first:
        raise UsageError(
            f"network {number} of study {name} belongs to a round that has ended; roll back one "
            f"of the round at work, from {scene.first} on"
        )
    last = source.epochs - (source.status is Status.EARLY_STOPPED)
    last = min(last, source.spec.whole("epochs") - 1)
    to: Any = request.details.get("to")
    epoch = _usual(scene, source, last) if to is None else int(to)
    if not 1 <= epoch <= last:
        reached = f"it has ended {source.epochs}" if last >= 1 else "it has none to go back to"
        raise UsageError(
            f"network {number} of study {name} can go back to an epoch from 1 to {max(1, last)}, "
            f"got {epoch} ({reached}); give another --to"
        )
    return source, epoch


def _usual(scene: Scene, source: Trial, last: int) -> int:
    """Return the newest snapshot's epoch, or the best one."""
    kept = [epoch for number, epoch in scene.snapshots if number == source.number]
    return max(kept, default=min(source.best_epoch, last))


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    source, epoch = _back(desk.scene(), request)
    asked: Any = request.details["changes"]
    past = without(source.spec, epoch, _by_hand(desk, source.number))
    values = settled_values(past, epoch, asked)
    (copy,) = copies_of(desk, source, [forked(past, epoch, values)])
    go_back(desk, copy, epoch)
    details = {
        "epoch": source.epochs,
        "to": epoch,
        "copy": copy.number,
        "changes": to_plain(dict(values)),
    }
    event: Event = desk.event(ROLLBACK, request, details)
    why = f"rolled back by hand to epoch {epoch}: {copy.number} goes on"
    return record_copies(desk, stand, request, [copy], epoch, event, why)


def _by_hand(desk: Desk, number: int) -> set[tuple[int, str]]:
    """Return after which epoch which hyperparameters of a network were changed on its way."""
    store, study = desk.history.store, desk.history.record.id
    sources, found, line = desk.history.sources(), set[tuple[int, str]](), [number]
    while line[-1] in sources:
        line.append(sources[line[-1]])
    nudges: list[Any] = [event.details["networks"] for event in store.events(study, NUDGE)]
    for one in (networks[str(n)] for networks in nudges for n in line if str(n) in networks):
        found |= {(one["epoch"], name) for name in one["changes"]}
    begun = [event for kind in (FORK, BRANCH) for event in store.events(study, kind)]
    for details in (event.details for event in begun if event.trial in line):
        changes: Any = details["changes"]
        found |= {(int(str(details["epoch"])), name) for name in changes}
    return found


ACT = Act(ROLLBACK, _check, _do)
