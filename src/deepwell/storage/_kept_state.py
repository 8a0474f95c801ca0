"""A state of a network that is kept for good, as its row has it."""

from __future__ import annotations

from dataclasses import dataclass

FOLDER = ".states"
"""Beside the studies' folders; no study can have this name."""

CHECKPOINT, SNAPSHOT, BEST = "checkpoint", "snapshot", "best"
"""Kinds: where a network ended, where a person asked for it, where it was best."""


@dataclass(frozen=True, order=True)
class KeptState:
    """A state that is kept.

    Attributes:
        trial: its number.
        epoch: epochs that it has behind it.
        kind: `checkpoint`, `snapshot` or `best`.
        hash: sha256 of its file, in hexadecimal.
        bytes: size of the file.
    """

    trial: int
    epoch: int
    kind: str
    hash: str
    bytes: int
