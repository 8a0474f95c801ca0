"""Something that another process asks of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Request:
    """What was asked; the run takes it up between two epochs and records what came of it.

    Attributes:
        id: of the request.
        time: when it was made, seconds since 1970, UTC.
        kind: `nudge`, `pause`, `resume`, `snapshot`, `rollback`, `fork`, `stop`, `extend`,
            `narrow`.
        trial: the trial's number, or None when it concerns the study.
        details: plain values that JSON can hold.
        taken: when the run took it up, None as long as it has not.
    """

    id: int
    time: float
    kind: str
    trial: int | None = None
    details: Mapping[str, object] = field(default_factory=dict[str, object])
    taken: float | None = None
