"""Rollback: a copy of a network goes on from an earlier epoch in its place."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Event, Request, Status, Trial
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
    past = replace(source, spec=without(source.spec, epoch, _changed(desk, source.number)))
    values = settled_values(past.spec, epoch, asked)
    (copy,) = copies_of(desk, past, epoch, [values])
    go_back(desk, copy, epoch)
    details = {"epoch": source.epochs, "to": epoch, "copy": copy.number, **copy.said}
    event: Event = desk.event(ROLLBACK, request, details)
    why = f"rolled back by hand to epoch {epoch}: {copy.number} goes on"
    return record_copies(desk, stand, request, [copy], epoch, event, why)


def _changed(desk: Desk, number: int) -> dict[tuple[int, str], Value | None]:
    """Return after which epoch which hyperparameters of a network were changed on its way.

    Returns:
        (epoch, name) -> the value that was to come there before the first of these changes, None
        where there was none.
    """
    sources, line = desk.history.sources(), [number]
    while line[-1] in sources:
        line.append(sources[line[-1]])
    found: dict[tuple[int, str], Value | None] = {}
    left: set[int] = set()
    told = desk.history.store.requests.events(desk.history.record.id, (NUDGE, FORK, BRANCH))
    for event in told:
        details: Any = event.details
        if event.kind == NUDGE:  # of those that the line has gone on from, no later ones
            networks = details["networks"]
            changes = [networks[str(n)] for n in line if n not in left and str(n) in networks]
        else:
            changes = [details] if event.trial in line else []
            left.update(one["source"] for one in changes)
        for one in changes:
            before = one.get("instead_of", {})
            for name in one["changes"]:
                found.setdefault((one["epoch"], name), before.get(name))
    return found


ACT = Act(ROLLBACK, _check, _do)
