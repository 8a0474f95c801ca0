"""What of streamed train rows is read for the simple models and for the train score."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepwell.data._data import Data

_SHARE = 8  # of the budget one part in so many is for these rows and what is computed from them
_LEAST = 1_000


def affordable(data: Data) -> Data:
    """Return the data with train rows that fit in memory: all, or a random sample of them.

    The sample depends on the split's seed alone, so that the train score and the simple models
    are of the same rows.
    """
    n = len(data.train)
    rows = affordable_rows(data)
    if rows == n:
        return data
    generator = np.random.default_rng(data.facts.split_seed)
    chosen = np.sort(generator.choice(n, rows, replace=False))
    return replace(data, train=data.train.part(chosen))


def affordable_rows(data: Data) -> int:
    """Return how many train rows may be in memory at once beside all else."""
    n = len(data.train)
    if data.memory is None or not isinstance(data.train.x, np.memmap):
        return n
    inputs, classes = data.train.x.shape[1], max(1, len(data.task.classes))
    each = inputs * (4 + 2 * 8) + classes * 5 * 8 + 64  # the rows, float64 copies, predictions
    return min(n, max(_LEAST, data.memory // _SHARE // each))


def sampled_note(data: Data) -> tuple[str, ...]:
    """Return the sentence that says what was left out, or nothing."""
    rows, n = affordable_rows(data), len(data.train)
    if rows == n:
        return ()
    return (
        f"train score and simple models: on a random {rows:,} of {n:,} train rows, as many as fit "
        "the memory budget",
    )
