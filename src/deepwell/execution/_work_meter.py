"""How much an engine has trained, and in what time."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.records import ChunkRecord
from deepwell.training._program import Info

from ._planner import Shape


class WorkMeter:
    """Adds up useful multiply-adds of epochs, and the wall time that they took.

    Args:
        shape: rows of the data.

    Attributes:
        multiply_adds: of each epoch with a finite score, at the true widths: forward, backward to
            weights and to inputs for every train row, and forward for every dev row.
        useful, executed: multiply-adds of all update steps at true sizes, and with all padding and
            idle lanes; both 0 where nothing is padded.
        seconds: from the first step to the last, what is done between epochs (recording them)
            included; waiting for programs to be compiled is not.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self.multiply_adds = 0.0
        self.useful = self.executed = 0.0
        self.seconds = 0.0

    def watch(
        self, records: Iterable[ChunkRecord], architectures: Mapping[int, Architecture]
    ) -> Iterator[ChunkRecord]:
        """Yield the records of training unchanged, counting them and the time until they end.

        Args:
            records: one an epoch and session, while it trains.
            architectures: trial number -> true shape.
        """
        each = {n: self._epoch(network) for n, network in architectures.items()}
        began = time.perf_counter()
        try:
            for record in records:
                ended = record.trials[np.isfinite(record.metrics["dev_score"])]
                self.multiply_adds += sum(map(each.__getitem__, ended.tolist()))
                yield record
        finally:
            self.seconds += time.perf_counter() - began

    def padding(self, info: Info) -> None:
        """Count what a call did at true sizes, and in all."""
        self.useful += info.useful
        self.executed += info.executed

    def _epoch(self, network: Architecture) -> float:
        rows = self._shape
        training = network.multiply_adds() * rows.train_rows
        return float(training + network.forward_multiply_adds() * rows.dev_rows)
