"""What came of a request, or of what it set going: all that one transaction records of it."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from deepwell.records import ChunkRecord, Event, Request, Status, TrialSpec

from ._checkpoint_record import CheckpointRecord
from ._kept_state import KeptState

REFUSE = "refuse"
"""Kind of the event that says why what was asked for was not done."""


@dataclass(frozen=True)
class Deed:
    """A change of a run by hand.

    Attributes:
        events: that say what was done.
        request: id of what asked for it; None where it follows from an earlier one.
        specs: trial -> what it is configured to from now on.
        copies: new trials that begin as copies of others, (number, spec).
        past: their epochs so far, first to last.
        statuses: trial -> where it stands now.
        messages: trial -> why.
        kept: states that are kept from now on.
        config: what the study is asked to do from now on; None leaves it.
        checkpoint: where the study stands with all that; None leaves the one that there is.
    """

    events: Sequence[Event]
    request: int | None = None
    specs: Mapping[int, TrialSpec] = field(default_factory=dict[int, TrialSpec])
    copies: Sequence[tuple[int, TrialSpec]] = ()
    past: Sequence[ChunkRecord] = ()
    statuses: Mapping[int, Status] = field(default_factory=dict[int, Status])
    messages: Mapping[int, str] = field(default_factory=dict[int, str])
    kept: Sequence[KeptState] = ()
    config: Mapping[str, object] | None = None
    checkpoint: CheckpointRecord | None = None


def refusal(request: Request, why: str) -> Deed:
    """Return the answer to a request that is not carried out.

    Args:
        request: what was asked.
        why: in one sentence.
    """
    told = {"request": request.id, "kind": request.kind, "why": why}
    return Deed([Event(time.time(), REFUSE, request.trial, told)], request.id)
