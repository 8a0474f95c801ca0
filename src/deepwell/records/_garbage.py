"""What a store holds that nothing needs any more."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Garbage:
    """One thing that `gc` removes.

    Attributes:
        what: in words, as in `study churn-2, deleted 2026-10-01`.
        bytes: that it takes on the disk.
        path: where it lies as seen from the store's folder, an empty string for what is inside the
            database.
    """

    what: str
    bytes: int
    path: str
