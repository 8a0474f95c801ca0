"""The contract of an act: what may be asked, and how a run does it.

    check(scene, request)         may this be done? in the process that asks
    do(desk, stand, request)      the same once more, as things stand by then; then do it between
                                  two epochs, and record it in one transaction

`do` gets the place where the bracket stands and returns the place where it stands then. What it
records holds the event, the request as taken, and, where networks are other ones than before, the
checkpoint of them: after a kill the act has happened with all that belongs to it, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from deepwell.records import Request
from deepwell.study._checkpoint import Position
from deepwell.study._history import Bracket
from deepwell.study._scene import Scene

if TYPE_CHECKING:
    from deepwell.study._desk import Desk


@dataclass(frozen=True)
class Stand:
    """Where a run stands between two epochs.

    Attributes:
        bracket: at work.
        here: the place in it.
    """

    bracket: Bracket
    here: Position


class Act(NamedTuple):
    """One act.

    Attributes:
        event: kind of the event that says it was done.
        check: raises `UsageError` where it cannot be done.
        do: does it, or raises `UsageError` where it cannot be done any more.
    """

    event: str
    check: Callable[[Scene, Request], None]
    do: Callable[[Desk, Stand, Request], Stand]
