"""The sections of a diagnosis that need nothing but targets and predictions, of any library.

The rows must not have been trained on. Each section holds its findings, and the figures behind them
as plain values.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from deepwell.records import Finding, Section

from ._calibration import calibration
from ._conformal import adaptive_sets, class_scores, limit, smallest_sets, value_scores
from ._confusion import confusion
from ._mislabels import find_mislabels
from ._prediction_findings import (
    DOUBTED,
    calibration_finding,
    confusion_finding,
    coverage_finding,
    mislabels_finding,
    slices_finding,
    threshold_finding,
)
from ._slices import worst_slices
from ._temperature import temperature_scaling
from ._threshold import decision_threshold, objective
from ._wrong_rows import RATE, Mislabels
from ._wrong_targets import find_wrong_targets
from .metrics._tally import weights

COVERAGE = 0.95
_UNEVEN = 0.35  # share of the rarer class below which thresholds are looked for
_OBJECTIVES = ("f1", "balanced_error")
_MOST_DRAWS, _LEAST_DRAWS = 999, 199
_DRAWN = 300_000_000  # probabilities looked at in all draws, some seconds


@dataclass(frozen=True, eq=False)
class Predicted:
    """Predictions for rows that were not trained on.

    Attributes:
        y: (n,) class numbers from 0, or values.
        prediction: (n, C) class probabilities, or (n,) values.
        classes: labels in the order of the probabilities; empty for values.
        weight: (n,) sample weights; None means 1 for every row.
        columns: raw columns by name, (n,) numbers or texts with None where missing.
        numbers: (n,) of the rows in their source, counted from 1; None for their order here.
        metric: name of what the model was chosen by.
        target: name of what is predicted.
        seed: of all draws.
        class_factors: by which the weights of each class's rows are multiplied; empty for none.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """

    y: np.ndarray
    prediction: np.ndarray
    classes: tuple[str, ...] = ()
    weight: np.ndarray | None = None
    columns: Mapping[str, np.ndarray] = field(default_factory=dict[str, np.ndarray])
    numbers: np.ndarray | None = None
    metric: str = "error"
    target: str = "target"
    seed: int = 0
    class_factors: tuple[float, ...] = ()
    group: np.ndarray | None = None

    def number(self, row: int) -> int:
        """Return the number of a row in its source, counted from 1."""
        return int(self.numbers[row]) if self.numbers is not None else row + 1


def prediction_sections(rows: Predicted) -> list[Section]:
    """Return all that predictions alone tell, section by section."""
    if not rows.classes:
        return [slices_section(rows), coverage_section(rows)]
    return [probabilities_section(rows), slices_section(rows), coverage_section(rows)]


