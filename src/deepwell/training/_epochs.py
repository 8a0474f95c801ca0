"""How members of a program go through the rows: the calls of an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepwell.data._batches import epoch_order, part_order, steps_per_epoch, view_orders

from ._program import Chunk, Program, TrainingRows
from ._window import windowed


@dataclass(frozen=True)
class Epochs:
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

    def first_step(self, epoch: int) -> Chunk:
        """Return the first step of an epoch, which ends none."""
        order = self.order(epoch)[..., :1, :]
        return self._with_rows(Chunk(order, epoch, ends_epoch=False))

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
