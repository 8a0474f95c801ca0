"""Trials as samplers see them."""

from __future__ import annotations

import math

from deepwell.records import Observation, Status, Trial

_BY_THEMSELVES = (Status.FINISHED, Status.EARLY_STOPPED, Status.DIVERGED, Status.FAILED)


def observed(trial: Trial) -> Observation:
    """Return a trial, or a configuration over its folds, as samplers see it.

    That there is no score is a score, the worst, only of one that ended by itself: what was cut
    short before it had one could have come to any.
    """
    reached = trial.epochs > 0 and math.isfinite(trial.score)
    scored = reached or trial.status in _BY_THEMSELVES
    return Observation(
        values=trial.spec.hyperparameters,
        score=trial.score if scored else math.nan,
        cost=trial.cost if scored else math.nan,
        epochs=trial.epochs,
        finished=trial.status in (Status.FINISHED, Status.EARLY_STOPPED),
    )


def untried(trial: Trial) -> bool:
    """Return whether a trial, or a configuration, was cut short before it had a score.

    Nothing is known of it and nothing will come, so that it may be proposed once more.
    """
    return trial.status is Status.INTERRUPTED and observed(trial).pending
