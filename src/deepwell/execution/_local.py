"""The engine of one machine: plans, compiles in the background, trains rung by rung."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

import numpy as np

from deepwell.data._batches import epoch_order, steps_per_epoch
from deepwell.records import ChunkRecord, Status, TrialSpec
from deepwell.training._program import (
    Chunk,
    Info,
    Member,
    Outcome,
    Program,
    Session,
    State,
    TrainingRows,
)
from deepwell.training._state import best_parameters, initial_state
from deepwell.training._window import windowed

from ._backend import Backend
from ._members import member_of
from ._memory_plan import share_out
from ._planner import Bucket, Plan, Shape
from ._recovery import out_of_memory
from ._shelf import Shelf
from ._work_meter import WorkMeter

_STATUS = {Outcome.EARLY_STOPPED: Status.EARLY_STOPPED, Outcome.DIVERGED: Status.DIVERGED}
_POLL_SECONDS = 0.1


class LocalEngine:
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
        notes: what a reader should know of how the memory was used, one sentence each.
    """

    def __init__(
        self, rows: TrainingRows, shape: Shape, backend: Backend, memory: int | None = None
    ) -> None:
        self._backend = backend
        self.notes: list[str] = []
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
        self._compiling = _Span()
        self._specs: dict[int, TrialSpec] = {}
        self._members: dict[int, Member] = {}
        self._told: dict[int, int] = {}  # the epoch up to which a trial's records went out
        self._failed: set[int] = set()
        self._programs: dict[int, Future[Program]] = {}
        self._buckets: list[Bucket] = []
        self._pool: ThreadPoolExecutor | None = None

    def plan(self, specs: Mapping[int, TrialSpec], epochs: float) -> Plan:
        """Return the programs for these trials without compiling anything.

        Args:
            specs: trial number -> configuration.
            epochs: epochs that a trial trains on average under the scheduler.
        """
        return self._backend.plan(
            {n: self._member(spec) for n, spec in specs.items()},
            {n: spec.whole("batch_size") for n, spec in specs.items()},
            epochs,
            self.shape,
        )

    def prepare(self, specs: Mapping[int, TrialSpec], planned: Plan) -> None:
        """Start compiling the plan's programs in the background, and draw the initial weights.

        Raises:
            StudyError: when this machine's arithmetic is wrong.
        """
        self._backend.check()
        known = {b.structure: i for i, b in enumerate(self._buckets)}
        if self._pool is None:
            self._pool = ThreadPoolExecutor(max(1, self.cores), thread_name_prefix="compile")
        for bucket in planned.buckets:
            index = known.get(bucket.structure, len(self._buckets))
            if index == len(self._buckets):
                self._buckets.append(bucket)
                self._programs[index] = self._pool.submit(self._build, bucket)
            else:
                old = self._buckets[index]
                trials = tuple(dict.fromkeys((*old.trials, *bucket.trials)))
                self._buckets[index] = Bucket(old.structure, trials, old.options)
        for number, spec in specs.items():
            self._specs[number] = spec
            self._members[number] = self._member(spec)

    def train(
        self, numbers: Sequence[int], until: int, stop: Callable[[], bool]
    ) -> Iterator[ChunkRecord]:
        """Train trials up to an epoch, program by program as they are compiled.

        Args:
            numbers: trials to train; those that stopped or diverged stay as they are.
            until: epoch to reach; no trial goes beyond its own `epochs`.
            stop: asked between calls; True ends the work with all states kept.

        Yields:
            One record an epoch and session, as soon as it has ended.
        """
        chosen = set(numbers)
        waiting = {self._programs[i]: i for i in range(len(self._buckets))}
        waiting = {f: i for f, i in waiting.items() if chosen & set(self._buckets[i].trials)}
        while waiting and not stop():
            ready, _ = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            # Results do not depend on the order; a fixed one keeps the record tidy.
            for future in sorted(ready, key=lambda f: waiting[f]):
                bucket = self._buckets[waiting.pop(future)]
                todo = [n for n in bucket.trials if n in chosen]
                chunks = self._train_bucket(future.result(), todo, until, stop)
                yield from self.meter.watch(
                    chunks, {n: self._members[n].architecture for n in todo}
                )
                if stop():
                    return

    def best_parameters(self, number: int) -> dict[str, np.ndarray]:
        """Return the weights of a trial at its best dev score."""
        state = self._states.get(number)
        if state is None:
            raise KeyError(number)
        return best_parameters(state)

    def forget(self, keep: Sequence[int]) -> None:
        """Drop the states of all trials but these, so that memory follows the trials in flight."""
        kept = set(keep)
        for number in [n for n in self._states if n not in kept]:
            self._states.drop(number)
        self._told = {n: epoch for n, epoch in self._told.items() if n in kept}

    def programs(self) -> int:
        """Return how many programs were planned and handed to the compiler."""
        return len(self._programs)

    def close(self) -> None:
        """Stop compiling what nobody waits for any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
        self._states.close()

    def _member(self, spec: TrialSpec) -> Member:
        shape = self.shape
        return member_of(spec, shape.inputs, shape.outputs, shape.loss)

    @property
    def compile_seconds(self) -> float:
        """Wall time during which at least one program was being compiled."""
        return self._compiling.seconds()

    def _build(self, bucket: Bucket) -> Program:
        with self._compiling:
            return self._backend.build(bucket, self._rows)

    def _train_bucket(
        self, program: Program, numbers: Sequence[int], until: int, stop: Callable[[], bool]
    ) -> Iterator[ChunkRecord]:
        """Train the trials of one program, as many at a time as it has lanes."""
        alike: dict[tuple[int, int, int], list[int]] = {}
        for number in numbers:
            state, spec = self._states.get(number), self._specs[number]
            running = state is None or int(state["outcome"]) == Outcome.RUNNING
            done = 0 if state is None else int(state["epoch"])
            target = min(until, spec.whole("epochs"))
            if running and done < target and number not in self._failed:
                step = 0 if state is None else int(state["step"])
                alike.setdefault((spec.order_seed, step, target), []).append(number)
        for work, same in alike.items():
            for first in range(0, len(same), program.lanes):
                group = same[first : first + program.lanes]
                ran_out = False
                try:
                    for record in self._train_group(program, group, work, stop):
                        yield from self._untold(record)
                except Exception as error:  # what a lack of memory raises depends on the program
                    if not out_of_memory(error):
                        raise
                    ran_out = True
                if ran_out:  # out here the error no longer holds the members that it interrupted
                    program, lost = self._with_fewer_lanes(program, group, work)
                    yield from lost
                    yield from self._train_bucket(program, numbers, until, stop)
                    return
                if stop():
                    return

    def _train_group(
        self,
        program: Program,
        group: Sequence[int],
        work: tuple[int, int, int],
        stop: Callable[[], bool],
    ) -> Iterator[ChunkRecord]:
        """Train members that fit the lanes; without memory their states stay as they were."""
        session = program.load([self._members[n] for n in group], self._states_of(group))
        try:
            yield from self._train_session(program, session, group, work, stop)
        except BaseException as error:
            if not out_of_memory(error):
                self._keep(group, session)
            raise
        self._keep(group, session)

    def _states_of(self, group: Sequence[int]) -> list[State]:
        """Return the members' states, drawn anew for those that have not begun."""
        held = [self._states.get(n) for n in group]
        return [
            initial_state(self._members[n]) if state is None else state
            for n, state in zip(group, held, strict=True)
        ]

    def _keep(self, group: Sequence[int], session: Session) -> None:
        states = session.states()
        for number, state in zip(group, states, strict=True):
            self._states.put(number, state)

    def _untold(self, record: ChunkRecord) -> Iterator[ChunkRecord]:
        """Yield a record without the trials that told it before their memory ran out."""
        new = np.array([self._told.get(int(n), 0) < record.epoch for n in record.trials], bool)
        for n in record.trials[new].tolist():
            self._told[n] = record.epoch
        if new.all():
            yield record
        elif new.any():
            numbers = record.trials[new]
            kept = set(numbers.tolist())
            yield ChunkRecord(
                record.epoch,
                numbers,
                {name: values[new] for name, values in record.metrics.items()},
                {n: status for n, status in record.statuses.items() if n in kept},
                record.steps[new],
            )

    def _with_fewer_lanes(
        self, program: Program, group: Sequence[int], work: tuple[int, int, int]
    ) -> tuple[Program, list[ChunkRecord]]:
        """Return a program of half the lanes, or give up the one member that does not fit."""
        index = next(i for i, b in enumerate(self._buckets) if b.structure == program.structure)
        if len(group) == 1 and program.lanes == 1:
            number = group[0]
            self._failed.add(number)
            self.notes.append(f"network {number} does not fit in memory alone: failed")
            return program, [self._failure(number, work)]
        bucket = self._buckets[index]
        lanes = max(1, min(len(group), program.lanes) // 2)
        width = min(bucket.options.width, lanes)
        options = replace(bucket.options, lanes=lanes, width=width)
        self._buckets[index] = smaller = replace(bucket, options=options)
        self.notes.append(f"memory ran out with {len(group):,} networks at once: on with {lanes:,}")
        built: Future[Program] = Future()
        built.set_result(self._build(smaller))
        self._programs[index] = built
        return built.result(), []

    def _failure(self, number: int, work: tuple[int, int, int]) -> ChunkRecord:
        """Return the record of a member that could not be trained."""
        state = self._states.get(number)
        done = 0 if state is None else int(state["epoch"])
        nothing = np.full(1, np.nan, np.float32)
        names = ("train_cost", "dev_cost", "dev_score")
        metrics: dict[str, np.ndarray] = dict.fromkeys(names, nothing)
        epoch = max(done, self._told.get(number, 0)) + 1
        numbers, steps = np.array([number], np.int64), np.array([work[1]], np.int64)
        return ChunkRecord(epoch, numbers, metrics, {number: Status.FAILED}, steps)

    def _train_session(
        self,
        program: Program,
        session: Session,
        group: Sequence[int],
        work: tuple[int, int, int],
        stop: Callable[[], bool],
    ) -> Iterator[ChunkRecord]:
        """Train a group from its update step `work[1]` to the end of the epoch `work[2]`."""
        order_seed, step, until = work
        rows, structure = self.shape.train_rows, program.structure
        batch, at_once = structure.batch, structure.steps
        done, begun = divmod(step, steps_per_epoch(rows, batch))  # a stop may come inside an epoch
        running = np.ones(len(group), bool)
        for epoch in range(done + 1, until + 1):
            order = epoch_order(order_seed, epoch, rows, batch)
            moved = np.zeros(len(group), bool)
            info: Info | None = None
            for first in range(begun, len(order), at_once):
                last = first + at_once >= len(order)
                chunk = Chunk(order[first : first + at_once], epoch, last)
                if self._rows.streamed:
                    chunk = windowed(chunk, self._rows)
                info = session.advance(chunk, stop)
                moved |= info.moved
                if not last and stop():
                    ended = moved & (info.outcome != Outcome.RUNNING)
                    if ended.any():  # who ended inside an epoch is told before the stop
                        yield _record(epoch, group, info, ended)
                    return
            begun = 0
            assert info is not None
            yield _record(epoch, group, info, moved)
            running &= info.outcome == Outcome.RUNNING
            if not running.any() or stop():
                return


class _Span:
    """Wall time during which at least one of several threads is at work."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working = 0
        self._began = self._total = 0.0

    def __enter__(self) -> None:
        with self._lock:
            if not self._working:
                self._began = time.perf_counter()
            self._working += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._working -= 1
            if not self._working:
                self._total += time.perf_counter() - self._began

    def seconds(self) -> float:
        with self._lock:
            return self._total


def _record(epoch: int, group: Sequence[int], info: Info, moved: np.ndarray) -> ChunkRecord:
    """Return the record of the members that trained in this epoch."""
    where = np.flatnonzero(moved)
    numbers = np.asarray(group, np.int64)[where]
    statuses = {
        int(n): _STATUS.get(int(code), Status.RUNNING)
        for n, code in zip(numbers, info.outcome[where], strict=True)
        if epoch == 1 or int(code) != Outcome.RUNNING
    }
    metrics = {
        name: np.asarray(getattr(info, name)[where], np.float32)
        for name in ("train_cost", "dev_cost", "dev_score")
    }
    return ChunkRecord(epoch, numbers, metrics, statuses, np.asarray(info.step[where], np.int64))
