"""What the trials of a study say about where to search on, and whether."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ._estimate import Estimate
from ._importance import Importance


@dataclass(frozen=True)
class EdgeOfRange:
    """How the best trials lie along one searched range, seen from one of its ends.

    Attributes:
        name: the hyperparameter.
        upward: whether it is the upper end.
        end: its value, as text.
        wider: a range that goes on beyond it, as text; empty where it may not be passed.
        best: how many of the best trials were looked at; nearby: of them in the outer tenth.
        tried: share of all trials in the outer tenth.
        p_value: chance that as many trials, drawn from those tried, lie so near to the end.
        certainty: probability that the best value, with all else as in the best trials, lies in
            the outer tenth, or is the last one of a few.
        holds: whether the best trials pile up there: the chance is below 1 % over all ends that
            were looked at, the certainty is at least 0.8, and the hyperparameter makes at least a
            twentieth of the differences, by the lower end of the interval.
    """

    P_VALUE: ClassVar[float] = 0.01
    CERTAINTY: ClassVar[float] = 0.8
    SHARE: ClassVar[float] = 0.05

    name: str
    upward: bool
    end: str
    wider: str
    best: int
    nearby: int
    tried: float
    p_value: float
    certainty: float
    holds: bool


@dataclass(frozen=True)
class NextRange:
    """What to do with one hyperparameter when the search goes on.

    Attributes:
        name: the hyperparameter.
        share: of the differences between scores that it makes, with its interactions.
        entry: the range or value to search on with, as text.
        fixed: whether that is a single value, since it hardly matters.
    """

    name: str
    share: Estimate
    entry: str
    fixed: bool


@dataclass(frozen=True)
class Outlook:
    """What one more round of networks is expected to bring.

    Attributes:
        networks: of the round.
        gain: expected drop of the best network's true score, in the metric's unit.
        threshold: gain from which on it pays.
        spread: standard error of the best dev score.
        pays: whether it is expected to pay; None where that cannot be told.
        why: the reason, in words.
    """

    networks: int
    gain: Estimate
    threshold: float
    spread: float
    pays: bool | None
    why: str


@dataclass(frozen=True)
class Searched:
    """What the trials of a study say about its search.

    Attributes:
        importance: of each hyperparameter.
        edges: of the ranges whose ends may be passed, the likeliest to hold the best first.
        next: what to change about the ranges.
        outlook: of one more round.
    """

    importance: Importance
    edges: tuple[EdgeOfRange, ...]
    next: tuple[NextRange, ...]
    outlook: Outlook
