"""Something a person or a scheduler did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Event:
    """One act, in the order in which it was recorded.

    Attributes:
        time: seconds since 1970, UTC.
        kind: `propose`, `plan`, `promote`, `prune`, `fork`, `finish`, `interrupt`, `resume`, ...
        trial: the trial's number, or None when the act concerns the study.
        details: plain values that JSON can hold.
    """

    time: float
    kind: str
    trial: int | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
