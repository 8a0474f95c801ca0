"""Predictions for train and dev rows by networks that were not trained on them.

Networks of the best configuration, one a fold, are trained as a population: each on the other
folds, for as many epochs as the best network was. Of a cross-validated study the folds are its own.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, replace

import numpy as np

from deepwell.data._folds import Folds, make_folds
from deepwell.data._pool import Pool
from deepwell.data._rows import Rows
from deepwell.diagnosis._temperature import at_temperature
from deepwell.diagnosis._wrong_targets import find_wrong_targets
from deepwell.execution._backends import choose_backend
from deepwell.records import Trial, TrialSpec
from deepwell.search.schedulers._across_folds import configurations

from ._arrays import engine_of
from ._cross_validate import score_out_of_fold
from ._evaluate import targets
from ._reopened import Reopened
from ._settings import optimizers_of

FOLDS = 5
_CONTRADICTED = 0.5  # of the targets that count nothing, at most this share may be right
_MULTIPLY_ADDS = 1e12  # that five networks may take beyond what the study asked for: seconds


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Rows with what a network that was not trained on them says.

    Attributes:
        y: (n,) class numbers, or values in the target's unit.
        prediction: (n, C) or (n,).
        weight: (n,) sample weights.
        numbers: (n,) of each row in its source, counted from 1.
        class_factors: by which the weights of each class's rows are multiplied; empty for none.
        group: (n,) number of each row's group, None where each is by itself.
    """

    y: np.ndarray
    prediction: np.ndarray
    weight: np.ndarray
    numbers: np.ndarray
    class_factors: tuple[float, ...] = ()
    group: np.ndarray | None = None


def best_of(reopened: Reopened) -> Trial:
    """Return the best trial; of a cross-validated study the configuration, its epochs the mean."""
    trials, number = reopened.trials(), reopened.result.best_trial
    folds = reopened.settings.folds
    if not folds:
        return next(trial for trial in trials if trial.number == number)
    first = number // folds * folds
    return next(one for one in configurations(trials, folds) if one.number == first)


def out_of_fold(reopened: Reopened) -> HeldOut | None:
    """Return predictions for all train and dev rows, or None where folds cannot be made of them.

    That is where rows have an order or were given as dev, where the table was streamed or five
    more networks take too long; and where a network of a fold diverged or did not fit in memory.
    """
    data, best = reopened.data, best_of(reopened)
    count = reopened.settings.folds or FOLDS
    each = 3 * reopened.model.architecture.multiply_adds() * len(data.train) * best.best_epoch
    too_long = reopened.held_out and each * count > _MULTIPLY_ADDS
    if not isinstance(data.pool, Pool) or too_long:
        return None
    folds = make_folds(data, count)
    said = _predicted(reopened, folds, best)
    if said is None:
        return None
    whole = folds.whole
    rows, factors = whole.train, whole.weighting.by_class
    y = targets(whole, rows)
    return HeldOut(y, said, rows.weight, data.pool_numbers, factors, rows.group)


def without_contradicted(reopened: Reopened) -> HeldOut | None:
    """Return predictions out of fold by networks that learn from uncontradicted labels alone.

    A row whose label, or target, is not what networks that were not trained on it say counts
    nothing in training; it is predicted as all others are. A network that learns from wrong labels
    too is never surer than their share allows; one that does not says how far a row is from the
    border.

    Args:
        reopened: a study.
    """
    first = reopened.out_of_fold
    if first is None:
        return None
    agreed = _agreed(reopened, first)
    if agreed.all():
        return first
    folds = make_folds(reopened.data, reopened.settings.folds or FOLDS)
    parts: list[tuple[Rows, Rows]] = []
    for (train, dev), places in zip(folds.parts, folds.places, strict=True):
        others = np.delete(agreed, places)
        weight = np.where(others, train.weight, 0).astype(train.weight.dtype)
        classes = reopened.model.classes
        if classes and len(np.unique(train.y[weight > 0])) < len(np.unique(train.y)):
            return first  # a class that is never said is not to be learned without its rows
        parts.append((replace(train, weight=weight), dev))
    said = _predicted(reopened, replace(folds, parts=tuple(parts)), best_of(reopened))
    return first if said is None else replace(first, prediction=said)


def _agreed(reopened: Reopened, held: HeldOut) -> np.ndarray:
    """Return (n,) whether what is predicted of a row is what it says.

    Of values: whether it is not listed among wrong targets when every second one may be right.
    """
    if reopened.model.classes:
        return held.prediction.argmax(axis=1) == held.y
    seed = reopened.settings.seed
    found = find_wrong_targets(held.y, held.prediction, _CONTRADICTED, held.group, seed)
    agreed = np.ones(len(held.y), bool)
    agreed[[one.row for one in found.suspects]] = False
    return agreed


def _predicted(reopened: Reopened, folds: Folds, best: Trial) -> np.ndarray | None:
    """Return what networks of a configuration say of the rows of the folds they do not train on."""
    count, settings, metric = len(folds.parts), reopened.settings, reopened.metric
    specs = {fold: replace(_alone(best.spec), fold=fold + 1, folds=count) for fold in range(count)}
    backend = choose_backend(reopened.result.program, optimizers_of(settings.space))
    with contextlib.closing(
        engine_of(folds.whole, folds, metric.name, backend, reopened.data.memory)
    ) as engine:
        engine.prepare(specs, engine.plan(specs, best.best_epoch))
        for _ in engine.train(list(specs), best.best_epoch, lambda: False):
            pass
        held = engine.states(list(specs))
        if len(held) < count or not all(np.isfinite(held[n]["best_score"]) for n in specs):
            return None
        first = replace(best, number=0, spec=specs[0])
        scored = score_out_of_fold(engine, first, folds, metric, settings.seed).scored
    return scored.dev_prediction


def dev_rows(reopened: Reopened) -> HeldOut | None:
    """Return the dev rows with what the saved network says; out of fold in a study with folds."""
    if not reopened.held_out:
        held = reopened.out_of_fold
        if held is None or held.prediction.ndim == 1:
            return held
        temperature = reopened.model.adjustments.temperature
        return replace(held, prediction=at_temperature(held.prediction, temperature))
    dev, data = reopened.data.dev, reopened.data
    factors, said = data.weighting.by_class, reopened.dev_prediction
    return HeldOut(reopened.y_dev, said, dev.weight, data.dev_numbers, factors, dev.group)


def _alone(spec: TrialSpec) -> TrialSpec:
    """Return a specification that trains to its end."""
    values = {**spec.hyperparameters, "patience": 0}
    return TrialSpec(values, spec.seed, spec.order_seed, spec.dtype)
