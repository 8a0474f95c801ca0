"""The engine of one machine: trains trials rung by rung, program by program."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deepwell.data._batches import steps_per_epoch
from deepwell.records import ChunkRecord, TrialSpec
from deepwell.training._changing import changing
from deepwell.training._epochs import Epochs
from deepwell.training._program import (
    Member,
    Outcome,
    Session,
    State,
    TrainingRows,
)
from deepwell.training._state import best_parameters

from ._backend import Backend
from ._chunk_records import failure_record, part_of
from ._course import Course
from ._group import Group
from ._memory_plan import share_out
from ._planner import Plan, Shape
from ._probe_plan import ProbePlan
from ._programs import Programs
from ._recovery import Shortage, out_of_memory, told_in_full
from ._shelf import Shelf
from ._single import Single
from ._work_meter import WorkMeter

# What members share that train together: seed of the order, epochs and steps done, last epoch.
_Work = tuple[int, int, int, int]


class LocalEngine(Single):
    """Trains trials on this machine's cores or accelerators.

    Args:
        rows: train and dev rows; never a test row.
        shape: the data and task as programs see them.
        backend: where programs come from.
        memory: bytes for rows, members and workspaces; None sets no bound.

    Raises:
        UsageError: when the memory does not hold the rows that must be held.

    Attributes:
        name: of the kind of program at work.
        machine: what is assumed of the machine.
        cores: cores or accelerators at work.
        meter: what was trained so far, and in what time.
    """

    def __init__(
        self, rows: TrainingRows, shape: Shape, backend: Backend, memory: int | None = None
    ) -> None:
        self._shortages: list[Shortage] = []
        self._states = Shelf()
        if memory is not None:
            shared = share_out(memory, rows, backend.copies)
            rows, shape = shared.rows, replace(shape, window_rows=shared.window_rows)
            backend.machine = replace(backend.machine, memory=shared.in_flight)
            self._states = Shelf(shared.waiting)
        self._rows = rows
        self.shape = shape
        self.name = backend.name
        self.machine = backend.machine
        self.cores = backend.machine.devices
        self.meter = WorkMeter(shape)
        self._programs = Programs(backend, rows, shape)
        self._specs: dict[int, TrialSpec] = {}
        self._members: dict[int, Member] = {}
        self._at_work: tuple[Sequence[int], Session] | None = None
        self._told: dict[int, int] = {}  # the epoch up to which a trial's records went out
        self._failed: set[int] = set()
        self._probes: ProbePlan | None = None
        self._dropped: set[int] = set()  # at work, and not needed any more when that ends

    def plan(self, specs: Mapping[int, TrialSpec], epochs: float) -> Plan:
        """Return the programs for these trials without compiling anything.

        Args:
            specs: trial number -> configuration.
            epochs: epochs that a trial trains on average under the scheduler.
        """
        return self._programs.plan(
            {n: self._member(spec) for n, spec in specs.items()},
            {n: spec.whole("batch_size") for n, spec in specs.items()},
            epochs,
        )

    def prepare(self, specs: Mapping[int, TrialSpec], planned: Plan) -> None:
        """Start compiling the plan's programs in the background, and draw the initial weights.

        Those that the plan leaves out have no room in memory, and fail when they are to train.

        Raises:
            StudyError: when this machine's arithmetic is wrong.
        """
        self._programs.prepare(planned)
        for number, spec in specs.items():
            self._specs[number] = spec
            self._members[number] = self._member(spec)

    def train(
        self,
        numbers: Sequence[int],
        until: int,
        stop: Callable[[], bool],
        probes: ProbePlan | None = None,
    ) -> Generator[ChunkRecord]:
        """Train trials up to an epoch, program by program as they are compiled.

        Args:
            numbers: trials to train; those that stopped or diverged stay as they are.
            until: epoch to reach; no trial goes beyond its own `epochs`.
            stop: asked between calls; True ends the work with all states kept.
            probes: which of the trials are looked into meanwhile, and when; None for no one. It
                changes nothing of what they become.

        Yields:
            One record an epoch and session, as soon as it has ended.
        """
        chosen = set(numbers)
        self._dropped.clear()
        self._probes = probes
        yield from self._without_room(sorted(chosen))
        for index, todo in self._programs.as_built(chosen, stop):
            chunks = self._train_bucket(index, todo, until, stop)
            yield from self.meter.watch(chunks, {n: self._members[n].architecture for n in todo})

    def best_parameters(self, number: int) -> dict[str, np.ndarray]:
        """Return the weights of a trial at its best dev score."""
        state = self._states.get(number)
        if state is None:
            raise KeyError(number)
        return best_parameters(state)

    def states(self, numbers: Sequence[int]) -> Mapping[int, State]:
        """Return the states of those of these trials that have begun, to be kept elsewhere.

        Between two records of `train` they stand where the records say: at the end of the last
        epoch that was yielded. After a stop a state may stand inside an epoch; after a lack of
        memory it may stand at an earlier epoch, which is trained again but not told again.

        States that wait in a file are read each time one is asked for, so use what is returned
        before training goes on.
        """
        wanted = set(numbers)
        at_work: dict[int, State] = {}
        if self._at_work is not None:
            group, session = self._at_work
            inside = [(n, index) for index, n in enumerate(group) if n in wanted]
            read = session.read([index for _, index in inside]) if inside else ()
            at_work = {n: state for (n, _), state in zip(inside, read, strict=True)}
        return self._states.view(numbers, at_work)

    def said(self, number: int) -> np.ndarray | None:
        """Return the raw outputs (k, outputs) of a trial at work for its dev rows.

        To be asked between two records of `train`: of the epoch that was yielded last. None for
        one that is not at work, and where the program does not keep them.
        """
        if self._at_work is None or number not in self._at_work[0]:
            return None
        group, session = self._at_work
        return session.said(group.index(number))

    def restore(self, states: Mapping[int, State]) -> None:
        """Take up states that `states` returned, in this process or in another one."""
        for number, state in states.items():
            self._states.put(number, state)
            self._told.pop(number, None)

    def fork(self, source: int, number: int, spec: TrialSpec) -> None:
        """Let a new trial go on from where another one stands, which stays as it is.

        Everything is copied: weights, what the optimizer remembers, running statistics, what early
        stopping counts, and the best weights. What differs comes from the specification.

        Args:
            source: number of the trial that is copied, whose state is held.
            number: of the new trial.
            spec: of the new trial: that of the source, but for changes after the source's epoch.

        Raises:
            KeyError: when no state of the source is held.
        """
        state = self._states.get(source)
        if state is None:
            raise KeyError(source)
        self.adopt(source, number, spec)
        self._states.put(number, {name: array.copy() for name, array in state.items()})
        self._told.pop(number, None)

    def adopt(self, source: int, number: int, spec: TrialSpec) -> None:
        """Prepare a trial to train in the program of another one, or its own where it must be.

        Args:
            source: a trial that was prepared.
            number: of the trial to prepare.
            spec: of the same.
        """
        self._specs[number] = spec
        self._members[number] = self._member(spec)
        if not self._programs.share(number, source, self._members[number]):
            self._programs.prepare(self.plan({number: spec}, 1.0))

    def change(self, number: int, spec: TrialSpec) -> None:
        """Give a trial another specification, which differs in what comes after its last epoch.

        It stays in its program where that can train it, and goes to another one where it cannot,
        as when dropout is switched on. To be asked between two calls of `train`.

        Args:
            number: of a trial that was prepared.
            spec: of the trial from now on.
        """
        self._specs[number] = spec
        self._members[number] = self._member(spec)
        if not self._programs.keeps(number, self._members[number]):
            self._programs.prepare(self.plan({number: spec}, 1.0))

    def disown(self, numbers: Collection[int]) -> None:
        """Forget trials that come to nothing; others may have their numbers then."""
        self._programs.release(numbers)
        self._failed.difference_update(numbers)
        for number in numbers:
            self._specs.pop(number, None)
            self._members.pop(number, None)
            self._told.pop(number, None)

    def forget(self, keep: Sequence[int]) -> None:
        """Drop the states of all trials but these, so that memory follows the trials in flight.

        Between two records of `train`, those at work that are dropped train no further than the
        record said, if it said that they ended; their states are not kept.
        """
        kept = set(keep)
        if self._at_work is not None:
            self._dropped.update(n for n in self._at_work[0] if n not in kept)
        for number in [n for n in self._states if n not in kept]:
            self._states.drop(number)
        self._told = {n: epoch for n, epoch in self._told.items() if n in kept}

    def take_shortages(self) -> list[Shortage]:
        """Return each lack of memory that training went on after, since this was asked last."""
        taken, self._shortages = self._shortages, []
        return taken

    def rows(self) -> int:
        """Return how many train and dev rows there are, each counted once."""
        return len(self._rows.y_train) + len(self._rows.y_dev)

    @property
    def streams(self) -> bool:
        """Whether the train rows stay in their file."""
        return self._rows.streamed

    def programs(self) -> int:
        """Return how many programs were planned and handed to the compiler."""
        return len(self._programs)

    def close(self) -> None:
        """Stop compiling what nobody waits for any more."""
        self._programs.close()
        self._states.close()

    @property
    def compile_seconds(self) -> float:
        """Wall time during which at least one program was being compiled."""
        return self._programs.compile_seconds

    def _train_bucket(
        self, index: int, numbers: Sequence[int], until: int, stop: Callable[[], bool]
    ) -> Iterator[ChunkRecord]:
        """Train the trials of one program, as many at a time as it has lanes and memory."""
        yield from self._when_built(index, numbers, until)
        groups = self._groups(index, numbers, until)
        while groups:
            ran_out = False
            try:
                for record in self._train_group(index, *groups[0], stop):
                    yield from self._untold(record)
            except Exception as error:  # what a lack of memory raises depends on the program
                if not out_of_memory(error):
                    raise
                ran_out = True
            if ran_out:  # out here the error no longer holds the members that it interrupted
                yield from self._with_fewer_at_once(index, groups[0][0], until)
                left = [n for group, _ in groups for n in group if n not in self._dropped]
                yield from self._when_built(index, left, until)
                groups = self._groups(index, left, until)
            else:
                groups.popleft()
            if stop():
                return

    def _when_built(self, index: int, numbers: Sequence[int], until: int) -> Iterator[ChunkRecord]:
        """Wait for the program of trials; where memory runs out meanwhile, it gets fewer lanes.

        Where it is not built with one lane either, they are given up.
        """
        todo = [n for same in self._alike(numbers, until).values() for n in same]
        while todo and self._programs.ran_out(index):
            lanes = self._programs.buckets[index].options.lanes
            if lanes == 1:
                self._programs.release(todo)
                for number in todo:
                    yield self._given_up(number, self._next_epoch([number], until))
                return
            before, after = (min(n, len(todo)) for n in (lanes, lanes // 2))
            if after < before:
                self._shortages.append(Shortage(before, after, self._next_epoch(todo, until)))
            self._programs.build_for(index, lanes // 2)

    def _alike(self, numbers: Sequence[int], until: int) -> dict[_Work, list[int]]:
        """Return who is to train, by what they share that train together."""
        alike: dict[_Work, list[int]] = {}
        for number in numbers:
            state, spec = self._states.get(number), self._specs[number]
            running = state is None or int(state["outcome"]) == Outcome.RUNNING
            done = 0 if state is None else int(state["epoch"])
            target = min(until, spec.whole("epochs"))
            if running and done < target and number not in self._failed:
                step = 0 if state is None else int(state["step"])
                alike.setdefault((spec.order_seed, done, step, target), []).append(number)
        return alike

    def _groups(
        self, index: int, numbers: Sequence[int], until: int
    ) -> deque[tuple[list[int], _Work]]:
        """Return who is to train together, and what: as many as the lanes hold at a time."""
        alike = self._alike(numbers, until)
        at_once = self._programs.lanes(index) if alike else 1
        return deque(
            (same[first : first + at_once], work)
            for work, same in alike.items()
            for first in range(0, len(same), at_once)
        )

    def _train_group(
        self, index: int, group: Sequence[int], work: _Work, stop: Callable[[], bool]
    ) -> Iterator[ChunkRecord]:
        """Train members that fit the lanes, and keep their states however it ends."""
        program = self._programs.at(index)
        members = {n: self._members[n] for n in group}
        alone = list(members.values())
        session = changing(program.load(alone, [self._states.get(n) for n in group]), alone)
        order_seed, done, step, until = work
        course = Course(Epochs(program, self._rows, order_seed))
        last = {n: self._specs[n].whole("epochs") for n in group}
        together = Group(course, session, members, last, self._probes, self.meter)
        self._at_work = group, session
        try:
            yield from together.train(done, step, until, stop)
        except BaseException as error:
            self._at_work = None
            if out_of_memory(error):
                self._rescue(group, session, program.structure.batch, done)
            elif isinstance(error, KeyboardInterrupt):
                # JAX gave the states up to the call that it broke off; those from before are there.
                with contextlib.suppress(Exception):
                    self._keep(group, session)
            else:
                self._keep(group, session)
            raise
        self._at_work = None
        self._keep(group, session)

    def _keep(self, group: Sequence[int], session: Session) -> None:
        for number, state in zip(group, session.read(), strict=True):
            if number not in self._dropped:
                self._states.put(number, state)

    def _rescue(self, group: Sequence[int], session: Session, batch: int, done: int) -> None:
        """Keep how far members came whose memory ran out, as far as there is memory for that.

        Those whose states cannot be read, as JAX's that were given up to the call that failed, or
        that had yet to be scored, or whose epoch ended in that call, so that nobody heard of it, go
        on from where they were loaded, `done` epochs; what they told counts once.
        """
        steps = steps_per_epoch(self.shape.train_rows, batch)
        with contextlib.suppress(Exception):  # whatever it is, the states from before are there
            for number, state in zip(group, session.read(), strict=True):
                told = max(done, self._told.get(number, 0))
                if number not in self._dropped and told_in_full(state, told, steps):
                    self._states.put(number, state)

    def _untold(self, record: ChunkRecord) -> Iterator[ChunkRecord]:
        """Yield a record without the trials that told it before their memory ran out."""
        new = np.array([self._told.get(int(n), 0) < record.epoch for n in record.trials], bool)
        for n in record.trials[new].tolist():
            self._told[n] = record.epoch
        told = part_of(record, new)
        if told is not None:
            yield told

    def _without_room(self, numbers: Sequence[int]) -> Iterator[ChunkRecord]:
        """Give up those that were left out of the plan."""
        missing = self._programs.without(numbers)
        for number in numbers:
            if number in missing and number not in self._failed:
                yield self._given_up(number, 1)

    def _with_fewer_at_once(
        self, index: int, group: Sequence[int], until: int
    ) -> Iterator[ChunkRecord]:
        """Halve the members that train at once, or give up the one that does not fit alone."""
        after = len(group) // 2
        epoch = self._next_epoch(group, until)
        if after == 0:
            yield self._given_up(group[0], epoch)
            return
        self._shortages.append(Shortage(len(group), after, epoch))
        self._programs.narrow(index, after)

    def _given_up(self, number: int, epoch: int) -> ChunkRecord:
        """Return the record of a trial that does not fit in memory alone."""
        self._shortages.append(Shortage(1, 0, epoch))
        self._failed.add(number)
        state = self._states.get(number)
        return failure_record(number, epoch, 0 if state is None else int(state["step"]))

    def _next_epoch(self, group: Sequence[int], until: int) -> int:
        """Return the epoch at which memory ran out for trials."""
        states = [self._states.get(n) for n in group]
        done = max(0 if state is None else int(state["epoch"]) for state in states)
        # Where states are kept after the last epoch, memory may run out with all epochs told.
        return min(until, max(done, *(self._told.get(n, 0) for n in group)) + 1)
