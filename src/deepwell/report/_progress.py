"""The progress of a population: one line that rewrites itself, or one plain line a rung."""

from __future__ import annotations

import shutil
import time
from typing import TextIO

from deepwell.records import Progress

from ._figures import duration, figure
from ._layout import GUTTER, fit_to, pad

BAR_WIDTH = 16
REFRESH_SECONDS = 0.1  # faster than that nobody reads; a write to a terminal costs about 10 us

_CLEAR = "\r\x1b[K"  # to the line's start, erase to its end: understood by every terminal


class TerminalProgress:
    """Progress on a terminal: one line for the whole population, gone once the work is done.

    Args:
        stream: the terminal.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._shown = False
        self._next_time = 0.0

    def update(self, progress: Progress) -> None:
        """Show where the run stands, at most ten times a second."""
        now = time.monotonic()
        if now < self._next_time and not progress.rung_ended:
            return
        self._next_time = now + REFRESH_SECONDS
        columns = shutil.get_terminal_size().columns - 1  # a full line would wrap on some
        self._stream.write(_CLEAR + fit_to(progress_line(progress), columns))
        self._stream.flush()
        self._shown = True

    def close(self) -> None:
        """Erase the line, so that what comes next starts on a clean one."""
        if self._shown:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._shown = False


class PlainProgress:
    """Progress in a file or a pipe: one line a rung, no control codes.

    Args:
        stream: where the lines go.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def update(self, progress: Progress) -> None:
        """Write a line when a rung has ended."""
        if progress.rung_ended:
            self._stream.write(rung_line(progress) + "\n")
            self._stream.flush()

    def close(self) -> None:
        """Nothing is pending: every line was written whole."""


def progress_line(progress: Progress) -> str:
    """Return the line for a terminal: bar, rung, networks alive, best dev score, time left."""
    share = min(1.0, max(0.0, progress.share))
    filled = round(BAR_WIDTH * share)
    bar = "#" * filled + "-" * (BAR_WIDTH - filled)
    parts = [
        f"{bar} {_place(progress)}",
        f"{progress.alive:,} of {progress.networks:,} alive",
        *_best(progress),
    ]
    if progress.seconds_left is not None:
        parts.append(f"{duration(progress.seconds_left)} left")
    return pad(progress.phase, GUTTER) + "  ".join(parts)


def rung_line(progress: Progress) -> str:
    """Return the plain line that closes a rung, no wider than 80 columns where that can be."""
    parts = [
        f"{_place(progress)} done",
        f"{progress.alive:,} of {progress.networks:,} alive",
        *_best(progress),
    ]
    if progress.seconds_left:
        parts.append(f"{duration(progress.seconds_left)} left")
    return pad(progress.phase, GUTTER) + ", ".join(parts)


def _place(progress: Progress) -> str:
    """Return the rung at work, and the round where there are several."""
    rung = f"rung {progress.rung}/{progress.rungs}"
    return f"round {progress.round}/{progress.rounds} {rung}" if progress.rounds > 1 else rung


def _best(progress: Progress) -> list[str]:
    return [] if progress.best is None else [f"best dev {figure(progress.best, progress.percent)}"]
