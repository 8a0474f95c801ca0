"""Trials scored after the same number of epochs, so that a scheduler's stops do not count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepwell.records import Status, Trial

_BY_THEMSELVES = (Status.FINISHED, Status.EARLY_STOPPED, Status.DIVERGED)


def at_equal_epochs(trials: Sequence[Trial]) -> tuple[list[Trial], int]:
    """Return the trials that can be compared, each with its score by then, and the epochs.

    A scheduler stops the worse trials early, and what trains longer scores better for that alone.
    So the score of every trial is the best one that it had by the epoch at which the first ones
    were stopped, where all of them still trained: what it reached later is not looked at. One that
    ended before by itself has the score that it ended with.

    Trials that the clock or a person cut short count where they came as far, as long as those are
    most of them; otherwise the comparison is made where the least of them came to. Trials that did
    not fit in memory are left out.

    Args:
        trials: with their curves where any was stopped early; one without has its final score.

    Returns:
        The trials in their order, and the epochs; 0 where nothing was stopped early, so that each
        one counts at its own end.
    """
    ended = [t for t in trials if t.status in _BY_THEMSELVES]
    pruned = [t for t in trials if t.status is Status.PRUNED]
    cut = [t for t in trials if t.status is Status.INTERRUPTED and t.epochs]
    epochs = min((t.epochs for t in pruned), default=0)
    far = [t for t in cut if epochs and t.epochs >= epochs]
    if 2 * (len(cut) - len(far)) > len(ended) + len(pruned) + len(cut):
        epochs = min(t.epochs for t in (*cut, *pruned))
        far = cut
    wanted = {t.number for t in (*ended, *pruned, *far)}
    kept = [t for t in trials if t.number in wanted]
    return ([_by(t, epochs) for t in kept] if epochs else kept), epochs


def _by(trial: Trial, epochs: int) -> Trial:
    """Return a trial with the best score that it had after some epochs."""
    if trial.epochs <= epochs or "dev_score" not in trial.curves:
        return trial
    scores = np.asarray(trial.curves["dev_score"], np.float64)[:epochs]
    known = np.where(np.isnan(scores), np.inf, scores)
    best = int(known.argmin())
    return replace(trial, score=float(known[best]), best_epoch=best + 1, epochs=epochs)
