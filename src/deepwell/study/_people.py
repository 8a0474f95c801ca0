"""People's labels beside the network: the best possible score as they reach it (DW119)."""

from __future__ import annotations

import numpy as np

from deepwell.data._data import Data
from deepwell.data._rows import Rows
from deepwell.diagnosis._best_possible import BestPossible
from deepwell.diagnosis._human_labels import Answered, compare_with_people, human_best
from deepwell.diagnosis._intervals import paired_difference
from deepwell.diagnosis._metrics import Metric
from deepwell.records import Finding

from ._evaluate import targets

_BY_PROBABILITY = ("log_loss", "auc")  # people give answers, no probabilities
_LEAST = 2


def people_best(
    data: Data, metric: Metric, train_prediction: np.ndarray, seed: int
) -> BestPossible | None:
    """Return the best possible score as people reach it on train and dev rows.

    None where no column of theirs was named, the metric asks for probabilities, or the rows are
    not those of one split, as with folds.

    Args:
        data: of the study.
        metric: what is measured.
        train_prediction: the network's, of the train rows.
        seed: of the resampling.
    """
    if not _compared(data, metric):
        return None
    assert data.human is not None
    own = _answered(data, data.train, data.human.train)
    others = _answered(data, data.dev, data.human.dev)
    said = train_prediction[~np.isnan(data.human.train)]
    return human_best(metric, own, said, [others], seed)


def people_findings(
    data: Data, metric: Metric, dev_prediction: np.ndarray, seed: int
) -> list[Finding]:
    """Return DW119: the network against people on the same dev rows; none without their labels."""
    if not _compared(data, metric):
        return []
    assert data.human is not None
    labeled = ~np.isnan(data.human.dev)
    if labeled.sum() < _LEAST:
        return []
    rows = _answered(data, data.dev, data.human.dev)
    said = dev_prediction[labeled]
    difference = paired_difference(metric, rows.y, said, rows.human, rows.weight, seed, rows.group)
    return compare_with_people(metric.name, difference, int(labeled.sum()))


def _compared(data: Data, metric: Metric) -> bool:
    human = data.human
    if human is None or metric.name in _BY_PROBABILITY:
        return False
    return (len(human.train), len(human.dev)) == (len(data.train), len(data.dev))


def _answered(data: Data, part: Rows, answers: np.ndarray) -> Answered:
    """Return those rows of a part that people labeled."""
    known = ~np.isnan(answers)
    said = _said(data, answers[known])
    group = None if part.group is None else part.group[known]
    return Answered(targets(data, part)[known], said, part.weight[known], group)


def _said(data: Data, answers: np.ndarray) -> np.ndarray:
    """Return answers as the metric takes them: a class as a probability of 1."""
    if data.task.kind == "regression":
        return answers
    return np.eye(len(data.task.classes))[answers.astype(np.intp)]
