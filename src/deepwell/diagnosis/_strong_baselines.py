"""Models of other kinds, each strong on tables, which show what can be reached on the same rows.

Whatever any of them reaches on rows that it was not fitted on, the best possible score is at least
as good. They take seconds, so a fit leaves them to `deepwell diagnose`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell.records import Finding

from ._best_possible import Rival
from ._intervals import estimate, paired_difference
from ._metrics import METRICS, Metric
from ._texts import change_text

_FOLDS = 3
_MOST_ROWS = 20_000
_MOST_CELLS = 4_000_000  # rows x inputs
_TREES = 200
_ROUNDS = 100  # of boosting
_MOST_CLASSES = 4  # that are boosted: each round grows a tree for each class
_NEIGHBORS = 15
_KEPT = 0.99  # of a probability; the rest is spread over the classes, since 0 has no log


@dataclass(frozen=True)
class Labeled:
    """Rows with their targets.

    Attributes:
        x: (n, D) normalized inputs.
        y: (n,) class indices, or values in the target's unit.
        weight: (n,) at least 0; None for rows that count alike.
        said: the network's predictions of them.
        unit: (n,) whole numbers, equal for rows of one group, or copies, which no fold parts from
            each other; None for rows of their own.
        group: the same of rows that are resampled together for intervals.
    """

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray | None
    said: np.ndarray
    unit: np.ndarray | None = None
    group: np.ndarray | None = None

    def part(self, rows: np.ndarray) -> Labeled:
        """Return some of the rows."""
        weight, unit, group = (
            None if one is None else one[rows] for one in (self.weight, self.unit, self.group)
        )
        return Labeled(self.x[rows], self.y[rows], weight, self.said[rows], unit, group)


def strongest_rival(
    metric: Metric, train: Labeled, dev: Labeled, classes: int = 0, seed: int = 0
) -> Rival | None:
    """Return the best of the strong models, beside the network on the same rows.

    Gradient boosting and extremely randomized trees (Friedman 2001, Annals of Statistics 29;
    Geurts, Ernst and Wehenkel 2006, Machine Learning 63) and the nearest neighbors; boosting for
    numbers and up to 4 classes, since it takes long for more. Which is the
    best is decided on train rows out of fold, 3 folds, stratified by class, which keep groups and
    copies together; the dev rows then tell without that choice.

    Args:
        metric: what is measured.
        train: the network's train rows; more than 20,000, or very wide ones, are sampled.
        dev: the dev rows.
        classes: C; 0 for regression.
        seed: of the sampling, the folds and the models.

    Returns:
        None where there are too few train rows, or groups of them, for folds, or a prediction is
        not finite.
    """
    if len(train.y) < 10 * _FOLDS or not np.isfinite(train.said).all():
        return None
    generator = np.random.default_rng(seed)
    most = int(min(_MOST_ROWS, max(200, _MOST_CELLS // max(1, train.x.shape[1]))))
    rows = np.arange(len(train.y))
    if len(rows) > most:
        rows = np.sort(generator.choice(rows, most, replace=False))
    train = train.part(rows)
    fold = _folds(train, classes, generator)
    if fold is None:
        return None
    makers = _makers(classes, len(rows), seed)
    out_of_fold = {name: _out_of_fold(make, train, fold, classes) for name, make in makers.items()}
    scores = {n: metric.loss(train.y, said, train.weight) for n, said in out_of_fold.items()}
    name = min(scores, key=lambda n: np.nan_to_num(scores[n], nan=np.inf))
    on_dev, on_train = _fitted(makers[name], train, dev.x, classes), out_of_fold[name]
    count = (train.weight, seed, train.group)
    return Rival(
        name,
        estimate(metric, train.y, on_train, *count),
        paired_difference(metric, train.y, train.said, on_train, *count),
        paired_difference(metric, dev.y, dev.said, on_dev, dev.weight, seed, dev.group)
        if np.isfinite(dev.said).all()
        else None,
    )


def compare_with_rival(metric: str, rival: Rival | None, counts: float) -> list[Finding]:
    """Return DW109: whether a strong model of another kind is better on the same dev rows.

    Args:
        metric: name of the metric.
        rival: the model; it was chosen by train rows, so that it is a single comparison.
        counts: difference that counts, in the metric's unit (`gain_that_counts`).

    Returns:
        `problem` when it is better by more than `counts`, by the lower end of the interval,
        `unsure` when it is better by less, `ok` when the network is not clearly worse.
    """
    if rival is None or rival.dev_gap is None:
        return []
    measured, gap = METRICS[metric], rival.dev_gap
    level, claim = "ok", f"not clearly worse than {rival.name}"
    if gap.low > counts:
        level, claim = "problem", f"worse than {rival.name}"
    elif gap.low > 0:
        level, claim = "unsure", f"seems worse than {rival.name}, perhaps not by what matters"
    detail = f"difference in {measured.label} {change_text(gap, measured.percent)} on the dev rows"
    evidence: dict[str, object] = {
        "metric": metric,
        "rival": rival.name,
        "difference": gap.to_plain(),
        "counts": counts,
        "out_of_fold": rival.score.to_plain(),
    }
    return [Finding("DW109", level, claim, detail, evidence)]


Maker = Callable[[], Any]


def _makers(classes: int, rows: int, seed: int) -> dict[str, Maker]:
    from sklearn import ensemble, neighbors  # type: ignore[import-untyped]

    kind = "Classifier" if classes else "Regressor"
    boosting = getattr(ensemble, f"HistGradientBoosting{kind}")
    trees = getattr(ensemble, f"ExtraTrees{kind}")
    nearest = getattr(neighbors, f"KNeighbors{kind}")
    leaf = max(2, min(20, rows // 50))
    few = min(_NEIGHBORS, max(1, rows // 20))
    makers: dict[str, Maker] = {
        "random trees": lambda: trees(_TREES, min_samples_leaf=2, random_state=seed),
        "nearest neighbors": lambda: nearest(few),
    }
    if classes <= _MOST_CLASSES:
        makers["gradient boosting"] = lambda: boosting(
            max_iter=_ROUNDS,
            max_leaf_nodes=15,
            max_bins=63,
            min_samples_leaf=leaf,
            early_stopping=False,
            random_state=seed,
        )
    return makers


def _folds(train: Labeled, classes: int, generator: np.random.Generator) -> np.ndarray | None:
    """Return (n,) the fold of each row, None where there are fewer units than folds.

    Units are dealt out in turn, those of one class after another (by their first row), large ones
    first, at random among equals.
    """
    unit = np.arange(len(train.y)) if train.unit is None else train.unit
    _, first, unit, size = np.unique(
        unit, return_index=True, return_inverse=True, return_counts=True
    )
    if len(first) < _FOLDS:
        return None
    label = train.y[first] if classes else np.zeros(len(first))
    order = np.lexsort((generator.permutation(len(first)), -size, label))
    fold = np.empty(len(first), np.intp)
    fold[order] = np.arange(len(first)) % _FOLDS
    return fold[unit]


def _out_of_fold(make: Maker, train: Labeled, fold: np.ndarray, classes: int) -> np.ndarray:
    said = np.zeros((len(train.y), classes) if classes else len(train.y))
    for f in range(_FOLDS):
        own, others = np.flatnonzero(fold == f), np.flatnonzero(fold != f)
        said[own] = _fitted(make, train.part(others), train.x[own], classes)
    return said


def _fitted(make: Maker, train: Labeled, x: np.ndarray, classes: int) -> np.ndarray:
    """Return the predictions of a model fitted on the rows, columns in class order."""
    model = make()
    weighted = train.weight is not None and not hasattr(model, "n_neighbors")
    model.fit(train.x, train.y, **({"sample_weight": train.weight} if weighted else {}))
    if not classes:
        return np.asarray(model.predict(x), dtype=np.float64)
    said, known = np.zeros((len(x), classes)), np.asarray(model.classes_, dtype=np.int64)
    # boosting gives two columns for one class
    said[:, known] = model.predict_proba(x) if len(known) > 1 else 1.0
    return _KEPT * said + (1 - _KEPT) / classes
