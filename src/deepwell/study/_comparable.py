"""The trials of a study as observations that can be compared with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from deepwell.records import Observation, Status, Trial
from deepwell.search.importance._equal_epochs import at_equal_epochs
from deepwell.search.schedulers._across_folds import configurations

from ._observations import observed
from ._on_the_way import OnTheWay


def comparable(trials: Sequence[Trial], way: OnTheWay, folds: int) -> tuple[list[Observation], int]:
    """Return the trials as observations after equal epochs, and the epochs.

    Of a cross-validated study each configuration counts once, by its mean over the folds; one that
    lacks a fold, as where the clock came before it, has none and is left out.

    Args:
        trials: all of the study, with their curves.
        way: what was done to them. What copies and nudged ones reached does not follow from their
            values alone, so they are left out; those that a person ended count as cut short.
        folds: of a cross-validated study, 0 without.
    """
    own, epochs = at_equal_epochs([_cut(t, way) for t in trials if t.number not in way.altered])
    told = configurations(_whole(own, folds), folds) if folds else own
    return [observed(trial) for trial in told], epochs


def _cut(trial: Trial, way: OnTheWay) -> Trial:
    return replace(trial, status=Status.INTERRUPTED) if trial.number in way.ended else trial


def _whole(trials: Sequence[Trial], folds: int) -> list[Trial]:
    """Return the trials of those configurations that have all their folds."""
    there = Counter(trial.number // folds for trial in trials)
    return [trial for trial in trials if there[trial.number // folds] == folds]
