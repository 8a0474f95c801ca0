"""Rows of a study that have the same inputs as the network sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepwell.data._data import Data
from deepwell.data._mapped import read_rows
from deepwell.diagnosis._best_possible import BestPossible, Rival, given_best
from deepwell.diagnosis._metrics import Metric
from deepwell.diagnosis._repeated_rows import RepeatedRows, floor_of, repeated_rows

from ._evaluate import targets
from ._settings import Settings

_MOST_CELLS = 500_000  # rows x inputs that are looked at: some 20 ms at most


def repeats_of(data: Data, metric: Metric) -> RepeatedRows | None:
    """Return what repeated train and dev rows bound; None where rows count differently.

    Of large data a random part is looked at, in which fewer rows repeat: a bound stays one.
    """
    once = data.train is data.dev  # all rows of a cross-validated study, each of them both
    parts = (data.train,) if once else (data.train, data.dev)
    weight = np.concatenate([rows.weight for rows in parts])
    if np.ptp(weight) > 0:
        return None
    n = len(weight)
    most = max(1_000, _MOST_CELLS // max(1, data.train.x.shape[1]))
    chosen = np.arange(n)
    if n > most:
        generator = np.random.default_rng(data.facts.split_seed)
        chosen = np.sort(generator.choice(n, most, replace=False))
    train = chosen[chosen < len(data.train)]
    dev = chosen[len(train) :] - len(data.train)
    x = np.concatenate([read_rows(data.train.x, train), data.dev.x[dev]])
    y = np.concatenate([targets(data, rows) for rows in parts])[chosen]
    return repeated_rows(metric, x, y, len(data.task.classes))


def best_possible(
    settings: Settings,
    repeats: RepeatedRows | None,
    rival: Rival | None = None,
    *,
    no_signal: bool = False,
    people: BestPossible | None = None,
) -> BestPossible:
    """Return what is known about the best possible score: what a person said, and the bounds.

    Args:
        settings: of the study.
        repeats: rows with the same inputs, None where they tell nothing.
        rival: the best of other models.
        no_signal: whether no model is clearly better than the constant guess.
        people: what those reach who labeled the rows; a score that was given goes before it.
    """
    floor = None if repeats is None else floor_of(repeats)
    best = BestPossible(floor=floor, rival=rival, no_signal=no_signal)
    if settings.best_possible is None:
        if people is None:
            return best
        return replace(best, score=people.score, source=people.source, gap=people.gap)
    given = given_best(settings.best_possible)
    return replace(best, score=given.score, source=given.source)
