"""Studies and trials held against each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ._estimate import Estimate


@dataclass(frozen=True)
class Compared:
    """One of the studies or trials that are compared.

    Attributes:
        name: of the study, or `churn/12` for its trial 12.
        metric: what its networks are compared by; label: its name for people; percent: whether it
            is a share.
        train: score on the train rows with its interval, None for a trial.
        dev: the same on the dev rows; the ends are NaN where no interval can be told.
        networks: trials of the study.
        seconds: its working time.
        openings: how often its test set has been opened.
    """

    name: str
    metric: str
    label: str
    percent: bool
    train: Estimate | None
    dev: Estimate
    networks: int
    seconds: float
    openings: int


@dataclass(frozen=True)
class Contrast:
    """How far one of them is from the best.

    Attributes:
        name: of the one.
        change: its dev score minus that of the best, above 0 where it is worse; None where the two
            cannot be compared.
        clear: whether the interval leaves out 0.
        paired: whether both networks were scored on the same dev rows, row by row.
        how: what the figure rests on, or why there is none, in words.
    """

    name: str
    change: Estimate | None
    clear: bool
    paired: bool
    how: str


@dataclass(frozen=True)
class Comparison:
    """Two or more studies or trials, held against the best of them.

    Attributes:
        compared: in the order in which they were named.
        best: the one with the lowest dev score of its metric, an empty string where metrics differ.
        contrasts: the others against it.
        differing: what they were asked to do, or are, otherwise: name -> one text each, `-` where
            it is not set.
    """

    compared: tuple[Compared, ...]
    best: str
    contrasts: tuple[Contrast, ...]
    differing: Mapping[str, tuple[str, ...]]
