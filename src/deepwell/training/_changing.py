"""Changes by hand that were said beforehand (O12): made between the calls of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from ._program import Chunk, Info, Member, Session, State


def changing(session: Session, members: Sequence[Member]) -> Session:
    """Return the session, giving members other numbers after the epochs that they name."""
    return ChangingSession(session, members) if any(m.changes for m in members) else session


class ChangingSession:
    """A session whose members change on the way.

    Before an epoch's first call each member gets the numbers that are due by then, so one that is
    taken up at a later epoch, as after a kill, has them at once.

    Args:
        session: of these members.
        members: as they were loaded.
    """

    def __init__(self, session: Session, members: Sequence[Member]) -> None:
        self._session = session
        due = [
            (after, index, numbers)
            for index, member in enumerate(members)
            for after, numbers in member.changes.items()
        ]
        self._due = sorted(due, key=lambda change: change[:2])

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through the chunk's steps, with its numbers of that epoch."""
        while self._due and self._due[0][0] < chunk.epoch:
            _, index, numbers = self._due.pop(0)
            self._session.change(index, numbers)
        return self._session.advance(chunk, should_stop)

    def change(self, index: int, numbers: Mapping[str, float]) -> None:
        """Give a member other numbers from the next call on; see `Session`."""
        self._session.change(index, numbers)

    def states(self) -> list[State]:
        """Return the members' states."""
        return self._session.states()

    def read(self, indices: Sequence[int] | None = None) -> Iterator[State]:
        """Yield the members' states one after another; see `Session`."""
        return self._session.read(indices)

    def said(self, index: int) -> np.ndarray | None:
        """Return a member's raw outputs of the dev rows when scored last; see `Session`."""
        return self._session.said(index)
