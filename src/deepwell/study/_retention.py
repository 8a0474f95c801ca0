"""Which networks' last states are kept for good: of the best one, of the k best, or of all.

What a state holds is all that training on needs, and the best weights. The best ones so far stay in
memory until the study ends, and with it in its checkpoints, and are written once; where all are
kept each is written when its training ends.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.execution._local import LocalEngine
from deepwell.records import Status, Trial
from deepwell.search.schedulers._across_folds import configurations
from deepwell.search.spaces._distribution import plain
from deepwell.storage._kept_state import CHECKPOINT

if TYPE_CHECKING:
    from ._history import History

BEST, ALL = "best", "all"
_COUNT = IntegerInterval(1, 100_000)


def checked_checkpoints(choice: object) -> str | int:
    """Return whose last states are kept: `best`, `all`, or of how many of the best networks.

    >>> checked_checkpoints("3")
    3

    Raises:
        UsageError: when it is none of these.
    """
    value = plain(choice)
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if value in (BEST, ALL) or (isinstance(value, int) and _COUNT.accepts(value)):
        return value
    raise UsageError(
        f"`checkpoints` must be best, all, or a number {_COUNT.describe()}, "
        f"got {safe_text(repr(value))}; use 3 to keep the states of the three best networks"
    )


def most_kept(config: Mapping[str, Any]) -> int | None:
    """Return of how many of the best networks a study keeps the states; None for all."""
    choice = config.get("checkpoints", BEST)  # which studies of before have not
    return None if choice == ALL else 1 if choice == BEST else int(choice)


class Retention:
    """Keeps the last states of one study's networks.

    Args:
        history: the study.
        engine: has the states.
    """

    def __init__(self, history: History, engine: LocalEngine) -> None:
        self._store, self._study = history.store, history.record.id
        self._engine = engine
        self._most = most_kept(history.record.config)
        self._folds = history.folds
        self._settled: set[int] = set()

    def settled(self, numbers: Iterable[int]) -> None:
        """Keep the states of trials that train no further, where all are kept.

        To be called before they are dropped.
        """
        if self._most is None:
            new = sorted(set(numbers).difference(self._settled))
            self._keep(new)
            self._settled.update(new)

    def concluded(self, trials: Sequence[Trial]) -> None:
        """Keep what is to be kept at the end, in place of what an earlier end kept.

        Args:
            trials: all of the study.
        """
        if self._most is None:
            self._keep([t.number for t in trials if t.epochs])
            return
        before = self._store.states.of(self._study, CHECKPOINT)
        wanted = self._best(trials, self._most, {state.trial for state in before})
        self._keep(wanted)
        old = [state for state in before if state.trial not in wanted]
        if old:
            self._store.states.drop(self._study, old)

    def _keep(self, numbers: Sequence[int]) -> None:
        held = self._engine.states(numbers)
        states = {(n, int(held[n]["epoch"])): dict(held[n]) for n in numbers if n in held}
        if not states:
            return
        kept = self._store.states.keep(self._study, states, CHECKPOINT)
        ends = {state.trial: state.epoch for state in kept}
        known = self._store.states.of(self._study, CHECKPOINT)
        old = [s for s in known if ends.get(s.trial, s.epoch) != s.epoch]
        if old:  # where the trial had ended before it went on
            self._store.states.drop(self._study, old)

    def _best(self, trials: Sequence[Trial], most: int, kept: Collection[int]) -> list[int]:
        """Return the numbers of the best trials, with folds all folds of the best ones.

        Args:
            trials: all of the study.
            most: how many.
            kept: trials whose states are kept already, of which the engine need not have them.
        """
        if self._folds:
            ranked = sorted(configurations(trials, self._folds), key=Trial.rank_key)
            first = {c.number // self._folds for c in ranked[:most] if math.isfinite(c.score)}
            return [t.number for t in trials if t.epochs and t.number // self._folds in first]
        scored = [t for t in trials if math.isfinite(t.score) and t.status is not Status.FAILED]
        ranked = [t.number for t in sorted(scored, key=Trial.rank_key)]
        held = self._engine.states(ranked)
        good = (n for n in ranked if n in kept or (n in held and _has_best(held[n])))
        return list(islice(good, most))


def _has_best(state: Mapping[str, np.ndarray]) -> bool:
    return bool(np.isfinite(state["best_score"]))
