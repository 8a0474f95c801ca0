"""What the dev rows of a table of predictions tell beyond the gaps: the sections of predictions."""

from __future__ import annotations

import numpy as np

from deepwell.diagnosis._prediction_sections import (
    Predicted,
    labels_section,
    prediction_sections,
    slices_section,
)
from deepwell.records import Section

from ._predictions_table import Predictions


def told_by_dev(read: Predictions, metric: str) -> list[Section]:
    """Return calibration, confusion, thresholds, slices, wrong labels and sets of the dev rows.

    Of several networks the first one is looked at. Classes without probabilities, and numbers,
    have slices where the table has further columns; numbers have wrong targets and intervals too.

    Args:
        read: the table.
        metric: name of what the model was chosen by.
    """
    dev = read.parts["dev"]
    rows = Predicted(
        y=dev.y,
        prediction=dev.said[0],
        classes=read.classes,
        weight=dev.weight,
        columns={name: values[dev.places] for name, values in read.others.items()},
        numbers=dev.places + 1,
        metric=metric,
        group=dev.group,
    )
    if not np.isfinite(rows.prediction).all():
        return []
    if read.classes and not read.probabilities:
        return [slices_section(rows)] if rows.columns else []
    sections = [s for s in prediction_sections(rows) if s.name != "slices" or rows.columns]
    return [*sections, labels_section(rows, "dev rows")]
