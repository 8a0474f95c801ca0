"""From a sampler's proposals to specifications: seeds by the trial's number."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from deepwell._base._hash import Purpose, fold, key, word
from deepwell.records import Observation, Status, Trial, TrialSpec
from deepwell.search.samplers._named import sampler_named
from deepwell.search.schedulers._across_folds import configurations

from ._settings import Settings


def propose(
    settings: Settings,
    history: Sequence[Trial],
    n: int,
    population: int,
    total: int | None = None,
) -> dict[int, TrialSpec]:
    """Return the next `n` specifications, numbered on from the history.

    What is proposed depends on the study's seed, the round and the recorded history alone.
    Each trial has its own seed for weights and masks; all share the mini-batch order, so that
    differences between them are differences of configuration. In a cross-validated study each
    configuration is a trial a fold, with numbers in a row and the same seed.

    Args:
        settings: of the study.
        history: all trials so far.
        n: configurations that are wanted.
        population: number of the round, counted from 0.
        total: configurations of the whole study, where that is known.
    """
    sampler = sampler_named(settings.search).planned(total)
    sequence = np.random.SeedSequence([settings.seed, population])
    folds = settings.folds
    views = range(1, folds + 1) if folds else (0,)
    told = configurations(history, folds) if folds else history
    proposals = sampler(settings.space, [observed(trial) for trial in told], n, sequence)
    first = len(told)  # configurations, as the seeds are counted
    seeds = trial_seeds(settings.seed, range(first, first + len(proposals)))
    specs = (
        TrialSpec(dict(values), seed, order_seed=settings.seed, fold=view, folds=folds)
        for seed, values in zip(seeds, proposals, strict=True)
        for view in views
    )
    return dict(enumerate(specs, start=len(history)))


def region(settings: Settings, history: Sequence[Trial]) -> Mapping[str, str]:
    """Return where most of the next proposals lie, in words, if the sampler has such a place."""
    place = sampler_named(settings.search).region
    if place is None:
        return {}
    told = configurations(history, settings.folds) if settings.folds else history
    return place(settings.space, [observed(trial) for trial in told])


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


def trial_seeds(seed: int, numbers: Sequence[int]) -> list[int]:
    """Return the seed of each of these trials of a study with this seed."""
    of_trials = fold(fold(key(seed), Purpose.TRIALS), np.array(numbers, np.uint32))
    return word(fold(of_trials, 0), 0).tolist()
