"""A checkpoint as the store knows it: where a study stood, and which files hold its states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class CheckpointRecord:
    """The one checkpoint of a study that counts.

    Attributes:
        seconds: working time of the study until then.
        first_trial: trials from this number on are kept as they stood; older ones move no more.
        details: where the study stood and its files with their hashes, plain values.
    """

    seconds: float
    first_trial: int
    details: Mapping[str, object] = field(default_factory=dict[str, object])


@dataclass(frozen=True)
class Repeated:
    """What was recorded after a checkpoint and taken back, to be trained and recorded again.

    Attributes:
        epochs: member-epochs.
        seconds: working time from the checkpoint to the last record.
    """

    epochs: int
    seconds: float
