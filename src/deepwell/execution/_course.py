"""How members of a program go through the rows: the calls of an epoch, and probes on the way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.checking._probes import Where, look_inside
from deepwell.data._batches import epoch_order, part_order, steps_per_epoch, view_orders
from deepwell.records import Probe
from deepwell.records._probe import QUANTILES
from deepwell.training._changing import changing
from deepwell.training._program import Chunk, Member, Program, State, TrainingRows
from deepwell.training._state import initial_state
from deepwell.training._window import windowed


@dataclass(frozen=True)
class Course:
    """What members share that train together.

    Attributes:
        program: that trains them.
        rows: of all data views.
        order_seed: of the order of the batches.
    """

    program: Program
    rows: TrainingRows
    order_seed: int

    @property
    def steps(self) -> int:
        """Update steps of an epoch."""
        most = max(len(view.y_train) for view in self.rows.views)
        return steps_per_epoch(most, self.program.structure.batch)

    def chunks(self, epoch: int, begun: int = 0) -> Iterator[Chunk]:
        """Yield the calls of an epoch whose first steps are done; one without steps if all are.

        Args:
            epoch: counted from 1.
            begun: steps of it that are done.
        """
        order, steps, at_once = self.order(epoch), self.steps, self.program.structure.steps
        for first in range(begun, max(steps, begun + 1), at_once):
            part = order[..., first : first + at_once, :]
            yield self._with_rows(Chunk(part, epoch, first + at_once >= steps))

    def probe(
        self, members: Mapping[int, Member], states: Mapping[int, State], epoch: int
    ) -> list[Probe]:
        """Return what is inside members after an epoch, by the next step; they stay as they are.

        Args:
            members: trial number -> network.
            states: of the same trials.
            epoch: the last one that they ended, or ended in.
        """
        order = self.order(epoch + 1)[..., :1, :]
        next_step = self._with_rows(Chunk(order, epoch + 1, ends_epoch=False))
        where = Where(self.program, self.rows, next_step, QUANTILES)
        each = [states[n] for n in members]
        now = [member.during(epoch + 1) for member in members.values()]
        found = look_inside(now, each, where)
        return [
            Probe(number, epoch, int(state["step"]), **vars(inside))
            for number, state, inside in zip(members, each, found, strict=True)
        ]

    def probe_start(self, members: Mapping[int, Member]) -> list[Probe]:
        """Return what is inside members before their first step."""
        return self.probe(members, {n: initial_state(member) for n, member in members.items()}, 0)

    def replay(self, number: int, member: Member, epochs: Sequence[int]) -> list[Probe]:
        """Train a member once more from its start, alone, and probe it after these epochs.

        It comes out as it did before, to the bit, whoever trained beside it then.

        Args:
            number: of the trial.
            member: the network.
            epochs: how many must be done at each probe, rising.
        """
        alone = {number: member}
        probes = self.probe_start(alone) if 0 in epochs else []
        session = changing(self.program.load([member], [None]), [member])
        for epoch in range(1, max(epochs) + 1):
            for chunk in self.chunks(epoch):
                session.advance(_unscored(chunk))
            if epoch in epochs:
                probes += self.probe(alone, {number: next(session.read())}, epoch)
        return probes

    def order(self, epoch: int) -> np.ndarray:
        """Return the rows of an epoch's batches, for each data view where there are several."""
        sizes = [len(view.y_train) for view in self.rows.views]
        batch = self.program.structure.batch
        if self.rows.parts:
            each = (
                part_order(self.order_seed, epoch, part, sizes[0], batch)
                for part in self.rows.parts.values()
            )
            orders = np.stack(list(each))
            return orders if len(orders) > 1 else orders[0]
        if len(sizes) == 1:
            return epoch_order(self.order_seed, epoch, sizes[0], batch)
        return view_orders(self.order_seed, epoch, sizes, batch)

    def _with_rows(self, chunk: Chunk) -> Chunk:
        streamed = self.rows.streamed and len(chunk.order)
        return windowed(chunk, self.rows) if streamed else chunk


def _unscored(chunk: Chunk) -> Chunk:
    return Chunk(chunk.order, chunk.epoch, ends_epoch=False, window=chunk.window)
