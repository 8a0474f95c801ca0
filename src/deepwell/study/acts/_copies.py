"""Copies of a network that go on beside the others, or in its place: what rollback and fork share.

A copy is a trial of its own, whose specification says all there is: that of its source, and what
changes after the epoch at which it begins. Who trains it from its start gets the source up to
there, to the bit. So its state is the source's of that epoch, where that is at hand, or is made
by training it alone up to there.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell.records import Event, Request, Trial
from deepwell.study._forks import Copied, copied
from deepwell.study._history import ARRIVE, BRANCH
from deepwell.study._snapshots import read_snapshot
from deepwell.training._program import Outcome

from ._act import Stand

if TYPE_CHECKING:
    from deepwell.study._desk import Desk


def copies_of(
    desk: Desk, source: Trial, epoch: int, values: Sequence[Mapping[str, Value]]
) -> list[Copied]:
    """Return copies of a trial, one for each of these changes after an epoch, with their numbers.

    Raises:
        UsageError: when something cannot change, or a value is out of its range.
    """
    first = 1 + max(trial.number for trial in desk.history.trials())
    rows, spec = desk.engine.shape.train_rows, source.spec
    return [
        copied(number, source.number, spec, epoch, one, rows)
        for number, one in enumerate(values, start=first)
    ]


def go_back(desk: Desk, copy: Copied, epoch: int) -> None:
    """Give the engine a copy as it stands after an epoch that its source has long ended.

    Raises:
        UsageError: when the source was over by then, the run is to end, or memory runs out.
    """
    desk.engine.adopt(copy.source, copy.number, copy.spec)
    state = read_snapshot(desk.history.store, desk.history.record, copy.source, epoch)
    if state is not None:
        desk.engine.restore({copy.number: state})
    else:
        for _ in desk.engine.train([copy.number], epoch, desk.over):
            """It was told when it was trained first."""
    reached = desk.engine.states([copy.number]).get(copy.number, None)
    if desk.over() and (reached is None or int(reached["epoch"]) != epoch):
        drop(desk, [copy])
        raise UsageError(
            f"the run ended before network {copy.source} was trained again up to epoch {epoch}; "
            "ask again when it goes on"
        )
    if reached is None:
        drop(desk, [copy])
        raise UsageError(
            f"network {copy.source} cannot be trained again up to epoch {epoch}, since there is "
            "no memory for it beside the others; roll it back when fewer networks train"
        )
    if int(reached["epoch"]) != epoch or int(reached["outcome"]) != Outcome.RUNNING:
        drop(desk, [copy])
        raise UsageError(
            f"network {copy.source} trained no further than epoch {epoch}; roll it back to an "
            "earlier one"
        )


def drop(desk: Desk, copies: Sequence[Copied]) -> None:
    """Take copies that come to nothing away from the engine."""
    gone = {copy.number for copy in copies}
    held = desk.engine.states([t.number for t in desk.history.trials()])
    desk.engine.forget([n for n in held if n not in gone])
    desk.engine.disown(gone)


def record_copies(
    desk: Desk,
    stand: Stand,
    request: Request,
    copies: Sequence[Copied],
    epoch: int,
    act: Event,
    why: str,
) -> Stand:
    """Record copies in place of their source, which stops.

    Args:
        desk: of the run.
        stand: where it stands.
        request: that asked for it.
        copies: that the engine holds.
        epoch: after which they begin.
        act: the event that says what was done.
        why: the source stops.
    """
    numbers = tuple(copy.number for copy in copies)
    source = next(t for t in desk.history.trials() if t.number == copies[0].source)
    wave = (*stand.here.wave, *numbers) if stand.here.wave else ()
    here = replace(stand.here, alive=(*stand.here.alive, *numbers), wave=wave)
    then = Stand(stand.bracket.joined(copies), here)
    told = {"source": source.number, "epoch": epoch, "request": request.id}
    begun = [Event(time.time(), BRANCH, copy.number, {**told, **copy.said}) for copy in copies]
    place = stand.here
    came = [  # at the rungs below, as their source did, where a scheduler counts who came
        Event(
            time.time(),
            ARRIVE,
            details={"population": place.population, "rung": rung, "trials": list(numbers)},
        )
        for rung in range(place.rung if place.wave else 0)
    ]
    try:
        desk.record(
            then,
            request,
            [*begun, *came, act],
            numbers,
            {} if source.status.over else {source.number: why},
            copies=[(copy.number, copy.spec) for copy in copies],
            past=desk.history.past_of(copies, epoch),
        )
    except UsageError:
        drop(desk, copies)
        raise
    return then
