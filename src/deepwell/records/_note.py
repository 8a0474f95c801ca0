"""What people write down about studies and trials."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Note:
    """A note of a person.

    Attributes:
        id: by which it is removed.
        trial: the trial's number, or None for a note on the study.
        time: seconds since 1970, UTC.
        text: as it was written.
    """

    id: int
    trial: int | None
    time: float
    text: str


@dataclass(frozen=True)
class Tag:
    """A word by which a study or a trial is found again; `trial` is None for the study's own."""

    trial: int | None
    name: str
