"""States of members that wait: in memory as far as they fit, else in a file that nobody sees."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._base._errors import StudyError
from deepwell.data._mapped import read_all, temporary_file, write_all
from deepwell.training._program import State


@dataclass(frozen=True)
class _Place:
    """Where a state lies in the file, and how it is laid out there."""

    offset: int
    size: int
    arrays: tuple[tuple[str, np.dtype[Any], tuple[int, ...]], ...]


class Shelf:
    """States by the number of their trial.

    Args:
        room: bytes that states may take in memory; None for no bound. What is beyond goes to an
            unnamed file in `folder`, which ends with the process, however that ends.
        folder: for the file; None means the cache's, or the system's for temporary files.
    """

    def __init__(self, room: int | None = None, folder: Path | None = None) -> None:
        self._room = math.inf if room is None else room
        self._folder = folder
        self._held: dict[int, State] = {}
        self._used = 0
        self._places: dict[int, _Place] = {}
        self._free: list[tuple[int, int]] = []  # offset and size of what was given up
        self._end = 0
        self._file: Any = None

    def __contains__(self, number: int) -> bool:
        return number in self._held or number in self._places

    def __iter__(self) -> Iterator[int]:
        return iter([*self._held, *self._places])

    def __len__(self) -> int:
        return len(self._held) + len(self._places)

    @property
    def spilled(self) -> int:
        """Bytes of the states that lie in the file."""
        return sum(place.size for place in self._places.values())

    def get(self, number: int) -> State | None:
        """Return a state, read from the file when it lies there; None when there is none."""
        if number in self._held:
            return self._held[number]
        place = self._places.get(number)
        if place is None:
            return None
        content = np.empty(place.size, np.uint8)
        self._file.seek(place.offset)
        try:
            read_all(self._file, content)
        except EOFError:
            raise StudyError(
                "a temporary file of waiting networks was cut short; run again"
            ) from None
        state: State = {}
        start = 0
        for name, kind, shape in place.arrays:
            count = math.prod(shape)
            state[name] = np.frombuffer(content, kind, count, start).reshape(shape)
            start += count * kind.itemsize
        return state

    def view(self, numbers: Sequence[int], over: Mapping[int, State]) -> Mapping[int, State]:
        """Return those of these states that there are; what lies in the file is read when asked.

        Args:
            numbers: of trials.
            over: states that take the place of those on the shelf.
        """
        here = {n: over[n] if n in over else self._held.get(n) for n in numbers}
        return _View(
            self, {n: state for n, state in here.items() if state is not None or n in self}
        )

    def put(self, number: int, state: State) -> None:
        """Keep a state in place of the one that this trial had.

        Raises:
            StudyError: when it fits neither in memory nor on the disk.
        """
        self.drop(number)
        size = state_bytes(state)
        if self._used + size <= self._room:
            self._held[number] = state
            self._used += size
        else:
            self._write(number, state, size)

    def drop(self, number: int) -> None:
        """Forget a trial's state, if there is one."""
        state = self._held.pop(number, None)
        if state is not None:
            self._used -= state_bytes(state)
        place = self._places.pop(number, None)
        if place is not None:
            self._give_up(place.offset, place.offset + place.size)
        if not self._places:
            self._free, self._end = [], 0

    def close(self) -> None:
        """Give up the file with the states in it; those in memory stay."""
        self._places.clear()
        if self._file is not None:
            self._file.close()
            self._file = None

    def _write(self, number: int, state: State, size: int) -> None:
        offset = self._take(size)
        try:
            file = self._opened()
            file.seek(offset)
            for array in state.values():
                write_all(file, array)
        except OSError as error:
            raise StudyError(
                f"waiting networks fit neither the memory budget nor the temporary folder "
                f"({error.strerror or error}); free disk space, or give more --memory"
            ) from error
        described = tuple((name, array.dtype, array.shape) for name, array in state.items())
        self._places[number] = _Place(offset, size, described)

    def _take(self, size: int) -> int:
        """Return the offset of room in the file: the first free place that has it, or its end."""
        for index, (offset, room) in enumerate(self._free):
            if room >= size:
                left = [(offset + size, room - size)] if room > size else []
                self._free[index : index + 1] = left
                return offset
        self._end += size
        return self._end - size

    def _give_up(self, start: int, end: int) -> None:
        """Let others have a place, as one with free ones beside it: so they stay few and large."""
        apart: list[tuple[int, int]] = []
        for offset, room in self._free:
            if offset + room == start:
                start = offset
            elif offset == end:
                end += room
            else:
                apart.append((offset, room))
        self._free = [*apart, (start, end - start)]

    def _opened(self) -> Any:
        if self._file is None:
            self._file = temporary_file(self._folder)
        return self._file


class _View(Mapping[int, State]):
    """Some states: references to those in memory, and the shelf for those in its file."""

    def __init__(self, shelf: Shelf, states: Mapping[int, State | None]) -> None:
        self._shelf, self._states = shelf, states

    def __getitem__(self, number: int) -> State:
        held = self._states[number]
        state = self._shelf.get(number) if held is None else held
        if state is None:
            raise KeyError(number)
        return state

    def __iter__(self) -> Iterator[int]:
        return iter(self._states)

    def __len__(self) -> int:
        return len(self._states)


def state_bytes(state: State) -> int:
    """Return the bytes of a state's arrays."""
    return sum(array.nbytes for array in state.values())
