"""Programs of the compiled core: dense networks on CPU, exact widths, nothing to compile."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._native._core_module import cores
from deepwell.data._image_augmentations import STRENGTHS
from deepwell.training._native_program import KEPT_BYTES
from deepwell.training._native_views import most_sessions, native_program
from deepwell.training._program import Member, Program, ProgramOptions, Structure, TrainingRows
from deepwell.training._window import row_bytes

from ._memory_plan import (
    batch_beyond,
    check_room,
    lanes_that_fit,
    native_batches_bytes,
    native_member_bytes,
    native_said_bytes,
    native_worker_bytes,
)
from ._planner import Bucket, Machine, Plan, Shape

_LANES = 256  # members of one session: enough that no core waits long at an epoch's end


class NativeBackend:
    """Members that share a batch size share a session; see `Backend`."""

    name = "native"
    copies = 0  # the core trains on the arrays that it is given

    def __init__(self) -> None:
        at_work = cores()
        self.machine = Machine(
            compile_seconds=0.0, multiply_adds=1.5e10 * at_work, lanes=_LANES, devices=at_work
        )

    def check(self) -> None:
        """Return: the core is compiled ahead of time and tested against the formulas."""

    def plan(
        self,
        members: Mapping[int, Member],
        batch_sizes: Mapping[int, int],
        epochs: float,
        shape: Shape,
    ) -> Plan:
        """Return one program a batch size, whatever else the members differ in.

        Raises:
            UsageError: when a member has convolutions or augments images, or has no room.
        """
        if any(member.architecture.front for member in members.values()):
            raise UsageError(
                "convolutions train in the JAX program; leave `program` out, or take conv_layers=0"
            )
        stages = [stage for member in members.values() for stage in member.stages()]
        augmented = [n for n in STRENGTHS if any(stage.number(n) for stage in stages)]
        if augmented:
            raise UsageError(
                f"{augmented[0]} of images trains in the JAX program; leave `program` out, or take "
                f"{augmented[0]}=0"
            )
        by_batch: dict[int, list[int]] = {}
        for number in members:
            batch = min(batch_sizes[number], shape.train_rows)
            by_batch.setdefault(batch, []).append(number)
        buckets = tuple(
            Bucket(
                _structure(batch, shape),
                tuple(numbers),
                self._options([members[n] for n in numbers], batch, shape),
            )
            for batch, numbers in sorted(by_batch.items())
        )
        work = sum(m.architecture.multiply_adds() for m in members.values()) * shape.train_rows
        return Plan(buckets, useful=work, executed=work)

    def build(self, bucket: Bucket, rows: TrainingRows) -> Program:
        """Make a bucket's program."""
        return native_program(bucket.structure, rows, bucket.options.lanes)

    def has_room(self, member: Member, batch_size: int, shape: Shape) -> bool:
        """Whether a member fits in memory alone."""
        batch = min(batch_size, shape.train_rows)
        needed = self._needed(member, batch, shape)
        return sum(needed) <= self._in_flight([member], batch, shape)

    def _options(self, members: list[Member], batch: int, shape: Shape) -> ProgramOptions:
        """Return as many lanes as the largest members and all threads' workspaces leave room for.

        Raises:
            UsageError: when a member does not fit even alone.
        """
        in_flight = self._in_flight(members, batch, shape)
        needed = [self._needed(member, batch, shape) for member in members]
        largest = max(range(len(members)), key=lambda i: sum(needed[i]))
        check_room(in_flight, sum(needed[largest]), members[largest].architecture.parameters)
        lane, worker = (max(column) for column in zip(*needed, strict=True))
        several = shape.views > 1  # each of whose sessions has a thread and what that needs
        sessions = most_sessions(shape.views, self.machine.devices) if several else 1
        workers = min(sessions if several else self.machine.devices, len(members))
        said = min(native_said_bytes(member, shape.dev_rows) for member in members)
        most = self.machine.lanes
        lanes = max(  # the outputs that sessions keep are bounded in two ways
            lanes_that_fit(in_flight, lane, worker, workers, most),
            lanes_that_fit(in_flight - sessions * KEPT_BYTES, lane - said, worker, workers, most),
        )
        return ProgramOptions(lanes=lanes, width=1)

    def _in_flight(self, members: list[Member], batch: int, shape: Shape) -> int:
        """Return the bytes for members: one batch may be larger than what was set aside.

        That is so of the batches that the core lays out, which with several views are a part of
        what a thread needs, and of a window of streamed rows.
        """
        types = {np.dtype(member.dtype) for member in members} if shape.views == 1 else ()
        beyond = sum(
            batch_beyond(batch, shape.inputs, shape.train_rows, dtype.itemsize) for dtype in types
        )
        if shape.window_rows:
            beyond += max(0, batch - shape.window_rows) * row_bytes(shape.inputs)
        return self.machine.memory - beyond

    @staticmethod
    def _needed(member: Member, batch: int, shape: Shape) -> tuple[int, int]:
        """Return the bytes of a member, and of a thread that trains it."""
        stages = member.stages()
        work = max(native_worker_bytes(stage, batch, shape.dev_rows) for stage in stages)
        if shape.views > 1:
            steps = -(-shape.train_rows // batch)
            work += native_batches_bytes(member, batch, steps)
        return native_member_bytes(member) + native_said_bytes(member, shape.dev_rows), work


def _structure(batch: int, shape: Shape) -> Structure:
    """Return what members of a session share; their own shapes and rules stay their own."""
    return Structure(
        inputs=shape.inputs,
        hidden=(),
        outputs=shape.outputs,
        loss=shape.loss,
        activation="",
        optimizer="",
        batch=batch,
        drops=True,
        train_rows=shape.train_rows,
        dev_rows=shape.dev_rows,
        steps=shape.call_steps(batch, -(-shape.train_rows // batch)),
        score=shape.score,
        views=shape.views,
    )
