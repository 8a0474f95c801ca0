"""From a sampler's proposals to specifications: seeds by the trial's number."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._hash import Purpose, fold, key, word
from deepwell.records import Observation, Trial, TrialSpec
from deepwell.search.samplers._named import sampler_named
from deepwell.search.schedulers._across_folds import configurations

from ._asked import Asked
from ._given import Given
from ._observations import observed, untried
from ._settings import Settings
from ._warm import aligned


@dataclass(frozen=True)
class Known:
    """What is known beside the study's own trials.

    Attributes:
        first: configurations that come before what the sampler proposes.
        observations: of an earlier study.
        total: configurations that the sampler is planned for, where somebody said how many.
        copies: which of the trials are copies of others. They take numbers and are else passed
            over: nobody proposed them, and what they reached does not follow from the values that
            they were begun with.
    """

    first: tuple[Given, ...] = ()
    observations: tuple[Observation, ...] = ()
    total: int | None = None
    copies: Collection[int] = ()


def known_of(asked: Asked, history: Sequence[Trial], n: int, copies: Collection[int] = ()) -> Known:
    """Return what is known before a round of `n` configurations beside the study's own trials."""
    settings = asked.settings
    told = configurations(history, settings.folds) if settings.folds else history
    own = [trial for trial in told if trial.number not in copies]
    first = tuple(given for given in asked.given if given.after == len(own))[:n]
    if asked.warm is None:
        return Known(first, total=asked.points, copies=copies)
    seen = [observed(trial) for trial in own]
    return Known(first, aligned(asked.warm, settings.space, seen), asked.points, copies)


def propose(
    settings: Settings,
    history: Sequence[Trial],
    n: int,
    population: int,
    known: Known | None = None,
) -> dict[int, TrialSpec]:
    """Return the next `n` specifications, numbered on from the history.

    What is proposed depends on the study's seed, the round and the recorded history alone.
    Each trial has its own seed for weights and masks; all share the mini-batch order, so that
    differences between them are differences of configuration. In a cross-validated study each
    configuration is a trial a fold, with numbers in a row and the same seed.

    Args:
        settings: of the study.
        history: all trials so far.
        n: configurations.
        population: number of the round, counted from 0.
        known: what is known beside them.
    """
    known = known or Known()
    sampler = sampler_named(settings.search).planned(known.total)
    sequence = np.random.SeedSequence([settings.seed, population])
    folds = settings.folds
    views = range(1, folds + 1) if folds else (0,)
    first_tried = [dict(given.values) for given in known.first]
    seen = _seen(settings, history, known)
    rest = n - len(first_tried)
    proposals = first_tried + (sampler(settings.space, seen, rest, sequence) if rest else [])
    # Beyond all others; a study that was trained again after a kill may have left numbers out.
    number = 1 + max((trial.number for trial in history), default=-1)
    first = number // (folds or 1)  # configurations, as the seeds are counted
    seeds = trial_seeds(settings.seed, range(first, first + len(proposals)))
    kept = {trial.number: trial.spec.seed for trial in history}
    for place, given in enumerate(known.first):
        seeds[place] = seeds[place] if given.again is None else kept[given.again]
    specs = (
        TrialSpec(dict(values), seed, order_seed=settings.seed, fold=view, folds=folds)
        for seed, values in zip(seeds, proposals, strict=True)
        for view in views
    )
    return dict(enumerate(specs, start=number))


def region(
    settings: Settings, history: Sequence[Trial], known: Known | None = None
) -> Mapping[str, str]:
    """Return where most of the next proposals lie, in words, if the sampler has such a place."""
    place = sampler_named(settings.search).region
    return {} if place is None else place(settings.space, _seen(settings, history, known))


def _seen(settings: Settings, history: Sequence[Trial], known: Known | None) -> list[Observation]:
    """Return what samplers hear of: configurations, those that come first in this round last."""
    told = configurations(history, settings.folds) if settings.folds else history
    known = known or Known()
    own = (trial for trial in told if trial.number not in known.copies and not untried(trial))
    return [
        *known.observations,
        *(observed(trial) for trial in own),
        *(Observation(given.values) for given in known.first),
    ]


def trial_seeds(seed: int, numbers: Sequence[int]) -> list[int]:
    """Return the seed of each of these trials of a study with this seed."""
    of_trials = fold(fold(key(seed), Purpose.TRIALS), np.array(numbers, np.uint32))
    return word(fold(of_trials, 0), 0).tolist()
