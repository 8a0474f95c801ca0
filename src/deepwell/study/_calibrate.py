"""A temperature and a decision threshold for a study's model: measured, then stored with it.

Both are fitted on the rows that networks were chosen on, predicted by one that was not trained on
them, and what they do is measured on parts of those rows that did not fit them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.diagnosis._temperature import Scaling, at_temperature, temperature_scaling
from deepwell.diagnosis._threshold import Threshold, decision_threshold, objective
from deepwell.storage._open import open_store

from ._adjustments import scores_of
from ._finished import FinishedStudy
from ._reopened import reopen
from ._standing import folder_now
from ._test_mark import TEST
from ._which import BEST, FOLDERS


@dataclass(frozen=True)
class Calibrated:
    """What was stored with a model.

    Attributes:
        scaling: of the temperature; None where none was asked for.
        kept: whether the temperature lowers the log loss and was stored.
        threshold: what it changes; None where none was asked for. It was stored where that is an
            improvement.
        positive: label of the class that the threshold is for, or an empty string.
        rows: they were fitted on.
    """

    scaling: Scaling | None
    kept: bool
    threshold: Threshold | None
    positive: str
    rows: int

    def to_plain(self) -> dict[str, object]:
        """Return it for JSON."""
        return {
            "rows": self.rows,
            "temperature": None if self.scaling is None else self.scaling.to_plain(),
            "temperature_kept": self.kept,
            "threshold": None if self.threshold is None else self.threshold.to_plain(),
            "positive": self.positive,
        }


def calibrate_study(
    study: FinishedStudy,
    store: str | Path | None,
    data: Data | None,
    temperature: bool,
    threshold: str | None,
) -> Calibrated:
    """Store a temperature and a threshold with a study's model, or take them away.

    Args:
        study: of classes.
        store: where it is kept.
        data: its rows; None reads them again from where they came.
        temperature: whether to fit one; it is kept where it lowers the log loss of rows that did
            not fit it.
        threshold: `f1`, `balanced_error` or `cost=R`, for two classes; None for the likelier class.
            It is kept where it improves that on rows that did not choose it.

    Raises:
        UsageError: for regression, more than two classes with a threshold, or rows that cannot be
            read or predicted again.
    """
    goal = None if threshold is None else objective(threshold)
    classes = study.model().classes
    if not classes:
        raise UsageError("a regression model has no probabilities to calibrate")
    if goal is not None and len(classes) != 2:
        raise UsageError(
            f"a threshold is for two classes, and this study has {len(classes)}; leave it out"
        )
    with open_store(store, create=False) as opened:
        record = opened.study(study.name)
    reopened = reopen(study, store, data)
    plain = reopened.as_trained()
    held = plain.held
    if held is None:
        raise UsageError(
            f"the networks of study {safe_text(reopened.result.name)} cannot be trained again fold "
            "by fold, so no row is left that its model was not trained on"
        )
    seed = reopened.settings.seed
    probabilities, scaling = held.prediction, None
    if temperature:
        scaling = temperature_scaling(held.y, probabilities, held.weight, seed, held.group)
    kept = scaling is not None and scaling.change.value < 0
    if scaling is not None and kept:
        probabilities = at_temperature(probabilities, scaling.temperature)
    found = None
    if goal is not None:
        second = probabilities[:, 1]
        found = decision_threshold(goal, held.y, second, held.weight, seed, held.group)
    adjustments = replace(
        scores_of(held.y, probabilities, seed),
        temperature=scaling.temperature if scaling is not None and kept else 1.0,
        threshold=None if found is None or not found.helps else found.value,
        threshold_for="" if found is None or not found.helps else found.objective,
    )
    about = {k: v for k, v in plain.model.about.items() if k != TEST}  # which scored another one
    with open_store(store, create=False) as opened:
        folder = folder_now(opened, record) / FOLDERS[BEST]
    replace(plain.model, adjustments=adjustments, about=about).save(folder)
    positive = "" if found is None else classes[1]
    return Calibrated(scaling, kept, found, positive, len(held.y))