def probabilities_section(rows: Predicted) -> Section:
    """Return calibration (DW213), confusion (DW215) and, of two uneven classes, thresholds (DW214).

    Args:
        rows: of classes.
    """
    y, p, weight = rows.y, rows.prediction, rows.weight
    found = confusion(y, p.argmax(axis=1), len(rows.classes), weight, rows.group)
    draws = int(max(_LEAST_DRAWS, min(_MOST_DRAWS, _DRAWN // max(1, p.size))))
    calibrated, facts = calibration_of(rows, draws)
    facts["confusion"] = found.to_plain(rows.classes)
    findings = [calibrated, *_thresholds(rows), confusion_finding(found, rows.classes)]
    return Section("probabilities", "What it says of classes", tuple(findings), facts)


def calibration_of(rows: Predicted, draws: int) -> tuple[Finding, dict[str, object]]:
    """Return the finding about calibration, and the figures behind it.

    A temperature is looked for where the probabilities are doubted.

    Args:
        rows: of classes.
        draws: of the test.
    """
    y, p, weight = rows.y, rows.prediction, rows.weight
    factor = np.array(rows.class_factors) if rows.class_factors else None
    found = calibration(y, p, weight, rows.seed, draws, factor, rows.group)
    facts: dict[str, object] = {"calibration": found.to_plain()}
    scaling = None
    if found.p_value <= DOUBTED:
        scaling = temperature_scaling(y, p, weight, rows.seed, rows.group)
        facts["temperature"] = scaling.to_plain()
    return calibration_finding(found, scaling, _entropy(y, weight), rows.metric), facts


def _thresholds(rows: Predicted) -> list[Finding]:
    if len(rows.classes) != 2:
        return []
    w = weights(len(rows.y), rows.weight)
    share = float(np.average(rows.y == 1, weights=w))
    wanted = [name for name in _OBJECTIVES if name == rows.metric]
    if not wanted and min(share, 1 - share) < _UNEVEN:
        wanted = list(_OBJECTIVES)
    if not 0 < share < 1:
        return []
    given = (rows.y, rows.prediction[:, 1], rows.weight, rows.seed, rows.group)
    return [
        threshold_finding(decision_threshold(objective(name), *given), rows.classes[1], rows.metric)
        for name in wanted
    ]


def slices_section(rows: Predicted) -> Section:
    """Return where the model is worse than elsewhere (DW212)."""
    if rows.classes:
        loss = (rows.prediction.argmax(axis=1) != rows.y).astype(np.float64)
    else:
        loss = (np.asarray(rows.prediction, np.float64) - rows.y) ** 2
    of_classes = bool(rows.classes)
    found = worst_slices(
        loss, rows.columns, rows.weight, rows.seed, bounded=of_classes, group=rows.group
    )
    label = "error" if of_classes else "squared error"
    finding = slices_finding(found, of_classes, label)
    return Section("slices", "Where it is worse", (finding,), found.to_plain())


def labels_section(rows: Predicted, whose: str = "rows", rate: float = RATE) -> Section:
    """Return the rows most likely mislabeled, or whose targets are not theirs (DW211).

    Args:
        rows: predicted by a model that was not trained on them.
        whose: what they are, as in `train and dev rows`.
        rate: false-discovery rate.
    """
    if rows.classes:
        found, what = find_mislabels(rows.y, rows.prediction, rate, rows.group), "labels"
    else:
        found = find_wrong_targets(rows.y, rows.prediction, rate, rows.group, rows.seed)
        what = "targets"
    finding = mislabels_finding(found, whose, what)
    return Section("labels", what.capitalize(), (finding,), suspects_of(rows, found))


def suspects_of(rows: Predicted, found: Mislabels) -> dict[str, object]:
    """Return the suspects as plain values: the number of the row, what it says, what is likely.

    Labels are texts, targets numbers.
    """
    classes = rows.classes
    return {
        "false_discovery_rate": found.rate,
        "expected_false": found.expected_false,
        "flipped": found.flipped.to_plain(),
        "suspects": [
            {
                "row": rows.number(one.row),
                "label": classes[int(one.label)] if classes else one.label,
                "likely": classes[int(one.likely)] if classes else one.likely,
                "chance_right": one.doubt,
            }
            for one in found.suspects
        ],
    }


def coverage_section(rows: Predicted, coverage: float = COVERAGE) -> Section:
    """Return what prediction sets or intervals look like (DW217)."""
    n = len(rows.y)
    if rows.classes:
        scores = class_scores(rows.y, rows.prediction, rows.seed)
        sizes = smallest_sets(scores, rows.prediction, coverage).sum(axis=1)
        adaptive = adaptive_sets(scores, rows.prediction, coverage).sum(axis=1)
        finding = coverage_finding(len(scores.smallest), coverage, sizes, math.inf, rows.target)
        counts = np.bincount(sizes, minlength=len(rows.classes) + 1)
        facts: dict[str, object] = {
            "coverage": coverage,
            "sizes": {str(size): int(rows_) for size, rows_ in enumerate(counts) if rows_},
            "adaptive_mean_size": float(adaptive.mean()),
        }
        return Section("coverage", "Sets that hold the truth", (finding,), facts)
    residuals = value_scores(rows.y, rows.prediction, rows.seed).residuals
    reach = limit(residuals, coverage)
    finding = coverage_finding(len(residuals), coverage, None, reach, rows.target)
    facts = {"coverage": coverage, "reach": reach if math.isfinite(reach) else None, "rows": n}
    return Section("coverage", "Intervals that hold the truth", (finding,), facts)


def _entropy(y: np.ndarray, weight: np.ndarray | None) -> float:
    shares = np.bincount(y, weights(len(y), weight))
    shares = shares[shares > 0] / shares.sum()
    return float(-(shares * np.log(shares)).sum())
