"""Ctrl-C that always arrives, breaks nothing on its way, and leaves no trace of Python behind."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any

_AGAIN_SECONDS = 0.02
_IMPORT_SYSTEM = "<frozen importlib."


class Interrupts:
    """While active, SIGINT raises `KeyboardInterrupt` where that is safe, and is remembered.

    - During an import it waits for the end of the import: compiled modules that are stopped half
      way print traces of their own, or crash.
    - Where Python cannot raise (in a callback of the garbage collector, say) it would print the
      interrupt and go on; it is sent again a moment later instead.
    - One that a library turned into another exception is still known by `asked`.
    """

    def __init__(self) -> None:
        self.asked = False
        self._main = threading.current_thread() is threading.main_thread()
        self._handler: Any = None
        self._hook = sys.unraisablehook

    def __enter__(self) -> Interrupts:
        if self._main:
            self._hook = sys.unraisablehook
            sys.unraisablehook = self._unraisable
            self._handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._main:
            signal.signal(signal.SIGINT, self._handler)
            sys.unraisablehook = self._hook

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        if _importing(frame):
            _send_again()
        else:
            raise KeyboardInterrupt

    def _unraisable(self, unraisable: Any) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            _send_again()
        else:
            self._hook(unraisable)


def _importing(frame: FrameType | None) -> bool:
    """Whether an import is under way at `frame` or below it."""
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORT_SYSTEM):
            return True
        frame = frame.f_back
    return False


def _send_again() -> None:
    timer = threading.Timer(_AGAIN_SECONDS, _interrupt_main_thread)
    timer.daemon = True
    timer.start()


def _interrupt_main_thread() -> None:
    """Send SIGINT to the main thread, which also wakes it from waiting where signals can."""
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()
