"""The gaps of any model of any library, from its predictions alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._baselines import constant_guess
from deepwell.diagnosis._best_possible import BestPossible, given_best
from deepwell.diagnosis._bias_variance import (
    BiasVarianceEvidence,
    diagnose_bias_variance,
    gain_that_counts,
    material_size,
)
from deepwell.diagnosis._comparison import compare_with_baselines
from deepwell.diagnosis._dev_to_test import diagnose_dev_to_test
from deepwell.diagnosis._human_labels import Answered, compare_with_people, human_best
from deepwell.diagnosis._intervals import (
    estimate,
    paired_difference,
    unpaired_difference,
    wilson,
)
from deepwell.diagnosis._metrics import METRICS, Metric, default_metric
from deepwell.diagnosis._repeated_rows import (
    RepeatedRows,
    diagnose_repeated_rows,
    floor_of,
    repeated_rows,
)
from deepwell.diagnosis._rows_and_seeds import row_scores, rows_and_seeds
from deepwell.records import Estimate, Finding, Section
from deepwell.report._diagnosis import Diagnosis

from ._predictions_table import PredictedRows, Predictions, read_predictions
from ._settings import checked_best
from ._told_by_dev import told_by_dev

_BY_PROBABILITY = ("log_loss", "auc")
_WORD = 65_536  # numbers up to its square are told apart as two inputs


def diagnose_predictions(
    table: Any,
    *,
    metric: str | None = None,
    task: str | None = None,
    best_possible: float | None = None,
    material: float | None = None,
) -> Diagnosis:
    """Return what kind of error a model has left, whatever library it is from.

    >>> import deepwell as dw
    >>> truth = [0, 1] * 400
    >>> said = truth[:400] + [1 - t if i % 10 == 0 else t for i, t in enumerate(truth[400:])]
    >>> table = {"truth": truth, "prediction": said, "part": ["train"] * 400 + ["dev"] * 400}
    >>> found = dw.diagnose_predictions(table)
    >>> [finding.code for finding in found]
    ['DW101', 'DW105']

    Args:
        table: a CSV or Parquet file, any frame, or a dict of columns: `truth`; `part`, one of
            train, train-dev, dev, test; `prediction`, or for classes `probability_<class>`; and if
            you have them `weight`, `group` (rows that belong together), `inputs` (equal for rows
            of equal inputs), `human` (people's answers), `baseline` (another model's), `network`
            (which of several networks of one configuration, each with the same rows). Further
            columns are what slices of the dev rows are told by.
        metric: as in `Study`; None means error rate, or RMSE for numbers.
        task: `classification` or `regression`; None lets the truth tell.
        best_possible: best score that anything could reach, when it is known.
        material: gap that counts, in the metric's unit; None takes a tenth of what the constant
            guess could avoid.

    Raises:
        UsageError: when the table or an argument is not as it must be.
    """
    read = read_predictions(table, task)
    measured = _metric(metric, read)
    if material is not None and not (np.isfinite(material) and material >= 0):
        raise UsageError(f"`material` must be a number of at least 0, got {safe_text(material)}")
    case = _Case(read, measured, checked_best(best_possible, measured.bounded), material)
    findings = case.findings()
    error = Section("error", _TITLE, findings, case.facts())
    return Diagnosis(None, (error, *told_by_dev(read, measured.name)))


_TITLE = "What kind of error is left"


def _metric(name: str | None, read: Predictions) -> Metric:
    kind = "classification" if read.classes else "regression"
    metric = METRICS[name] if name else default_metric(kind)
    if metric.task != kind:
        known = ", ".join(m.name for m in METRICS.values() if m.task == kind)
        raise UsageError(
            f"the metric {metric.name} is for {metric.task}, but the truth is a {kind}; choose one "
            f"of {known}"
        )
    if metric.name in _BY_PROBABILITY and not read.probabilities:
        raise UsageError(
            f'the metric {metric.name} needs probabilities: one column "probability_<class>" for '
            "each class"
        )
    _check_defined(metric, read)
    return metric


def _check_defined(metric: Metric, read: Predictions) -> None:
    """Raise `UsageError` for a metric that the rows of a part do not define, as of one class."""
    alike = "of one class alone" if read.classes else "whose values are all alike"
    for part, rows in read.parts.items():
        anything = np.zeros_like(rows.said[0], np.float64)
        counts = rows.weight is None or rows.weight.any()
        if counts and np.isnan(metric.loss(rows.y, anything, rows.weight)):
            raise UsageError(
                f"{metric.label} is not defined on {part} rows {alike} (there are {len(rows):,}); "
                "choose another metric, or more rows"
            )


@dataclass(frozen=True)
class _Case:
    read: Predictions
    metric: Metric
    given: float | None
    material: float | None

    def rows(self, part: str) -> PredictedRows | None:
        return self.read.parts.get(part)

    def said(self, rows: PredictedRows) -> tuple[np.ndarray, ...]:
        """Return the predictions: the answers where they count, probabilities where those do."""
        if rows.labels is not None and self.metric.name not in _BY_PROBABILITY:
            return rows.labels
        return rows.said

    def score(self, part: str) -> Estimate | None:
        rows = self.rows(part)
        if rows is None:
            return None
        if self.read.networks == 1:
            said = self.said(rows)[0]
            return estimate(self.metric, rows.y, said, rows.weight, 0, rows.group)
        found = rows_and_seeds(self.of_networks(rows))
        if self.metric.bounded and found.low == found.high:
            return wilson(found.value * len(rows), len(rows))
        least = max(0.0, found.low)
        return Estimate(
            found.value, least, min(1.0, found.high) if self.metric.bounded else found.high
        )

    def of_networks(self, rows: PredictedRows) -> np.ndarray:
        """Return (networks, rows) scores."""
        return np.stack([row_scores(self.metric, rows.y, s, rows.weight) for s in self.said(rows)])

    def gap(self, worse: str, better: str) -> Estimate | None:
        """Return the difference of two parts, over rows and networks."""
        first, second = self.rows(worse), self.rows(better)
        if first is None or second is None:
            return None
        above, below = self.score(worse), self.score(better)
        assert above is not None
        assert below is not None
        apart = unpaired_difference(above, below)
        if self.read.networks == 1:
            return apart
        found = rows_and_seeds(self.of_networks(first), self.of_networks(second))
        return apart if found.low == found.high else found

    def evidence(self) -> BiasVarianceEvidence:
        train, dev, gap = self.score("train"), self.score("dev"), self.gap("dev", "train")
        between = self.rows("train-dev")
        assert train is not None
        assert dev is not None
        assert gap is not None
        return BiasVarianceEvidence(
            metric=self.metric.name,
            train=train,
            n_train=len(self.read.parts["train"]),
            dev=dev,
            n_dev=len(self.read.parts["dev"]),
            gap=gap,
            constant=self.constant(),
            train_dev=self.score("train-dev"),
            n_train_dev=0 if between is None else len(between),
            variance=self.gap("train-dev", "train"),
            mismatch=self.gap("dev", "train-dev"),
        )

    def guess(self) -> tuple[str, np.ndarray]:
        """Return the constant that is best on train, and what it says of the dev rows."""
        train, dev = self.read.parts["train"], self.read.parts["dev"]
        found = constant_guess(self.metric, train.y, len(dev), self.read.classes, train.weight)
        return found.name, found.prediction_dev

    def constant(self) -> float:
        dev = self.read.parts["dev"]
        return self.metric.loss(dev.y, self.guess()[1], dev.weight)

    def findings(self) -> tuple[Finding, ...]:
        evidence, repeats = self.evidence(), self.repeats()
        differences = self.differences()
        best = self.best(repeats, no_signal=self.no_signal(differences))
        material, least = self.material, None if best.least is None else best.least.value
        if material is None:
            material = material_size(self.metric, evidence.constant, least)
        counts = gain_that_counts(self.metric, evidence.dev.value, least, material)
        found = diagnose_bias_variance(evidence, best, material)
        if repeats is not None:
            found += diagnose_repeated_rows(self.metric.name, repeats)
        found += compare_with_baselines(self.metric.name, differences, counts)
        found += self.people()
        test, rows = self.score("test"), self.rows("test")
        if test is not None and rows is not None:
            found += diagnose_dev_to_test(
                self.metric.name, evidence.dev, evidence.n_dev, test, len(rows), material
            )
        return tuple(found)

    def best(self, repeats: RepeatedRows | None, *, no_signal: bool) -> BestPossible:
        floor = None if repeats is None else floor_of(repeats)
        if self.given is not None:
            known = given_best(self.given)
        else:
            known = self.people_best() or BestPossible()
        return replace(known, floor=floor, no_signal=no_signal)

    def repeats(self) -> RepeatedRows | None:
        parts = [rows for name, rows in self.read.parts.items() if name != "test"]
        if any(rows.inputs is None or rows.weight is not None for rows in parts):
            return None
        number = np.concatenate([rows.inputs for rows in parts if rows.inputs is not None])
        x = np.stack([number // _WORD, number % _WORD], axis=1)
        y = np.concatenate([rows.y for rows in parts])
        return repeated_rows(self.metric, x, y, len(self.read.classes))

    def people_best(self) -> BestPossible | None:
        train = self.read.parts["train"]
        if train.human is None or self.metric.name in _BY_PROBABILITY:
            return None
        held = [r for n, r in self.read.parts.items() if n in ("train-dev", "dev")]
        own, said = _answered(train), [one[_labeled(train)] for one in self.said(train)]
        found = human_best(self.metric, own, said[0], [_answered(r) for r in held])
        if found is None or found.gap is None or len(said) == 1:
            return found
        return replace(found, gap=self.versus(own, said))

    def people(self) -> list[Finding]:
        dev = self.read.parts["dev"]
        if dev.human is None or self.metric.name in _BY_PROBABILITY:
            return []
        labeled = _labeled(dev)
        if labeled.sum() < 2:
            return []
        difference = self.versus(_answered(dev), [one[labeled] for one in self.said(dev)])
        return compare_with_people(self.metric.name, difference, int(labeled.sum()))

    def differences(self) -> dict[str, Estimate]:
        """Return network minus simple model on the dev rows, by the simple model's name.

        Of several networks it is their mean; none where a prediction is not finite.
        """
        dev = self.read.parts["dev"]
        name, constant = self.guess()
        others = {name: constant}
        if dev.baseline is not None and self.metric.name not in _BY_PROBABILITY:
            others["baseline"] = dev.baseline
        said = self.said(dev)
        if not all(np.isfinite(one).all() for one in said):
            return {}
        return {
            name: self.versus(Answered(dev.y, other, dev.weight, dev.group), said)
            for name, other in others.items()
        }

    def versus(self, rows: Answered, said: Sequence[np.ndarray]) -> Estimate:
        """Return the networks' score less that of other answers to the same rows, paired.

        Args:
            rows: with the answers of people, or of another model.
            said: what each network says of them.
        """
        metric, y, other = self.metric, rows.y, rows.human
        if len(said) > 1:
            scores = np.stack([row_scores(metric, y, s, rows.weight) for s in said])
            found = rows_and_seeds(scores - row_scores(metric, y, other, rows.weight))
            if found.low != found.high:
                return found
        return paired_difference(metric, y, said[0], other, rows.weight, 0, rows.group)

    def no_signal(self, differences: Mapping[str, Estimate]) -> bool:
        """Return whether nothing here is clearly better than the constant guess on the dev rows.

        Args:
            differences: of the network from simple models.
        """
        name, constant = self.guess()
        if name not in differences or differences[name].high < 0:
            return False
        if "baseline" not in differences:
            return True
        dev = self.read.parts["dev"]
        assert dev.baseline is not None
        guess = Answered(dev.y, constant, dev.weight, dev.group)
        return not self.versus(guess, [dev.baseline]).high < 0

    def facts(self) -> dict[str, object]:
        """Return the scores of the parts, for the table and for JSON."""
        scores = {name: self.score(name) for name in self.read.parts}
        told = {
            name: {**score.to_plain(), "rows": len(self.read.parts[name])}
            for name, score in scores.items()
            if score is not None
        }
        return {
            "metric": self.metric.name,
            "networks": self.read.networks,
            "classes": list(self.read.classes),
            "scores": told,
        }


def _labeled(rows: PredictedRows) -> np.ndarray:
    return np.zeros(len(rows), dtype=bool) if rows.labeled is None else rows.labeled


def _answered(rows: PredictedRows) -> Answered:
    assert rows.human is not None
    known = _labeled(rows)
    weight = None if rows.weight is None else rows.weight[known]
    group = None if rows.group is None else rows.group[known]
    return Answered(rows.y[known], rows.human[known], weight, group)
