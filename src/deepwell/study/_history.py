"""The study's memory while it runs: writes every act to the store, reads trials back."""

from __future__ import annotations

import contextlib
import itertools
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import DeepwellError
from deepwell.execution._planner import Plan
from deepwell.records import (
    ChunkRecord,
    Event,
    PlanFacts,
    Probe,
    Rung,
    Status,
    StudyResult,
    Trial,
    TrialSpec,
    to_plain,
)
from deepwell.search.schedulers._across_folds import configurations
from deepwell.search.schedulers._scheduler import Fork
from deepwell.storage._study_record import StudyRecord

from ._forks import Copied, root
from ._retention import most_kept

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

FORK, ARRIVE = "fork", "arrive"
NUDGE = "nudge"
BRANCH = "branch"
"""As `FORK`, of a copy that a person asked for: it does not follow from the curves."""
ENDED = "ended_by_hand"
"""Of networks that a person ended, or lost a race: why, which does not follow from the curves."""
DECISIONS = ("finish", "prune", "promote", "pause", FORK, ARRIVE)
"""Kinds of events that follow from the curves, and come again when those are trained again."""


@dataclass(frozen=True)
class Bracket:
    """A round of proposals and the rungs they climb.

    Attributes:
        population: counted from 0 in the order of rounds.
        specs: trial number -> configuration.
        rungs: epochs and networks of each rung.
        region: where most of the proposals lie, in words, if the sampler has such a place.
    """

    population: int
    specs: Mapping[int, TrialSpec]
    rungs: tuple[Rung, ...]
    region: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def folds(self) -> int:
        """Trials of a configuration, one a fold; 0 without cross-validation."""
        return next(iter(self.specs.values())).folds

    def together(self, numbers: Collection[int]) -> set[int]:
        """Return these trials, and with each all folds of its configuration."""
        if not self.folds:
            return set(numbers)
        wanted = {n // self.folds for n in numbers}
        return {n for n in self.specs if n // self.folds in wanted}

    def changed(self, specs: Mapping[int, TrialSpec]) -> Bracket:
        """Return the bracket with other specifications of some of its trials."""
        return replace(self, specs={**self.specs, **specs})

    def joined(self, copies: Iterable[Copied]) -> Bracket:
        """Return the bracket with copies of some of its trials."""
        return replace(self, specs={**self.specs, **{copy.number: copy.spec for copy in copies}})

    def member_epochs(self) -> int:
        """Return the epochs of all members together, if none stops early."""
        return self.epochs_below(len(self.rungs))

    def epochs_below(self, rung: int) -> int:
        """Return the member-epochs of the rungs before this one, if none stops early."""
        before = (0, *(r.epochs for r in self.rungs[:-1]))
        each = [r.networks * (r.epochs - b) for r, b in zip(self.rungs, before, strict=True)]
        return sum(each[:rung])


@dataclass(frozen=True)
class Round:
    """A bracket with the programs that train it.

    Attributes:
        bracket: trials and rungs.
        plan: programs of the trials that were proposed.
        by: who proposed trials that the sampler did not -> their numbers, with folds the first
            one's of each configuration.
        sources: copy among the trials -> the trial that it is a copy of, oldest first.
    """

    bracket: Bracket
    plan: Plan
    by: Mapping[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])
    sources: Mapping[int, int] = field(default_factory=dict[int, int])


@dataclass(frozen=True)
class Decided:
    """What a scheduler decided at a rung: numbers of trials, and copies of those that go on."""

    finish: Sequence[int] = ()
    prune: Sequence[int] = ()
    promote: Sequence[int] = ()
    forks: Sequence[Fork] = ()
    pause: Sequence[int] = ()


class History:
    """One study's rows in the store.

    Args:
        store: an open store.
        record: the study's row.
    """

    def __init__(self, store: Store, record: StudyRecord) -> None:
        self.store = store
        self.record = record
        self._going: set[int] | None = None  # when the networks to keep were asked for last
        self._safe: list[Trial] = []
        folds = record.config.get("folds", 0)
        self.folds = folds if isinstance(folds, int) else 0
        self._most = most_kept(record.config) or 1

    def propose(self, round_: Round, facts: PlanFacts) -> None:
        """Record a round of proposals, the rungs they are to climb, and the plan, all at once.

        The round before it, if there is one, has ended: the store is backed up.
        """
        if round_.bracket.population:
            self._back_up()
        bracket, now = round_.bracket, time.time()
        proposed: dict[str, object] = {
            "population": bracket.population,
            "networks": len(bracket.specs),
            "first": min(bracket.specs),
            "rungs": [[rung.epochs, rung.networks] for rung in bracket.rungs],
        }
        if bracket.region:
            proposed["box"] = dict(bracket.region)
        if round_.by:
            proposed["by"] = {who: list(numbers) for who, numbers in round_.by.items()}
        planned = {
            "population": bracket.population,
            "plan": to_plain(round_.plan),
            "facts": to_plain(facts),
        }
        self.store.propose(
            self.record.id,
            sorted(bracket.specs.items()),
            Event(now, "propose", details=proposed),
            Event(now, "plan", details=planned),
        )

    def note(self, kind: str, details: Mapping[str, object]) -> None:
        """Record an event of the study."""
        self.store.append_event(self.record.id, Event(time.time(), kind, details=details))

    def chunk(self, population: int, chunk: ChunkRecord, seconds: float) -> bool:
        """Record an epoch of a population, in one transaction; say why a trial ended badly.

        Args:
            population: of the bracket.
            chunk: the epoch.
            seconds: working time of all runs of the study so far.

        Returns:
            Whether somebody asks something of the run.
        """
        steps = dict(zip(chunk.trials.tolist(), chunk.steps.tolist(), strict=True))
        causes = {
            Status.DIVERGED: "its cost became NaN or infinite at step {step}",
            Status.FAILED: "it alone does not fit in memory",
        }
        messages = {
            n: causes[status].format(step=steps[n])
            for n, status in chunk.statuses.items()
            if status in causes
        }
        return self.store.record_chunk(self.record.id, population, chunk, messages, seconds)

    def decide(self, decided: Decided, epoch: int) -> None:
        """Record what was decided at a rung, in one transaction; promoted trials go on at once."""
        parts = {
            "finish": (decided.finish, Status.FINISHED),
            "prune": (decided.prune, Status.PRUNED),
            "promote": (decided.promote, Status.RUNNING),
            "pause": (decided.pause, Status.PAUSED),
        }
        self._settle({k: part for k, part in parts.items() if part[0]}, epoch)

    def fork(self, copies: Sequence[Copied], epoch: int, seconds: float) -> None:
        """Record copies as trials that train on, with their sources' curves, in one transaction.

        Args:
            copies: with their sources.
            epoch: that the sources have ended.
            seconds: working time of all runs of the study so far.
        """
        chunks = self.past_of(copies, epoch)
        events = [
            Event(
                time.time(),
                FORK,
                copy.number,
                {"source": copy.source, "epoch": epoch, **copy.said},
            )
            for copy in copies
        ]
        trials = [(copy.number, copy.spec) for copy in copies]
        self.store.fork(self.record.id, trials, chunks, events, seconds)

    def past_of(self, copies: Sequence[Copied], epoch: int) -> list[ChunkRecord]:
        """Return the epochs up to this one of copies, which are those of their sources."""
        wanted = {copy.source for copy in copies}
        sources = [trial for trial in self.trials(min(wanted)) if trial.number in wanted]
        curves = {trial.number: trial.curves for trial in self.with_curves(sources)}
        return [
            ChunkRecord(
                past,
                np.array([copy.number for copy in copies], np.int64),
                {
                    name: np.array([curves[c.source][name][past - 1] for c in copies], np.float32)
                    for name in curves[copies[0].source]
                },
                {copy.number: Status.RUNNING for copy in copies},
                np.array([past * copy.steps for copy in copies], np.int64),
            )
            for past in range(1, epoch + 1)
        ]

    def proposed(self) -> int:
        """Return how many configurations were proposed so far; a copy is none."""
        told: list[Any] = [e.details for e in self.store.events(self.record.id, "propose")]
        return sum(int(details["networks"]) for details in told) // (self.folds or 1)

    def sources(self) -> dict[int, int]:
        """Return of each copy which trial it is a copy of, oldest copy first."""
        return {number: source for number, source, _ in self._copied()}

    def roots(self) -> dict[int, int]:
        """Return of each copy which trial that was proposed it goes back to."""
        sources = self.sources()
        return {number: root(sources, number) for number in sources}

    def nudged(self) -> set[int]:
        """Return the trials whose numbers were changed by hand while they trained."""
        told: list[Any] = [event.details for event in self.store.events(self.record.id, NUDGE)]
        return {int(number) for details in told for number in details["networks"]}

    def trained(self) -> list[Trial]:
        """Return all trials with the epochs that were trained for them, those copied left out."""
        before = {number: epoch for number, _, epoch in self._copied()}
        trials = self.trials()
        return [replace(t, epochs=max(0, t.epochs - before.get(t.number, 0))) for t in trials]

    def _copied(self) -> list[tuple[int, int, int]]:
        """Return number, source and epoch of each copy."""
        told: list[tuple[int | None, Any]] = [
            (event.trial, event.details)
            for kind in (FORK, BRANCH)
            for event in self.store.events(self.record.id, kind)
        ]
        return sorted((n, d["source"], d["epoch"]) for n, d in told if n is not None)

    def with_curves(self, trials: Sequence[Trial]) -> list[Trial]:
        """Return these trials with their curves."""
        read = self.store.curves_of(self.record.id, trials)
        return [replace(trial, curves=own) for trial, own in zip(trials, read, strict=True)]

    def trials_of(self, numbers: Collection[int]) -> list[Trial]:
        """Return the trials of these numbers as they stand now, in their order."""
        return self.store.trials(self.record.id, among=numbers)

    def open(self) -> list[int]:
        """Return the numbers of the trials that are not over, begun or not, in their order."""
        return self.store.unfinished(self.record.id)

    def interrupt(self, trials: Sequence[int], epoch: int) -> None:
        """Record that trials were cut short on their way to an epoch."""
        self._settle({"interrupt": (trials, Status.INTERRUPTED)}, epoch)

    def finish(self, result: StudyResult, probes: Sequence[Probe] = ()) -> None:
        """Record the outcome, late probes and how the study ended, in one transaction."""
        why = result.stopped
        event = Event(time.time(), "stop" if why else "finish", details={"why": why} if why else {})
        status = "stopped" if why else "finished"
        self.store.finish(self.record.id, to_plain(result), status, result.seconds, event, probes)
        self._back_up(at_once=True)

    def _back_up(self, *, at_once: bool = False) -> None:
        # What fails here (a full disk, say) takes nothing from the study, whose records are safe.
        with contextlib.suppress(DeepwellError):
            self.store.back_up(at_once=at_once)

    def interrupted(self, first: int = 0) -> bool:
        """Return whether a trial, from this number on, was cut short by the clock or a person."""
        return any(t.status is Status.INTERRUPTED for t in self.trials(first))

    def free_numbers(self, first: int, count: int) -> list[int]:
        """Return the lowest numbers, from one on, that no trial of the study has.

        Rounds that were proposed and wait, as after a kill, and copies made by hand may have some.
        """
        taken = {trial.number for trial in self.trials(first)}
        free = (number for number in itertools.count(first) if number not in taken)
        return list(itertools.islice(free, count))

    def trials(self, first: int = 0) -> list[Trial]:
        """Return all trials so far, from a number on, without their curves."""
        return self.store.trials(self.record.id, first=first)

    def going(self, numbers: Sequence[int]) -> set[int]:
        """Return those of these trials that are neither over nor at the end of their epochs."""
        return {
            t.number
            for t in self.trials_of(numbers)
            if not t.status.over and t.epochs < t.spec.whole("epochs")
        }

    def best(self) -> Trial | None:
        """Return the trial with the best dev score, or None when no trial has a finite one."""
        return next(iter(self.store.best_trials(self.record.id)), None)

    def to_keep(self, going: Collection[int]) -> list[int]:
        """Return the trials whose networks are still needed.

        Those that train on, the best one, and the best of those that train no further, or as many
        of them as are kept for good: a network that trains on may yet be lost to a lack of memory,
        however good it is.

        Args:
            going: trials that train on, each time fewer of a round.
        """
        if self.folds:
            return self._to_keep_of_folds(going)
        ended = self._ended(going)
        if ended:
            among = ended.union(trial.number for trial in self._safe)
            self._safe = self.store.best_trials(self.record.id, self._most, among)
        self._going = set(going)
        best = [trial.number for trial in (self.best(), *self._safe) if trial is not None]
        return list(dict.fromkeys([*sorted(going), *best]))

    def _to_keep_of_folds(self, going: Collection[int]) -> list[int]:
        """Return all folds of the configurations that go on, and of the best one."""
        folds, trials = self.folds, self.trials()
        wanted = {n // folds for n in going}
        ranked = sorted(configurations(trials, folds), key=Trial.rank_key)
        wanted.update(c.number // folds for c in ranked[: self._most] if math.isfinite(c.score))
        held = [t.number for t in trials if t.epochs and t.number // folds in wanted]
        return list(dict.fromkeys([*sorted(going), *held]))

    def _ended(self, going: Collection[int]) -> set[int]:
        """Return the trials that went on when this was asked last, at first all, and do not now."""
        if self._going is not None:
            return self._going.difference(going)
        return {t.number for t in self.trials() if t.epochs}.difference(going)

    def _settle(self, parts: Mapping[str, tuple[Sequence[int], Status]], epoch: int) -> None:
        if not parts:
            return
        now = time.time()
        events = [
            Event(now, kind, details={"trials": list(trials), "epoch": epoch})
            for kind, (trials, _) in parts.items()
        ]
        statuses = {n: status for trials, status in parts.values() for n in trials}
        self.store.record_statuses(self.record.id, statuses, {}, *events)
