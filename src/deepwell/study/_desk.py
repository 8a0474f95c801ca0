"""The run's side of changes by hand: takes up between two epochs what other processes ask."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import DeepwellError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._batches import steps_per_epoch
from deepwell.execution._local import LocalEngine
from deepwell.records import ChunkRecord, Event, Request, Rung, Status, Trial, TrialSpec
from deepwell.storage._deed import Deed, refusal

from ._ahead import Ahead
from ._asked import Asked
from ._budget import Clock
from ._checkpoint import Checkpoints, Position
from ._history import ENDED, Bracket, History
from ._scene import Scene, scene_of, training
from .acts._act import Stand
from .acts._endings import Endings
from .acts._race import Races, decide
from .acts._registry import ACTS

if TYPE_CHECKING:
    from deepwell.training._program import State

_POLL_SECONDS = 0.1  # while the run is paused


class Desk:
    """Takes up requests and does them.

    Args:
        history: the study.
        engine: trains its networks.
        checkpoints: keep where it stands.
        clock: of all its runs.
        asked: what the study is asked to do.
        ahead: rounds that are planned.
        further: configurations that are asked for beyond them.

    Attributes:
        asked: what the study is asked to do, as requests have changed it.
        ahead: rounds that are planned.
        further: configurations that are asked for beyond them.
        paused: whether the run holds its networks.
        stopping: whether the run was asked to end.
        over: says whether it is to end, for whatever reason; asked while an act takes long.
    """

    def __init__(
        self,
        history: History,
        engine: LocalEngine,
        checkpoints: Checkpoints,
        clock: Clock,
        asked: Asked,
        ahead: Ahead,
        further: int,
    ) -> None:
        self.history = history
        self.engine = engine
        self.checkpoints = checkpoints
        self.clock = clock
        self.asked = asked
        self.ahead = ahead
        self.further = further
        self.paused = False
        self.stopping = False
        self.over: Callable[[], bool] = lambda: self.stopping
        self._rungs: tuple[Rung, ...] = ()
        self._members: frozenset[int] = frozenset()
        self._races = Races(history)
        self._endings = Endings(history)

    def due(self, chunk: ChunkRecord, waiting: bool) -> bool:
        """Return whether something is to be done after an epoch.

        Args:
            chunk: the epoch.
            waiting: whether a request waits.
        """
        return self._races.ended_by(chunk) or self._endings.reached_by(chunk) or waiting

    def overdue(self) -> bool:
        """Return whether something is to be done before the networks train on.

        A kill, a stop by hand or a scheduler may have ended a race otherwise than by an epoch.
        """
        return bool(self._endings.due() or self._races.over())

    def attend(
        self,
        bracket: Bracket,
        here: Position,
        stop: Callable[[], bool],
        tell_pause: Callable[[], None],
    ) -> Stand:
        """Do what is asked, and what earlier acts set going; return where the bracket stands then.

        Args:
            bracket: at work; no network trains meanwhile.
            here: the place in it.
            stop: ends a pause, and what takes long.
            tell_pause: called now and then while it lasts.
        """
        self._rungs, self.over = bracket.rungs, stop
        stand = Stand(bracket, here)
        again = self._endings.due()
        if again:
            self.record(stand, None, [], **_ends(again))
        for race in self._races.over():
            decide(self, stand, race)
        stand = self._take(stand)
        while self.paused and not stop():
            with self.clock.stopped():
                tell_pause()
                time.sleep(_POLL_SECONDS)
                asked = self.history.store.requests.waiting(self.history.record.id)
            if asked:
                stand = self._take(stand)
        self._races = Races(self.history)
        return stand

    def close(self) -> None:
        """Refuse what came too late."""
        for request in self.history.store.requests.waiting(self.history.record.id):
            self._refuse(request, "the run ended before it could be done")

    def scene(self) -> Scene:
        """Return how the study stands."""
        found = replace(scene_of(self.history.store, self.history.record), stopped=False)
        if not self._members:
            return found
        return replace(found, first=min(self._members), at_work=self._members)

    def epoch(self) -> int:
        """Return how far those of the round at work are that train, or all where none does."""
        known = self.history.trials(min(self._members, default=0))
        trials = [t for t in known if t.number in self._members]
        return max((t.epochs for t in trials if training(t, stopped=False)), default=0) or max(
            (t.epochs for t in trials), default=0
        )

    def proposed(self) -> int:
        """Return the configurations of all rounds that were proposed or are planned."""
        told = self.history.store.events(self.history.record.id, "propose")
        folds = self.asked.settings.folds or 1
        done = sum(int(str(event.details["networks"])) // folds for event in told)
        return done + self.to_come(len(told) - 1)

    def to_come(self, population: int) -> int:
        """Return the configurations that are still to be proposed after a round."""
        return self.ahead.after(population) + self.further

    def config(self, changed: Mapping[str, object]) -> dict[str, object]:
        """Return what the store keeps of what the study is asked to do, with changes."""
        now = self.history.store.study(self.history.record.name)
        return {**now.config, **changed}

    def ask_for(self, asked: Asked, further: int) -> None:
        """Let the run go on by other choices, and for so many further configurations."""
        self.asked = asked
        self.further += further
        self.clock.budget = asked.budget

    def begun(self, trial: Trial) -> bool:
        """Return whether a network stands inside an epoch, as a stop leaves it."""
        state = self.engine.states([trial.number]).get(trial.number, None)
        rows = self.engine.shape.train_rows
        steps = steps_per_epoch(rows, trial.spec.whole("batch_size"))
        return state is not None and int(state["step"]) > int(state["epoch"]) * steps

    def state_of(self, trial: Trial) -> State:
        """Return the state of a network at the end of its last epoch.

        Raises:
            UsageError: when it is not held: it may have gone with a lack of memory.
        """
        states = self.engine.states([trial.number])
        state = states.get(trial.number, None)
        if state is None or int(state["epoch"]) != trial.epochs or self.begun(trial):
            raise UsageError(
                f"the state of network {trial.number} after epoch {trial.epochs} is not in "
                "memory now; ask again after its next epoch"
            )
        return state

    def change(
        self, stand: Stand, specs: Mapping[int, TrialSpec], record: Callable[[], None]
    ) -> None:
        """Let networks go on by other specifications, and record it: both or neither.

        Raises:
            UsageError: when a network cannot change so, or it cannot be recorded.
        """
        try:
            for number, spec in specs.items():
                self.engine.change(number, spec)
            record()
        except UsageError:
            for number in specs:
                self.engine.change(number, stand.bracket.specs[number])
            raise

    def event(self, kind: str, request: Request, details: dict[str, Any]) -> Event:
        """Return the event of a request."""
        told = {"request": request.id, **details}
        return Event(time.time(), kind, request.trial, told)

    def record(
        self,
        stand: Stand,
        request: Request | None,
        events: Sequence[Event],
        new: Collection[int] = (),
        ended: Mapping[int, str] | None = None,
        **parts: Any,
    ) -> None:
        """Record what was done, in one transaction.

        Where networks are other ones than before, the transaction holds a checkpoint as well: so
        nothing that was decided before has to be decided again. Numbers that change from now on,
        or another space, need none as long as nothing was decided since the last one: the
        configurations say all.

        Args:
            stand: where the bracket stands then.
            request: that asked for it, None where it follows from an earlier one.
            events: that say it.
            new: trials that begin with it.
            ended: trials that it ends -> why, which is an event of its own.
            parts: other parts of the `Deed`.
        """
        if ended:
            events = [*events, self._ending(ended)]
            parts |= _ends(ended)
        deed = Deed(events, None if request is None else request.id, **parts)
        other = bool(deed.copies or deed.statuses or stand.bracket.rungs != self._rungs)
        later = bool(deed.specs or deed.config)
        if other or (later and self.checkpoints.decided_since(stand.here)):
            self.checkpoints.with_deed(stand.bracket, stand.here, new, deed)
        else:
            self.history.store.requests.carry_out(self.history.record.id, deed)

    def _ending(self, why: Mapping[int, str]) -> Event:
        """Return the event that says which networks end here, and why."""
        epochs = {t.number: t.epochs for t in self.history.trials(min(why))}
        told = {str(n): {"epoch": epochs[n], "why": words} for n, words in why.items()}
        return Event(time.time(), ENDED, details={"networks": told})

    def _take(self, stand: Stand) -> Stand:
        """Do what is asked, one after another; say why what cannot be done is not."""
        for request in self.history.store.requests.waiting(self.history.record.id):
            act = ACTS.get(request.kind)
            if act is None:
                self._refuse(request, f"this Deepwell knows no act {safe_text(request.kind)}")
                continue
            self._members = frozenset(stand.bracket.specs)
            try:
                stand = act.do(self, stand, request)
            except UsageError as error:
                self._refuse(request, str(error))
            except Exception as error:  # a request that still waits would end the next run as well
                with contextlib.suppress(DeepwellError):
                    told = safe_text(str(error) or type(error).__name__, 200)
                    self._refuse(request, f"it failed, and the run with it: {told}")
                raise
        return stand

    def _refuse(self, request: Request, why: str) -> None:
        self.history.store.requests.carry_out(self.history.record.id, refusal(request, why))


def _ends(why: Mapping[int, str]) -> dict[str, Any]:
    """Return the parts of a `Deed` that end networks."""
    return {"statuses": dict.fromkeys(why, Status.PRUNED), "messages": dict(why)}
