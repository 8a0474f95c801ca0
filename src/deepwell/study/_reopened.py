"""A finished study with its rows read again: what every section of a diagnosis is made from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from deepwell.data._data import Data
from deepwell.diagnosis._metrics import METRICS, Metric
from deepwell.records import StudyResult, Trial
from deepwell.storage._open import open_store

from ._affordable import affordable
from ._asked import from_config
from ._evaluate import targets
from ._finished import FinishedStudy
from ._model import Model
from ._same_data import same_data
from ._settings import Settings

if TYPE_CHECKING:
    from ._out_of_fold import HeldOut


@dataclass(frozen=True, eq=False)
class Reopened:
    """A finished study, its rows and its best network. Holds no test row.

    Attributes:
        result: the outcome.
        settings: what the study was asked to do.
        data: its train, dev and train-dev rows; of rows that were streamed, a sample of train.
        model: the best network; of a study with folds the one trained on all rows, for which no
            row here was held out.
        study: as it was found; store: where, as it was given.
    """

    result: StudyResult
    settings: Settings
    data: Data
    model: Model
    study: FinishedStudy
    store: str | Path | None = None

    @property
    def metric(self) -> Metric:
        """What networks were chosen by."""
        return METRICS[self.settings.metric]

    @property
    def held_out(self) -> bool:
        """Whether the saved network was trained without the dev rows."""
        return not self.settings.folds

    def trials(self) -> list[Trial]:
        """Return all trials, without curves."""
        return self.study.trials()

    def as_trained(self) -> Reopened:
        """Return it with the predictions of the network alone: no temperature, no threshold."""
        adjustments = self.model.adjustments.as_trained
        return replace(self, model=replace(self.model, adjustments=adjustments))

    @cached_property
    def out_of_fold(self) -> HeldOut | None:
        """Train and dev rows predicted by networks not trained on them; None where folds fail."""
        from ._out_of_fold import out_of_fold  # which needs a reopened study itself

        return out_of_fold(self)

    @cached_property
    def held(self) -> HeldOut | None:
        """The rows that networks were chosen on, predicted by one that was not trained on them."""
        from ._out_of_fold import dev_rows

        return dev_rows(self)

    @cached_property
    def y_train(self) -> np.ndarray:
        """Targets of the train rows in the task's own terms."""
        return targets(self.data, self.data.train)

    @cached_property
    def y_dev(self) -> np.ndarray:
        """Targets of the dev rows in the task's own terms."""
        return targets(self.data, self.data.dev)

    @cached_property
    def train_prediction(self) -> np.ndarray:
        """What the network says of the train rows."""
        return self.model.outputs(self.data.train.x)

    @cached_property
    def dev_prediction(self) -> np.ndarray:
        """What the network says of the dev rows."""
        return self.model.outputs(self.data.dev.x)

    @cached_property
    def train_dev_prediction(self) -> np.ndarray | None:
        """What the network says of the train-dev rows; None where there are none."""
        rows = self.data.train_dev
        return None if rows is None else self.model.outputs(rows.x)


def reopen(
    study: FinishedStudy,
    store: str | Path | None,
    data: Data | None = None,
    call: str = 'open_study("{}").diagnose(load(...))',
) -> Reopened:
    """Return a finished study with its rows.

    Args:
        study: that has a result.
        store: where it is kept.
        data: its rows; None reads them again from where they came.
        call: how rows from memory are given again in Python, `{}` the study's name.

    Raises:
        UsageError: when the rows are not to be had, or not those that the study was begun with.
    """
    result = study.result
    with open_store(store, create=False) as opened:
        record = opened.study(result.name)
        settings = from_config(record).settings
        rows = same_data(opened, record, data, call)
    return Reopened(result, settings, affordable(rows), study.model(), study, store)
