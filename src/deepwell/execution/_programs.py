"""The programs of an engine: planned, compiled in the background, narrowed when memory runs out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace

from deepwell.training._program import Member, Program, TrainingRows

from ._backend import Backend
from ._planner import Bucket, Plan, Shape
from ._recovery import out_of_memory
from ._span import Span

_POLL_SECONDS = 0.1
_NO_BOUND = 1 << 62


class Programs:
    """One program for each structure that was planned, by its place in the order of planning.

    Args:
        backend: where programs come from.
        rows: that they train on.
        shape: the data and task as they see them.

    Attributes:
        buckets: structure, trials and options of each.
    """

    def __init__(self, backend: Backend, rows: TrainingRows, shape: Shape) -> None:
        self._backend = backend
        self._rows = rows
        self._shape = shape
        self.buckets: list[Bucket] = []
        self._built: list[Future[Program]] = []
        self._at_once: dict[int, int] = {}  # by program, once memory ran out
        self._compiling = Span()
        self._pool: ThreadPoolExecutor | None = None

    def plan(
        self, members: Mapping[int, Member], batch_sizes: Mapping[int, int], epochs: float
    ) -> Plan:
        """Return the programs for these trials without compiling anything.

        Args:
            members: trial number -> member.
            batch_sizes: trial number -> rows of a batch as asked for.
            epochs: epochs that a trial trains on average under the scheduler.
        """
        return self._backend.plan(members, batch_sizes, epochs, self._shape)

    def has_room(self, member: Member, batch_size: int) -> bool:
        """Whether a member fits in memory alone, as far as that is known before it is tried."""
        return self._backend.has_room(member, batch_size, self._shape)

    def prepare(self, planned: Plan) -> None:
        """Start compiling, in the background, what of a plan is not there yet.

        Raises:
            StudyError: when this machine's arithmetic is wrong.
        """
        self._backend.check()
        known = {b.structure: i for i, b in enumerate(self.buckets)}
        if self._pool is None:
            workers = max(1, self._backend.machine.devices)
            self._pool = ThreadPoolExecutor(workers, thread_name_prefix="compile")
        for bucket in planned.buckets:
            index = known.get(bucket.structure)
            if index is None:
                self.buckets.append(bucket)
                self._built.append(self._pool.submit(self._build, bucket))
            else:
                self._join(index, bucket)

    def share(self, number: int, source: int, member: Member) -> bool:
        """Let a trial train in the program of another one; return whether that is possible.

        Waits until that program is there, for it says what it can train.

        Args:
            number: of the trial.
            source: of the other one.
            member: the trial's network.
        """
        for index, bucket in enumerate(self.buckets):
            if number in bucket.trials:
                return True
            if source in bucket.trials and self.at(index).fits(member):
                self.buckets[index] = replace(bucket, trials=(*bucket.trials, number))
                return True
        return False

    def release(self, numbers: Collection[int]) -> None:
        """Forget that these trials train in any program, so that others may have their numbers."""
        for index, bucket in enumerate(self.buckets):
            left = tuple(n for n in bucket.trials if n not in numbers)
            if left != bucket.trials:
                self.buckets[index] = replace(bucket, trials=left)

    def keeps(self, number: int, member: Member) -> bool:
        """Let a trial stay in its program as another member; return whether that is possible.

        Where it is not, the trial has no program any more. Waits until the program is there.

        Args:
            number: of the trial.
            member: the trial's network from now on.
        """
        for index, bucket in enumerate(self.buckets):
            if number in bucket.trials:
                if self.at(index).fits(member):
                    return True
                left = tuple(n for n in bucket.trials if n != number)
                self.buckets[index] = replace(bucket, trials=left)
        return False

    def as_built(
        self, chosen: Set[int], stop: Callable[[], bool]
    ) -> Iterator[tuple[int, list[int]]]:
        """Yield the place of each program that has some of these trials, with those, once built.

        Args:
            chosen: numbers of trials.
            stop: asked while nothing is ready and after each; True ends the wait.
        """
        waiting = {
            future: index
            for index, (future, bucket) in enumerate(zip(self._built, self.buckets, strict=True))
            if chosen & set(bucket.trials)
        }
        while waiting and not stop():
            ready, _ = wait(waiting, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
            # Results do not depend on the order; a fixed one keeps the record tidy.
            for future in sorted(ready, key=lambda f: waiting[f]):
                index = waiting.pop(future)
                yield index, [n for n in self.buckets[index].trials if n in chosen]
                if stop():
                    return

    def at(self, index: int) -> Program:
        """Return a program as soon as it is there.

        Raises:
            Exception: what building it raised.
        """
        return self._built[index].result()

    def of(self, number: int) -> Program | None:
        """Return the program of a trial as soon as it is there; None for no program.

        Raises:
            Exception: what building it raised.
        """
        for index, bucket in enumerate(self.buckets):
            if number in bucket.trials:
                return self.at(index)
        return None

    def planned(self, number: int) -> bool:
        """Whether a trial has a program, there already or to come."""
        return any(number in bucket.trials for bucket in self.buckets)

    def without(self, numbers: Collection[int]) -> set[int]:
        """Return those of these trials that have no program, neither there already nor to come."""
        return set(numbers).difference(*(bucket.trials for bucket in self.buckets))

    def built(self) -> list[Program]:
        """Return the programs that are there already, in the order of planning."""
        done = [future for future in self._built if future.done() and not future.cancelled()]
        return [future.result() for future in done if future.exception() is None]

    def made_for(self, number: int, member: Member, batch_size: int) -> Program:
        """Return a program for one trial alone, which is not kept."""
        planned = self.plan({number: member}, {number: batch_size}, 1.0)
        return self._build(planned.buckets[0])

    def lanes(self, index: int) -> int:
        """Return how many members may train at once in a program."""
        return min(self.at(index).lanes, self._at_once.get(index, _NO_BOUND))

    def narrow(self, index: int, lanes: int) -> None:
        """Let no more members train at once in a program from now on, for lack of memory."""
        self._at_once[index] = lanes
        bucket = self.buckets[index]
        devices = max(1, self.at(index).lanes // bucket.options.lanes)  # it may have got fewer
        options = bucket.options.within(-(-lanes // devices))
        if options != bucket.options:
            self._rebuild(index, replace(bucket, options=options))

    def ran_out(self, index: int) -> bool:
        """Whether memory ran out while a program was built; waits until that is known."""
        error = self._built[index].exception()
        return error is not None and out_of_memory(error)

    def build_for(self, index: int, lanes: int) -> None:
        """Build a program anew, for which memory ran out, with no more lanes than these."""
        bucket = self.buckets[index]
        self._rebuild(index, replace(bucket, options=bucket.options.within(lanes)))

    @property
    def compile_seconds(self) -> float:
        """Wall time during which at least one program was being compiled."""
        return self._compiling.seconds()

    def __len__(self) -> int:
        """Return how many programs were planned and handed to the compiler."""
        return len(self._built)

    def close(self) -> None:
        """Stop compiling what nobody waits for any more."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)

    def _join(self, index: int, bucket: Bucket) -> None:
        """Let the trials of a bucket train in the program of its structure, which is there.

        Members of one structure may differ in size where they go one after another: larger ones
        than before leave room for fewer. Of a vectorized step the lanes say how many trials were
        planned, and all need the same.
        """
        old = self.buckets[index]
        trials = tuple(dict.fromkeys((*old.trials, *bucket.trials)))
        in_turn = old.options.width == 1
        options = old.options.within(bucket.options.lanes) if in_turn else old.options
        self.buckets[index] = both = Bucket(old.structure, trials, options)
        if options != old.options and self._pool is not None:
            self._built[index] = self._pool.submit(self._build, both)

    def _rebuild(self, index: int, bucket: Bucket) -> None:
        self.buckets[index] = bucket
        self._built[index] = built = Future[Program]()  # the one before gives up its memory
        try:
            built.set_result(self._build(bucket))
        except Exception as error:  # told to whoever needs the program
            built.set_exception(error)

    def _build(self, bucket: Bucket) -> Program:
        with self._compiling:
            return self._backend.build(bucket, self._rows)
