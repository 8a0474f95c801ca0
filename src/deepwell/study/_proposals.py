"""From a sampler's proposals to specifications: seeds by the trial's number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from deepwell._base._hash import Purpose, fold, key, words
from deepwell._base._hyperparameters import Value
from deepwell.records import Trial, TrialSpec
from deepwell.search.samplers._registry import SAMPLERS

from ._settings import Settings


def propose(
    settings: Settings, history: Sequence[Trial], n: int, population: int
) -> dict[int, TrialSpec]:
    """Return the next `n` specifications, numbered on from the history.

    What is proposed depends on the study's seed, the round and the recorded history alone.
    Each trial has its own seed for weights and masks; all share the mini-batch order, so that
    differences between them are differences of configuration. In a cross-validated study each
    configuration is a trial a fold, with numbers in a row and the same seed.
    """
    sampler = SAMPLERS[settings.search]
    sequence = np.random.SeedSequence([settings.seed, population])
    folds = settings.folds
    once = history[::folds] if folds else history
    proposals = sampler(settings.space, once, n, sequence)
    first = len(history)
    if not folds:
        return {
            first + i: specification(settings.seed, first + i, values)
            for i, values in enumerate(proposals)
        }
    return {
        first + i * folds + fold: replace(
            specification(settings.seed, first // folds + i, values), fold=fold + 1, folds=folds
        )
        for i, values in enumerate(proposals)
        for fold in range(folds)
    }


def specification(seed: int, number: int, values: Mapping[str, Value]) -> TrialSpec:
    """Return the specification of one trial of a study with this seed."""
    drawn = int(words(fold(fold(key(seed), Purpose.TRIALS), number), (1,))[0])
    return TrialSpec(dict(values), seed=drawn, order_seed=seed)
