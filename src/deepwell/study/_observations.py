"""Trials as samplers see them."""

from __future__ import annotations

import math

from deepwell.records import Observation, Status, Trial


def observed(trial: Trial) -> Observation:
    """Return a trial, or a configuration over its folds, as samplers see it."""
    scored = trial.status.over or trial.epochs > 0
    return Observation(
        values=trial.spec.hyperparameters,
        score=trial.score if scored else math.nan,
        cost=trial.cost if scored else math.nan,
        epochs=trial.epochs,
        finished=trial.status in (Status.FINISHED, Status.EARLY_STOPPED),
    )
