"""What every fit says about its probabilities: whether they are clearly wrong (DW213)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from deepwell._base._shell import shell_word
from deepwell.data._data import Data
from deepwell.diagnosis._metrics import Metric
from deepwell.diagnosis._prediction_findings import mended_by_temperature
from deepwell.diagnosis._prediction_sections import Predicted, calibration_of
from deepwell.records import Finding

from ._evaluate import targets

_DRAWS = 199
_CELLS = 10_000  # rows times classes, for some milliseconds


def wrong_probabilities(
    data: Data, prediction: np.ndarray, metric: Metric, seed: int, name: str
) -> list[Finding]:
    """Return DW213 where it is a problem, nothing else; `deepwell diagnose` tells the rest.

    Of many dev rows a random part is looked at, so that it takes some milliseconds at most. For a
    metric of decisions it is none, and nothing is looked at.

    Args:
        data: whose dev rows were predicted.
        prediction: (n, C) probabilities for them; values have nothing to be told.
        metric: that networks are chosen by.
        seed: of the draws.
        name: of the study, for the command that stores a temperature.
    """
    if prediction.ndim == 1 or metric.of_decisions:
        return []
    n, classes = len(prediction), len(data.task.classes)
    most = max(1, _CELLS // classes)
    rows = np.arange(n)
    if n > most:
        rows = np.sort(np.random.default_rng(seed).choice(n, most, replace=False))
    dev = data.dev
    part = Predicted(
        y=targets(data, dev)[rows],
        prediction=prediction[rows],
        classes=data.task.classes,
        weight=dev.weight[rows],
        metric=metric.name,
        seed=seed,
        class_factors=data.weighting.by_class,
        group=None if dev.group is None else dev.group[rows],
    )
    finding, _ = calibration_of(part, _DRAWS)
    if finding.level != "problem":
        return []
    command = f"deepwell calibrate {shell_word(name)}" if mended_by_temperature(finding) else ""
    evidence = {**finding.evidence, "rows": min(n, most)}
    return [replace(finding, evidence=evidence, command=command)]
