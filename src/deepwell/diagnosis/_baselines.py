"""Simple models that every network has to beat: the best constant, and a linear model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from deepwell._base._safe_text import safe_text

from ._logistic import LogisticPath
from ._metrics import Metric
from ._ridge import best_penalty, ridge
from .metrics._log_loss import log_loss

_STRENGTHS = (1e-3, 1e-2, 1e-1, 1.0, 10.0)  # C of the logistic regression, weak fits last
_FOLDS = 3
_TRIAL_STEPS, _STEPS, _LEAST_STEPS = 100, 300, 100
_TRIAL_CELLS, _CELLS = 1_000_000, 160_000_000  # rows x inputs x outputs of a logistic fit
_CELL_STEPS = _CELLS * _LEAST_STEPS  # all rows for fewer steps make the better model
_RIDGES = np.logspace(-5, 2, 15)  # penalties for each row
_TRIAL_PRODUCTS, _PRODUCTS = 2e9, 2e10  # multiply-adds of a ridge fit
_RIDGE_CELLS = 40_000_000  # rows x inputs
_PREDICTED = 20_000  # rows of a prediction at a time


@dataclass(frozen=True)
class BaselinePrediction:
    """A simple model's predictions, in the form that metrics take.

    Attributes:
        name: as in `always "no"`, `mean`, `logistic regression`.
        prediction_train, prediction_dev: (n, C) probabilities, or (n,) values.
        note: what a reader must know about the fit, or an empty string.
    """

    name: str
    prediction_train: np.ndarray
    prediction_dev: np.ndarray
    note: str = ""


def constant_guess(
    metric: Metric,
    y_train: np.ndarray,
    n_dev: int,
    classes: Sequence[str] = (),
    weight: np.ndarray | None = None,
) -> BaselinePrediction:
    """Return the constant that scores best on the train rows.

    For classes it answers with the train shares, whose likeliest class is the commonest one; or
    with the other one of two classes where the metric asks for that, as F1 does. For numbers it
    answers with the mean, or the median where that is better, as for MAE.

    Args:
        metric: what the guess will be scored by.
        y_train: (n,) class indices, or values in the target's unit.
        n_dev: rows to predict.
        classes: labels in class order; empty for regression.
        weight: (n,) of the train rows, at least 0; ones when not given.
    """
    weight = np.ones(len(y_train)) if weight is None else weight.astype(np.float64)
    if metric.task == "regression":
        values = y_train.astype(np.float64)
        answers = {
            "mean": np.average(values, weights=weight),
            "median": _median(values, weight),
        }
    else:
        answers = _class_answers(y_train, classes, weight)
    tiled = {name: _repeated(answer, len(y_train)) for name, answer in answers.items()}
    scores = {name: metric.loss(y_train, rows, weight) for name, rows in tiled.items()}
    name = min(scores, key=lambda n: np.nan_to_num(scores[n], nan=np.inf))
    return BaselinePrediction(name, tiled[name], _repeated(answers[name], n_dev))


def linear_model(
    task: str,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_dev: np.ndarray,
    n_classes: int = 0,
    seed: int = 0,
    weight: np.ndarray | None = None,
) -> BaselinePrediction:
    """Return logistic regression for classes, ridge regression for numbers.

    The penalty is chosen on the train rows alone: by 3-fold cross-validated log loss, and by the
    closed form of leave-one-out for ridge. Large data is sampled down to what fits in a few
    seconds; the note then says so.

    Args:
        task: `classification` or `regression`.
        x_train: (n, D) normalized inputs.
        y_train: (n,) class indices, or values in the target's unit.
        x_dev: (k, D) normalized inputs.
        n_classes: C; 0 for regression.
        seed: of the sampling and the folds.
        weight: (n,) of the train rows, at least 0; ones when not given.
    """
    generator = np.random.default_rng(seed)
    weight = np.ones(len(y_train)) if weight is None else weight.astype(np.float64)
    train = _Train(x_train, y_train, weight)
    if task == "regression":
        return _ridge(train, x_dev, generator)
    return _logistic(train, x_dev, n_classes, generator)


@dataclass(frozen=True)
class _Train:
    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def rotated(self, basis: Any) -> _Train:
        """Return the rows in the coordinates of a basis (D, n)."""
        return _Train(np.asarray(self.x @ basis), self.y, self.weight)

    def rows(self, chosen: np.ndarray) -> _Train:
        """Return these rows, their weights 1 on average unless all are 0."""
        weight = self.weight[chosen]
        mean = float(weight.mean())
        weight = weight / mean if mean > 0 else np.ones(len(chosen))
        return _Train(self.x[chosen], self.y[chosen], weight)


def _median(values: np.ndarray, weight: np.ndarray) -> float:
    """Return the value below and above which half of the weight lies; between two, their middle."""
    order = np.argsort(values, kind="stable")
    order = order[weight[order] > 0]
    below = np.cumsum(weight[order])
    half = below[-1] / 2
    place = int(np.count_nonzero(below < half))
    after = min(place + (below[place] == half), len(order) - 1)
    return float((values[order[place]] + values[order[after]]) / 2)


def _class_answers(
    y_train: np.ndarray, classes: Sequence[str], weight: np.ndarray
) -> dict[str, np.ndarray]:
    shares = np.bincount(y_train, weights=weight, minlength=len(classes)) / weight.sum()
    commonest = int(shares.argmax())
    answers = {f'always "{safe_text(classes[commonest])}"': shares}
    if len(classes) == 2:
        other = 1 - commonest
        answers[f'always "{safe_text(classes[other])}"'] = np.eye(2)[other]
    return answers


def _repeated(answer: np.ndarray | float, rows: int) -> np.ndarray:
    return np.broadcast_to(answer, (rows, *np.shape(answer))).copy()


def _logistic(
    train: _Train, x_dev: np.ndarray, n_classes: int, generator: np.random.Generator
) -> BaselinePrediction:
    cells_a_row = max(1, train.x.shape[1] * n_classes)
    rows = _sample(len(train.y), _CELLS // cells_a_row, generator)
    if train.x.shape[1] > 4 * len(rows):
        basis = _row_basis(train.x[rows])
        train, x_dev = train.rotated(basis), x_dev @ basis
        cells_a_row = basis.shape[1] * n_classes
    trial = rows[_sample(len(rows), _TRIAL_CELLS // cells_a_row, generator)]
    strength = _best_strength(train.rows(trial), n_classes, generator)
    notes = _sampled_note(len(rows), len(train.y))
    fitted = train.rows(rows)
    steps = int(min(_STEPS, max(_LEAST_STEPS, _CELL_STEPS / (len(rows) * cells_a_row))))
    model = LogisticPath(n_classes, steps)
    model.fit(fitted.x, fitted.y, strength, fitted.weight)
    if not model.converged:
        notes.append(f"stopped after {steps} steps, not converged")
    return BaselinePrediction(
        "logistic regression", model.predict(train.x), model.predict(x_dev), "; ".join(notes)
    )


def _row_basis(x: np.ndarray) -> np.ndarray:
    """Return an orthonormal basis, (D, n), of the span of n rows of more than n inputs.

    Weights under an L2 penalty lie in that span, and the penalty does not see the rotation: the
    fit on n coordinates is the fit on D inputs, for a fraction of the time.
    """
    return np.linalg.qr(x.T)[0]


def _best_strength(train: _Train, n_classes: int, generator: np.random.Generator) -> float:
    """Return the C with the least cross-validated log loss; folds are stratified."""
    x, y, weight = train.x, train.y, train.weight
    shuffled = generator.permutation(len(y))
    by_class = shuffled[np.argsort(y[shuffled], kind="stable")]
    fold = np.empty(len(y), dtype=np.intp)
    fold[by_class] = np.arange(len(y)) % _FOLDS
    losses = np.zeros(len(_STRENGTHS))
    for held_out in range(_FOLDS):
        inside, outside = fold != held_out, fold == held_out
        if not weight[inside].any() or not weight[outside].any():
            continue
        model = LogisticPath(n_classes, _TRIAL_STEPS)
        for place, strength in enumerate(_STRENGTHS):
            model.fit(x[inside], y[inside], strength, weight[inside])
            loss = log_loss.loss(y[outside], model.predict(x[outside]), weight[outside])
            losses[place] += loss * weight[outside].sum()
    return _STRENGTHS[int(losses.argmin())]


def _ridge(train: _Train, x_dev: np.ndarray, generator: np.random.Generator) -> BaselinePrediction:
    inputs = train.x.shape[1]
    rows = _sample(len(train.y), _ridge_rows(inputs, _PRODUCTS), generator)
    trial = train.rows(_sample(len(train.y), _ridge_rows(inputs, _TRIAL_PRODUCTS), generator))
    fitted = train.rows(rows)
    y = fitted.y.astype(np.float64)
    mean, scale = float(y.mean()), float(y.std()) or 1.0
    penalties = [float(a) * len(trial.y) for a in _RIDGES]
    chosen = best_penalty(
        trial.x.astype(np.float64), (trial.y - mean) / scale, penalties, trial.weight
    )
    x = fitted.x.astype(np.float64)
    weights, bias = ridge(x, (y - mean) / scale, chosen, fitted.weight)
    said, dev = (_values(x, weights, bias) * scale + mean for x in (train.x, x_dev))
    note = "; ".join(_sampled_note(len(rows), len(train.y)))
    return BaselinePrediction("ridge regression", said, dev, note)


def _ridge_rows(inputs: int, products: float) -> int:
    """Return the rows of a fit of so many multiply-adds, rows inputs min(rows, inputs)."""
    inputs = max(1, inputs)
    affordable = max(products / inputs**2, (products / inputs) ** 0.5)
    return int(min(affordable, _RIDGE_CELLS / inputs))


def _values(x: np.ndarray, weights: np.ndarray, bias: float) -> np.ndarray:
    values = np.empty(len(x))
    for start in range(0, len(x), _PREDICTED):
        part = slice(start, start + _PREDICTED)
        values[part] = x[part].astype(np.float64) @ weights + bias
    return values


def _sample(rows: int, most: int, generator: np.random.Generator) -> np.ndarray:
    """Return the numbers of at most `most` rows, at least 200 where there are so many."""
    most = max(most, 200)
    if rows <= most:
        return np.arange(rows)
    return np.sort(generator.choice(rows, most, replace=False))


def _sampled_note(used: int, rows: int) -> list[str]:
    return [f"fitted on {used:,} of {rows:,} rows"] if used < rows else []
