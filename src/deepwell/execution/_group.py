"""Members that train together: from where they stand to the end of their last epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from deepwell.records import ChunkRecord
from deepwell.training._program import Info, Member, Outcome, Session

from ._chunk_records import chunk_record
from ._course import Course
from ._probe_plan import ProbePlan
from ._recovery import out_of_memory
from ._work_meter import WorkMeter


@dataclass(frozen=True, eq=False)
class Group:
    """Members of one session, which share the order of their batches.

    Attributes:
        course: how they go through the rows.
        session: that moves them, in the order of `members`.
        members: trial number -> network.
        last: trial number -> the last epoch of its specification.
        probes: who is looked into, and when; None for no one.
        meter: that counts what is done.
    """

    course: Course
    session: Session
    members: Mapping[int, Member]
    last: Mapping[int, int]
    probes: ProbePlan | None
    meter: WorkMeter

    def train(
        self, done: int, step: int, until: int, stop: Callable[[], bool]
    ) -> Iterator[ChunkRecord]:
        """Train up to an epoch; yield one record an epoch.

        Args:
            done: epochs that they have done.
            step: update steps that they have done.
            until: epoch to reach.
            stop: asked between calls.
        """
        # A stop may come inside an epoch, or between its last step and its score.
        begun = step - done * self.course.epochs.steps
        running = np.ones(len(self.members), bool)
        for epoch in range(done + 1, until + 1):
            moved = np.full(len(self.members), begun == self.course.epochs.steps)
            info: Info | None = None
            for chunk in self.course.epochs.chunks(epoch, begun):
                info = self.session.advance(chunk, stop)
                self.meter.padding(info)
                moved |= info.moved
                if not chunk.ends_epoch and stop():
                    ended = moved & (info.outcome != Outcome.RUNNING)
                    if ended.any():  # who ended inside an epoch is told before the stop
                        yield self._record(epoch, info, ended)
                    return
            begun = 0
            assert info is not None
            moved &= ~np.isnan(info.dev_cost) | (info.outcome != Outcome.RUNNING)
            if moved.any():  # a stop leaves some without a score, to be told when they have it
                yield self._record(epoch, info, moved)
            running &= info.outcome == Outcome.RUNNING
            if not running.any() or stop():
                return

    def _record(self, epoch: int, info: Info, told: np.ndarray) -> ChunkRecord:
        """Return the record of an epoch with what the plan asks to see of its members.

        Args:
            epoch: counted from 1.
            info: what it told.
            told: (P,) of which members.
        """
        group, plan = list(self.members), self.probes
        record = chunk_record(epoch, group, info, told)
        wanted = sorted(plan.trials.intersection(record.trials.tolist())) if plan else []
        if plan is None or not wanted:
            return record
        members = {n: self.members[n] for n in wanted}
        due = [n for n in wanted if plan.due(epoch, self.last[n])]
        try:
            found = self.course.probe_start(members) if epoch == 1 else []
            if due:
                states = self.session.read([group.index(n) for n in due])
                of_due = dict(zip(due, states, strict=True))
                found += self.course.probe({n: members[n] for n in due}, of_due, epoch)
        except Exception as error:  # what a lack of memory raises depends on the program
            if not out_of_memory(error):
                raise
            return record  # a network that fits goes on, though its copies do not
        return replace(record, probes=tuple(found))
