"""What every fit of numbers says about its targets: whether some are clearly wrong (DW211)."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._data import Data
from deepwell.diagnosis._prediction_sections import Predicted, labels_section
from deepwell.records import Finding, Section

from ._evaluate import targets

_ROWS = 1_000  # for some tens of milliseconds
_LEAST_WRONG = 0.02  # share of the targets, its interval's lower end


def wrong_targets(data: Data, prediction: np.ndarray, metric: str, seed: int) -> list[Finding]:
    """Return DW211 where it is a problem, nothing else; `deepwell diagnose` tells the rest.

    Of many dev rows a random part is looked at. Of classes nothing is: labels are told by networks
    that learn without those that are contradicted, which a fit has no time for.

    Args:
        data: whose dev rows were predicted.
        prediction: (n,) values for them; probabilities have nothing to be told here.
        metric: name of what networks are chosen by.
        seed: of the draws.
    """
    if prediction.ndim > 1 or data.task.classes or not np.isfinite(prediction).all():
        return []
    rows, dev = np.arange(len(prediction)), data.dev
    if len(rows) > _ROWS:
        rows = np.sort(np.random.default_rng(seed).choice(len(rows), _ROWS, replace=False))
    part = Predicted(
        y=targets(data, dev)[rows],
        prediction=prediction[rows],
        metric=metric,
        seed=seed,
        group=None if dev.group is None else dev.group[rows],
    )
    section = labels_section(part, "dev rows")
    return [f for f in section.findings if f.level == "problem" and _many(section)]


def _many(section: Section) -> bool:
    flipped: Any = section.facts["flipped"]
    return flipped["low"] >= _LEAST_WRONG
