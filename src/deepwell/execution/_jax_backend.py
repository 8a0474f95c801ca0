"""Programs compiled by JAX: any device; structures share programs by padding."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from deepwell._jax._numerics import check_numerics
from deepwell._jax._start import start
from deepwell.training._program import Member, Program, TrainingRows

from ._planner import Bucket, Machine, Plan, Shape, plan

_CORES = Machine
# All lanes of an accelerator move as one step, so that it has enough to do at once; halving leaves
# few of them, which then move into a narrower program.
_ACCELERATORS = functools.partial(
    Machine,
    compile_seconds=3.0,
    multiply_adds=1e12,
    lanes=256,
    width=256,
    narrower=(64, 16),
    memory=16 * 1024**3,
)


class JaxBackend:
    """Starts JAX when it is made; see `Backend`."""

    name = "jax"

    def __init__(self) -> None:
        runtime = start()
        from deepwell.training._jax_rows import DeviceRows  # it takes JAX as it was started

        cpu = runtime.platform == "cpu"
        self.machine = (_CORES if cpu else _ACCELERATORS)(devices=runtime.devices)
        self.copies = runtime.devices if cpu else 0  # an accelerator has its own memory
        self._held = DeviceRows()

    def check(self) -> None:
        """Raise `StudyError` when a fused reduction comes out wrong."""
        check_numerics()

    def plan(
        self,
        members: Mapping[int, Member],
        batch_sizes: Mapping[int, int],
        epochs: float,
        shape: Shape,
    ) -> Plan:
        """Return the programs: padded work against compile time."""
        return plan(members, batch_sizes, epochs, shape, self.machine)

    def has_room(self, member: Member, batch_size: int, shape: Shape) -> bool:
        """Return True: what a member needs is known when its program is compiled."""
        return True

    def build(self, bucket: Bucket, rows: TrainingRows) -> Program:
        """Compile a bucket's program, again with fewer lanes where it needs too much memory."""
        from deepwell.training._jax_program import JaxProgram

        program = JaxProgram(bucket.structure, rows, bucket.options, self._held)
        while (lanes := program.lanes_within(self.machine.memory)) < program.options.lanes:
            options = bucket.options.within(lanes)
            program = JaxProgram(bucket.structure, rows, options, self._held)
        return program
