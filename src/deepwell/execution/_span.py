"""Wall time of work that several threads share."""

from __future__ import annotations

import threading
import time


class Span:
    """Wall time during which at least one of several threads is at work; each enters it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = 0
        self._began = self._total = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._working:
                self._began = time.perf_counter()
            self._working += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._working -= 1
            if not self._working:
                self._total += time.perf_counter() - self._began

    def seconds(self) -> float:
        """Return the time of all work that has ended."""
        with self._lock:
            return self._total
