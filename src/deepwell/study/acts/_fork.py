"""Fork: copies of a network with other numbers race for some epochs, and the best one goes on."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell.records import Request, Trial
from deepwell.study._forks import forked
from deepwell.study._scene import Scene
from deepwell.study._values_asked import settled_values

from ._act import Act, Stand
from ._copies import copies_of, drop, record_copies
from ._race import RACE

if TYPE_CHECKING:
    from deepwell.study._desk import Desk

_SHARE = 0.1  # of the network's epochs, for which copies race where nothing is said


def _check(scene: Scene, request: Request) -> None:
    source, asked = _forking(scene, request)
    for values in asked:
        forked(source.spec, source.epochs, settled_values(source.spec, source.epochs, values))


def _forking(scene: Scene, request: Request) -> tuple[Trial, list[dict[str, object]]]:
    """Return which network is copied, and what is asked for each copy."""
    assert request.trial is not None
    scene.refuse_folds("fork")
    source = scene.in_training(request.trial)
    if source.epochs < 1:
        raise UsageError(
            f"network {source.number} of study {scene.name} has not ended an epoch yet; "
            "fork it when it has"
        )
    asked: Any = request.details["copies"]
    return source, asked


def _do(desk: Desk, stand: Stand, request: Request) -> Stand:
    source, asked = _forking(desk.scene(), request)
    epoch = source.epochs
    desk.state_of(source)
    values = [settled_values(source.spec, epoch, one) for one in asked]
    copies = copies_of(desk, source, epoch, values)
    try:
        for copy in copies:
            desk.engine.fork(copy.source, copy.number, copy.spec)
    except UsageError:
        drop(desk, copies)
        raise
    last = source.spec.whole("epochs")
    race: Any = request.details.get("race")
    until = min(last, epoch + (max(1, round(_SHARE * last)) if race is None else int(race)))
    numbers = [copy.number for copy in copies]
    details: dict[str, Any] = {
        "epoch": epoch,
        "copies": numbers,
        "until": until,
        "changes": [copy.said["changes"] for copy in copies],
    }
    if any("instead_of" in copy.said for copy in copies):
        details["instead_of"] = [copy.said.get("instead_of", {}) for copy in copies]
    event = replace(desk.event(RACE, request, details), trial=source.number)
    why = f"forked by hand after epoch {epoch}: {', '.join(map(str, numbers))} go on"
    return record_copies(desk, stand, request, copies, epoch, event, why)


ACT = Act(RACE, _check, _do)
