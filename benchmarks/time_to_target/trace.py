"""What a search did over time: when start-up was over, and every network that ended its epochs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FILE = "trace.jsonl"
ROUNDING = 1e-6
"""Errors are kept as float32."""


@dataclass(frozen=True)
class Ended:
    """A network that trained its last epoch.

    Attributes:
        at: seconds since 1970 when its score was known.
        error: dev error after the last epoch.
    """

    at: float
    error: float


@dataclass(frozen=True)
class Trace:
    """A search.

    Attributes:
        ready: seconds since 1970 when start-up was over; None when that never came.
        ended: the networks, in any order.
    """

    ready: float | None = None
    ended: tuple[Ended, ...] = ()


def read_trace(folder: Path) -> Trace:
    """Return what a peer wrote so far; a last line that is still being written is left out."""
    file = folder / FILE
    if not file.exists():
        return Trace()
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    lines = [json.loads(line) for line in whole.splitlines()]
    ready = [line["ready"] for line in lines if "ready" in line]
    ended = tuple(Ended(line["at"], line["error"]) for line in lines if "at" in line)
    return Trace(min(ready, default=None), ended)


def lines_written(folder: Path, threshold: float) -> int:
    """Return how long a peer's trace is, whatever the threshold: it is short enough to be read."""
    del threshold
    file = folder / FILE
    return file.stat().st_size if file.exists() else 0


def reaches(error: float, threshold: float) -> bool:
    """Return whether a dev error is an accuracy of at least `threshold`.

    >>> reaches(0.025, 0.975), reaches(0.0251, 0.975)
    (True, False)
    """
    return error <= 1.0 - threshold + ROUNDING


def first_time(ended: Sequence[Ended], threshold: float, began: float, cap: float) -> float | None:
    """Return the seconds until the first network reached a threshold, or None for a censored run.

    Args:
        ended: the networks.
        threshold: dev accuracy.
        began: seconds since 1970 at which the clock started.
        cap: a network that ended later than so many seconds does not count.
    """
    found = [one.at - began for one in ended if reaches(one.error, threshold)]
    return min((seconds for seconds in found if seconds <= cap), default=None)
