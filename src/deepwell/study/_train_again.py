"""The best networks of a study's earlier end, trained again so that they can be compared.

When a study ends, only the chosen network is kept. One that goes on afterwards needs those that
may be chosen still, or that tell how much of the choice was luck. A trial's curve depends on its
configuration alone, so trained again it is the network that it was; nothing of it is recorded
twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from deepwell.execution._local import LocalEngine
from deepwell.records import Status, Trial
from deepwell.search.schedulers._across_folds import configurations

from ._contenders import Contenders
from ._history import History
from ._probing import prepare_again

MOST = 8
"""Of the best networks so many are looked at; those of them that are gone are trained again."""


def train_again(
    engine: LocalEngine,
    history: History,
    contenders: Contenders,
    before: int,
    stop: Callable[[], bool],
) -> None:
    """Train again what of the study's best networks is from before it went on.

    Args:
        engine: that trains them, and keeps their states.
        history: of the study.
        contenders: hear what they say.
        before: trials that were there then; 0 does nothing.
        stop: asked between chunks; once it says so, only the very best one is trained.
    """
    if before == 0:
        return
    wanted = _gone(engine, history, before, 1 if stop() else MOST)
    for trial in wanted:
        prepare_again(engine, history, trial)
    needed = {trial.number for trial in _gone(engine, history, before, 1)}
    for epochs in sorted({trial.epochs for trial in wanted}):
        numbers = [trial.number for trial in wanted if trial.epochs == epochs]
        vital = not needed.isdisjoint(numbers)  # without them there would be no outcome
        for chunk in engine.train(numbers, epochs, _never if vital else stop):
            contenders.see(chunk)
        contenders.keep(numbers)


def _gone(engine: LocalEngine, history: History, before: int, most: int) -> list[Trial]:
    """Return those of the best trials that are older than this and have no state."""
    trials = [t for t in history.trials() if t.status is not Status.FAILED]
    folds = trials[0].spec.folds if trials else 0
    among = configurations(trials, folds) if folds else trials
    ranked = sorted((t for t in among if math.isfinite(t.score)), key=Trial.rank_key)
    best = {t.number for t in ranked[: 1 if folds else most]}
    chosen = [t for t in trials if t.number < before and _first(t.number, folds) in best]
    held = engine.states([t.number for t in chosen])
    return [t for t in chosen if t.number not in held]


def _first(number: int, folds: int) -> int:
    """Return the number by which the trial's configuration is known."""
    return number // folds * folds if folds else number


def _never() -> bool:
    return False
