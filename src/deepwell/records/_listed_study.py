"""A study of a store at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepwell._base._hyperparameters import Value

from ._estimate import Estimate


@dataclass(frozen=True)
class ListedStudy:
    """One study of a store.

    Attributes:
        name: of the study.
        created: seconds since 1970, UTC.
        state: `running`, `finished`, `stopped` or `failed`; `interrupted` where its process is
            gone without a word, which `resume` goes on with.
        source: where its data came from.
        networks: trials so far.
        metric: what its networks are compared by; label: its name for people; percent: whether it
            is a share.
        dev: the best network's score with its interval; None without a result.
        best: hyperparameters of the best network; empty without a result.
        seconds: working time.
        tags: of the study.
        notes: how many there are, on the study and its trials.
        parent: the study that it improves, and by what, in words.
    """

    name: str
    created: float
    state: str
    source: str
    networks: int
    metric: str
    label: str
    percent: bool
    dev: Estimate | None
    best: Mapping[str, Value]
    seconds: float
    tags: tuple[str, ...]
    notes: int
    parent: str
