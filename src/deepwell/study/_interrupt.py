"""Ctrl-C as a question that is asked between chunks, so that no state is lost half-way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType

BY_USER = "stopped by the user"


class Interrupt:
    """Whether a person asked to stop; a second request raises at once."""

    def __init__(self) -> None:
        self.asked = False

    def handle(self, number: int, frame: FrameType | None) -> None:
        """Note the first signal; raise `KeyboardInterrupt` on the next."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True


@contextmanager
def interruptible() -> Generator[Interrupt]:
    """Turn SIGINT and SIGTERM into a flag while the block runs, in the main thread only.

    A handler of the program that runs Python inside, as R or .NET, stays.
    """
    interrupt = Interrupt()
    if threading.current_thread() is not threading.main_thread():
        yield interrupt
        return
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    # What Python did not install it cannot put back.
    ours = {number: handler for number, handler in before.items() if handler is not None}
    for number in ours:
        signal.signal(number, interrupt.handle)
    try:
        yield interrupt
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)
