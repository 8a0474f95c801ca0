"""The native program for several data views: members of different folds train side by side.

Members of one view share its batches, so each view has sessions of its own. There are enough of
them, all on one thread each, that the cores have equally many: 5 folds on 2 cores are 10 sessions.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import fields, replace

import numpy as np

from deepwell._native._core_module import cores

from ._native_program import DEFAULT_LANES, NativeProgram, NativeSession
from ._program import Chunk, Info, Member, State, Structure, TrainingRows
from ._state import at_best

_POLL_SECONDS = 0.02


def most_sessions(views: int, threads: int) -> int:
    """Return the sessions that members of some of these views are at work in, at most."""
    return max(math.lcm(threads, some) for some in range(1, views + 1))


class NativeViewsProgram:
    """Trains dense networks of several data views on the cores of this machine.

    Args:
        structure: as for `NativeProgram`.
        rows: of all views.
        lanes: members that one session may hold.
        threads: cores to use; None uses every core that the process may use.
    """

    compile_seconds = 0.0

    def __init__(
        self,
        structure: Structure,
        rows: TrainingRows,
        lanes: int = DEFAULT_LANES,
        threads: int | None = None,
    ) -> None:
        self.structure = structure
        self.lanes = lanes
        self.threads = cores() if threads is None else threads
        each = [NativeProgram(structure, view, lanes, 1) for view in rows.held]
        self.programs = each * len(rows.parts) if rows.parts else each
        for program in self.programs:  # smaller views take as many steps as the largest
            program.per_epoch = max(one.per_epoch for one in self.programs)

    def fits(self, member: Member) -> bool:
        """Whether it can train a member."""
        return member.view < len(self.programs) and self.programs[member.view].fits(member)

    def load(self, members: Sequence[Member], states: Sequence[State | None]) -> NativeViewsSession:
        """Put members with their states into the sessions of their views.

        Raises:
            ValueError: when there are more members than lanes, or one that does not fit.
        """
        if len(members) > self.lanes:
            raise ValueError(f"{len(members)} members do not fit {self.lanes} lanes")
        return NativeViewsSession(self, members, states)

    def evaluate(self, members: Sequence[Member], states: Sequence[State]) -> Info:
        """Score the best weights of each state on its view's dev rows."""
        fresh = [at_best(state) for state in states]
        nothing = np.zeros((len(self.programs), 0, self.structure.batch), np.int32)
        return self.load(members, fresh).advance(Chunk(nothing, epoch=1))


def native_program(
    structure: Structure, rows: TrainingRows, lanes: int = DEFAULT_LANES
) -> NativeProgram | NativeViewsProgram:
    """Return the native program for rows of one data view or several."""
    kind = NativeViewsProgram if len(rows.views) > 1 else NativeProgram
    return kind(structure, rows, lanes)


class NativeViewsSession:
    """Members of all views in training together; one thread uses it at a time."""

    def __init__(
        self,
        program: NativeViewsProgram,
        members: Sequence[Member],
        states: Sequence[State | None],
    ) -> None:
        self._threads = program.threads
        self._size = len(members)
        views = sorted({member.view for member in members})
        pieces = program.threads // math.gcd(program.threads, len(views) or 1)
        self._parts: list[tuple[int, list[int], NativeSession]] = []
        for view in views:
            mine = [n for n, member in enumerate(members) if member.view == view]
            for piece in range(pieces):
                some = mine[piece::pieces]  # of all sizes, since proposals come in no order
                if some:
                    loaded = program.programs[view].load(
                        [members[n] for n in some],
                        [states[n] for n in some],  # type: ignore[misc]
                    )
                    self._parts.append((view, some, loaded))

    def advance(self, chunk: Chunk, should_stop: Callable[[], bool] | None = None) -> Info:
        """Move every running member through its view's steps of the chunk.

        As for `NativeSession`; the caller's thread asks `should_stop` and answers signals while
        the sessions are at work in others.

        Raises:
            ValueError: when the order has no steps for a view that a member has.
        """
        orders = np.ascontiguousarray(chunk.order)
        if orders.ndim != 3 or any(view >= len(orders) for view, _, _ in self._parts):
            raise ValueError(f"order must be (views, steps, B), got {orders.shape}")
        stop = threading.Event()

        def move(view: int, session: NativeSession) -> Info:
            return session.advance(replace(chunk, order=orders[view]), stop.is_set)

        with ThreadPoolExecutor(self._threads, thread_name_prefix="views") as pool:
            waiting = [pool.submit(move, view, session) for view, _, session in self._parts]
            try:
                pending = set(waiting)
                while pending:
                    _, pending = wait(pending, _POLL_SECONDS, FIRST_EXCEPTION)
                    if should_stop is not None and not stop.is_set() and should_stop():
                        stop.set()
            except BaseException:
                stop.set()  # the pool then waits for a few update steps only
                raise
            return self._joined([future.result() for future in waiting])

    def change(self, index: int, numbers: Mapping[str, float]) -> None:
        """Give a member other numbers from the next call on; see `Session`."""
        for _, some, session in self._parts:
            if index in some:
                session.change(some.index(index), numbers)
                return
        raise IndexError(f"there is no member {index}")

    def states(self) -> list[State]:
        """Return the members' states, copied."""
        return list(self.read())

    def read(self, indices: Sequence[int] | None = None) -> Iterator[State]:
        """Yield the members' states, copied one after another; see `Session`."""
        wanted = range(self._size) if indices is None else indices
        of: dict[int, Iterator[State]] = {}
        for _, some, session in self._parts:
            place = {number: n for n, number in enumerate(some)}
            mine = [number for number in wanted if number in place]
            of.update(dict.fromkeys(mine, session.read([place[number] for number in mine])))
        for number in wanted:
            yield next(of[number])

    def said(self, index: int) -> np.ndarray | None:
        """Return a member's raw outputs of its dev rows when scored last; see `Session`."""
        for _, some, session in self._parts:
            if index in some:
                return session.said(some.index(index))
        raise IndexError(f"there is no member {index}")

    def _joined(self, told: Sequence[Info]) -> Info:
        """Return what the sessions told, in the order of the members."""
        places = np.concatenate([some for _, some, _ in self._parts] or [np.zeros(0, int)])
        columns = {}
        for field in fields(Info):
            values = [getattr(info, field.name) for info in told]
            if values and isinstance(values[0], np.ndarray):
                column = np.concatenate(values)
                columns[field.name] = np.empty_like(column)
                columns[field.name][places.astype(int)] = column
        if not told:
            nothing, none = np.zeros(0), np.zeros(0, np.int64)
            return Info(nothing, nothing, nothing, none, none, none, none.astype(bool))
        return Info(**columns)
