"""What turns a plan into programs: one backend a kind of program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from deepwell.training._program import Member, Program, TrainingRows

from ._planner import Bucket, Machine, Plan, Shape


class Backend(Protocol):
    """The programs of one kind on this machine.

    Attributes:
        name: `jax` or `native`.
        machine: what is assumed of the machine; decisions rest on it and on nothing measured.
        copies: of the rows that a program makes in this machine's memory.
    """

    name: str
    machine: Machine
    copies: int

    def check(self) -> None:
        """Raise `StudyError` when this machine computes wrongly."""
        ...

    def plan(
        self,
        members: Mapping[int, Member],
        batch_sizes: Mapping[int, int],
        epochs: float,
        shape: Shape,
    ) -> Plan:
        """Return which trials share a program; nothing is compiled.

        Args:
            members: trial number -> member.
            batch_sizes: trial number -> rows of a batch as asked for.
            epochs: epochs that a trial trains on average under the scheduler.
            shape: data and task.
        """
        ...

    def has_room(self, member: Member, batch_size: int, shape: Shape) -> bool:
        """Whether a member fits in memory alone, as far as that is known before it is tried.

        Args:
            member: the network.
            batch_size: rows of a batch as asked for.
            shape: data and task.
        """
        ...

    def build(self, bucket: Bucket, rows: TrainingRows) -> Program:
        """Compile (or simply make) the program of a bucket."""
        ...
