"""A study that trains in this process or another one, changed by hand while it does."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag
from deepwell.records import Request
from deepwell.storage._deed import REFUSE
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._asked import from_config
from ._budget import parse_budget
from ._more import More, checked_trials, way_from_plain, way_to_plain
from ._paused import is_paused
from ._scene import scene_of
from ._settings import check_changes_come
from ._sight import Sight, sight_of
from ._standing import runner_of
from ._values_asked import asked_copies, asked_values
from .acts._registry import ACTS

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

WAIT_SECONDS = 5.0
_POLL_SECONDS = 0.03
_NEEDS_RUN = ("pause", "resume")
_EPOCHS = IntegerInterval(1, 1_000_000)


@dataclass(frozen=True)
class Answer:
    """What came of a request.

    Attributes:
        study: its name.
        act: what was asked, as in `nudge`.
        trial: of which network, None for all or the study.
        done: whether the run has done it.
        epoch: after which it took effect; None as long as it has not.
        details: what the event says, empty as long as there is none.
        runner: who runs the study, in words; None when nobody does.
    """

    study: str
    act: str
    trial: int | None
    done: bool
    epoch: int | None
    details: Mapping[str, Any]
    runner: str | None


class LiveStudy:
    """A study that is not finished, to be changed by hand from any thread or process.

    Each method asks the run, which does it at the end of the epoch at work, and waits a moment for
    the answer. What no run is there to do waits until the study goes on (`deepwell.resume`).

    >>> import deepwell as dw                                  # doctest: +SKIP
    >>> live = dw.open_live("churn")                           # doctest: +SKIP
    >>> live.nudge(learning_rate="x0.5").epoch                 # doctest: +SKIP
    17

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.
        wait: seconds to wait for an answer of the run.

    Raises:
        UsageError: when there is no such study.
    """

    def __init__(
        self, name: str, store: str | Path | None = None, *, wait: float = WAIT_SECONDS
    ) -> None:
        self._store = store
        self._wait = wait
        with open_store(store, create=False) as opened:
            self.name = opened.study(name).name

    def nudge(self, trial: int | None = None, **values: object) -> Answer:
        """Give a network other numbers from its next epoch on.

        >>> live.nudge(3, learning_rate="x0.5", dropout=0.2)   # doctest: +SKIP

        Args:
            trial: number of the network; None for all that train.
            values: hyperparameter -> value, or a factor on what it is, as in `"x0.5"`. What can
                change is what `change` takes: rates, penalties, momentum and the like.

        Raises:
            UsageError: when it cannot be done, in one sentence.
        """
        if not values:
            raise UsageError("a nudge needs a new value, as in learning_rate=x0.5")
        return self._ask("nudge", trial, {"changes": asked_values(values)})

    def pause(self) -> Answer:
        """Let the run hold its networks after the epoch at work; its time budget stands still."""
        return self._ask("pause", None, {})

    def resume(self) -> Answer:
        """Let a run that is paused go on."""
        return self._ask("resume", None, {})

    def snapshot(self, trial: int | None = None) -> Answer:
        """Keep the whole state of a network, or of all that train, in a file.

        `rollback` goes back to it at once, and `replay` compares with it.

        Args:
            trial: number of the network; None for all that train.

        Raises:
            UsageError: when it cannot be done.
        """
        return self._ask("snapshot", trial, {})

    def rollback(self, trial: int, to: int | None = None, **values: object) -> Answer:
        """Let a copy of a network go on from an earlier epoch, in its place.

        What was changed by hand since then is undone in the copy. `details["copy"]` is its number.

        Args:
            trial: number of the network; it may have diverged or stopped early.
            to: an epoch that it has ended; None takes its newest snapshot, or else its best epoch.
                Where no snapshot is kept the copy is trained again up to there, to the bit.
            values: what the copy changes there, as for `nudge`.

        Raises:
            UsageError: when it cannot be done.
        """
        return self._ask("rollback", trial, {"to": to, "changes": asked_values(values)})

    def fork(
        self, trial: int, into: int | None = None, epochs: int | None = None, **values: object
    ) -> Answer:
        """Let copies of a network with other numbers race in its place; the best one goes on.

        >>> live.fork(3, learning_rate=["x0.5", "x1", "x2"])   # doctest: +SKIP

        Args:
            trial: number of the network.
            into: how many copies, 2 to 64; None for as many as values are listed.
            epochs: for which they race; None for a tenth of the network's. Then the one with the
                best dev score since the fork goes on, and the others are pruned.
            values: hyperparameter -> one value or factor a copy, in a list, or one for all.

        Raises:
            UsageError: when it cannot be done.
        """
        if epochs is not None and not _EPOCHS.accepts(epochs):
            raise UsageError(f"`epochs` of a race must be {_EPOCHS.describe()}, got {epochs!r}")
        return self._ask("fork", trial, {"copies": asked_copies(into, values), "race": epochs})

    def stop(self, trial: int | None = None) -> Answer:
        """Stop a network, or the run as Ctrl-C does: the best network is kept.

        Args:
            trial: number of the network; None stops the run.

        Raises:
            UsageError: when it cannot be done.
        """
        return self._ask("stop", trial, {})

    def extend(
        self,
        *,
        trials: int | None = None,
        epochs: int | None = None,
        budget: str | float | None = None,
    ) -> Answer:
        """Ask a study for more before it has ended.

        Args:
            trials: further configurations, proposed when those that were planned are done.
            epochs: further epochs for the networks that train.
            budget: working time from now on, such as `60s` or `5m`, or seconds.

        Raises:
            UsageError: when nothing is asked for, or it cannot be done.
        """
        details = {
            "trials": checked_trials(trials),
            "epochs": epochs,
            "budget": parse_budget(budget),
        }
        if all(value is None for value in details.values()):
            raise UsageError("say what to extend: trials, epochs or a budget")
        if epochs is not None and not _EPOCHS.accepts(epochs):
            raise UsageError(f"`epochs` must be {_EPOCHS.describe()}, got {epochs!r}")
        return self._ask("extend", None, details)

    def narrow(
        self,
        space: Mapping[str, object] | None = None,
        *,
        constraints: Sequence[str] = (),
        search: str | None = None,
    ) -> Answer:
        """Change the space or the sampler of the networks that are still to be proposed.

        Args:
            space: entries that take the place of the space's, or join them.
            constraints: what must hold from now on, beside the space's own constraints.
            search: the sampler from now on.

        Raises:
            UsageError: when nothing is asked for, or the new space cannot be.
        """
        more = More(space=space, constraints=constraints, search=search)
        if not more.changes:
            raise UsageError("say what to change: entries of the space, constraints or the sampler")
        with open_store(self._store, create=False) as opened:
            record = opened.study(self.name)
            settings = from_config(record).settings
            for one in opened.requests.waiting(record.id):  # what was asked before holds by then
                if one.kind == "narrow":
                    settings = way_from_plain(one.details).settings(settings)
            check_changes_come(more.settings(settings).space)
        return self._ask("narrow", None, way_to_plain(more))

    def runner(self) -> str | None:
        """Return who runs the study, in words; None when nobody does."""
        with open_store(self._store, create=False) as opened:
            return runner_of(opened, opened.study(self.name))

    def paused(self) -> bool:
        """Whether a run of the study is there and waits for `resume`."""
        with open_store(self._store, create=False) as opened:
            return is_paused(opened, opened.study(self.name))

    def seen(self) -> Sight:
        """Return how the study stands now, as `deepwell show NAME --follow` tells it."""
        with open_store(self._store, create=False) as opened:
            return sight_of(opened, opened.study(self.name))

    def _ask(self, kind: str, trial: int | None, details: Mapping[str, object]) -> Answer:
        with open_store(self._store, create=False) as opened:
            record = opened.study(self.name)
            self._check(opened, record, kind, trial, details)
            request = opened.requests.ask(record.id, kind, trial, details)
            return self._answer(opened, record, request)

    def _check(
        self,
        opened: Store,
        record: StudyRecord,
        kind: str,
        trial: int | None,
        details: Mapping[str, object],
    ) -> None:
        name, live = safe_text(record.name), runner_of(opened, record) is not None
        if record.status == "finished":
            raise UsageError(
                f"study {name} has ended, so there is nothing to {kind}; "
                f"deepwell resume {name}{store_flag(self._store)} --trials N trains more networks"
            )
        if not live and (kind in _NEEDS_RUN or (kind == "stop" and trial is None)):
            raise UsageError(
                f"no run of study {name} is live; "
                f"deepwell resume {name}{store_flag(self._store)} goes on with it"
            )
        if kind == "resume" and not is_paused(opened, record):
            raise UsageError(f"the run of study {name} is not paused; it trains")
        asked = Request(0, time.time(), kind, trial, details)
        ACTS[kind].check(scene_of(opened, record), asked)

    def _answer(self, opened: Store, record: StudyRecord, request: Request) -> Answer:
        until = time.monotonic() + self._wait
        kinds = {ACTS[request.kind].event, REFUSE}
        event, runner = None, runner_of(opened, record)
        while event is None and runner is not None and time.monotonic() < until:
            time.sleep(_POLL_SECONDS)
            event = opened.requests.outcome(record.id, request, kinds)
            runner = runner_of(opened, record)
        if event is None:  # the run may have answered with its last breath
            event = opened.requests.outcome(record.id, request, kinds)
        told: Any = {} if event is None else event.details
        if event is not None and event.kind == REFUSE:
            raise UsageError(str(told["why"]))
        done = event is not None
        return Answer(self.name, request.kind, request.trial, done, told.get("epoch"), told, runner)


def open_live(
    name: str, store: str | Path | None = None, *, wait: float = WAIT_SECONDS
) -> LiveStudy:
    """Return a study that is not finished, to be changed by hand while it trains.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.
        wait: seconds to wait for each answer of the run.

    Raises:
        UsageError: when there is no such study.
    """
    return LiveStudy(name, store, wait=wait)
