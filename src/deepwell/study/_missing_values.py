"""What missing values cost the best network of a study (DW208): measured on its dev rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepwell.data._table_encoder import TableEncoder
from deepwell.diagnosis._curves import matters
from deepwell.diagnosis._importance_of_columns import Judged
from deepwell.diagnosis._metrics import METRICS
from deepwell.diagnosis._missing_values import (
    DRAWS,
    blank_columns,
    missing_finding,
    missing_values,
)
from deepwell.records import Finding
from deepwell.training._state import best_parameters

from ._data_checks import encoded_table
from ._evaluate import targets
from ._training_findings import Ended, curves_of, said_of

_PRODUCTS = 2e10  # multiply-adds of all draws: about a second
_CELLS = 1e8  # inputs of all draws, whose blanks take as long
_LEAST_ROWS = 1_000  # which a large network scores twice, however long it takes
_LEAST_DRAWS = 2


def missing_findings(ended: Ended, encoder: TableEncoder) -> list[Finding]:
    """Return DW208; nothing where no column has blanks, nor for images and streamed rows.

    Args:
        ended: the study.
        encoder: of the rows that its best network was trained on.
    """
    data, task = ended.data, ended.data.task
    streamed = any(isinstance(rows.x, np.memmap) for rows in (data.train, data.dev))
    if data.image or streamed or ended.architecture.front is not None:
        return []
    table = encoded_table(replace(data, table_encoder=encoder))
    columns = blank_columns(data.train.x, table, data.train.y, len(task.classes))
    if not columns:
        return []
    each = max(ended.architecture.forward_multiply_adds() / _PRODUCTS, data.dev.x.shape[1] / _CELLS)
    most = max(_LEAST_ROWS, int(1 / (_LEAST_DRAWS * each)))
    group = data.dev.group
    if len(data.dev if group is None else np.unique(group)) < 2:
        return []  # one of which nothing can be resampled
    rows = np.arange(len(data.dev))
    if len(rows) > most:
        rows = np.sort(np.random.default_rng(ended.seed).choice(len(rows), most, replace=False))
    draws = int(min(DRAWS, max(_LEAST_DRAWS, 1 / (each * len(rows)))))
    parameters, dev = best_parameters(ended.state), data.dev.part(rows)

    def predict(x: np.ndarray) -> np.ndarray:
        return said_of(ended, parameters, x)

    y = targets(data, dev)
    judged = Judged(METRICS[ended.metric], predict, dev.x, y, dev.weight, dev.group)
    found = missing_values(judged, columns, draws, ended.seed)
    if found is None:
        return []
    return [missing_finding(found, ended.metric, matters(curves_of(ended)))]
