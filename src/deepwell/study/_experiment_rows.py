"""The rows of an experiment: what trains networks, chooses their epochs, and measures them.

A network keeps the weights of the epoch with its best dev score, so that score is too good, most so
for who fluctuates most. Where there are enough dev rows, they are cut in two: one half chooses the
epoch and the other half measures the network. Replicates take turns, so that every row measures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepwell._base._hash import Purpose, fold, key
from deepwell.data._data import Data
from deepwell.data._folds import Folds, assign_folds
from deepwell.data._rows import Rows
from deepwell.diagnosis._baselines import constant_guess
from deepwell.diagnosis._metrics import Metric
from deepwell.diagnosis.metrics._tally import by_unit
from deepwell.execution._planner import Shape
from deepwell.training._program import TrainingRows
from deepwell.training._window import row_bytes

from ._arrays import shape_of, training_rows
from ._evaluate import targets

HALVED_FROM = 100  # dev rows; below, a half is too few to choose an epoch by
_GROUPS = 5_000  # of rows whose sums are kept; more tell nothing more
_SAMPLE = 2_000  # train rows that the train score is of


@dataclass(frozen=True, eq=False)
class View:
    """What one network sees: `data.dev` chooses its epoch, `measured` measures it."""

    data: Data
    measured: Rows


@dataclass(frozen=True, eq=False)
class ExperimentRows:
    """All views of an experiment.

    Attributes:
        sides: one, or one for each half of the dev rows; each of one view, or of one a fold.
        whole: the data with the encoders of all rows.
        metric: that networks are compared by.
        seed: of how rows are cut and grouped.
    """

    sides: tuple[tuple[View, ...], ...]
    whole: Data
    metric: Metric
    seed: int

    @property
    def halved(self) -> bool:
        """Whether dev rows that chose an epoch never measure it."""
        return any(view.measured is not view.data.dev for view in self.sides[0])

    @property
    def views(self) -> list[View]:
        """All views, in the order in which members count them."""
        return [view for side in self.sides for view in side]

    @property
    def measured_rows(self) -> int:
        """Dev rows that effects are measured on."""
        return sum(len(view.measured) for view in self.views)

    def side(self, replicate: int) -> int:
        """Return which views the networks of a replicate have."""
        return replicate % len(self.sides)

    def training_rows(self) -> TrainingRows:
        """Return the arrays that programs train on."""
        first, *others = self.views
        if not others:
            return training_rows(first.data)
        made = [training_rows(replace(view.data, memory=None)) for view in self.views]
        return replace(made[0], others=tuple(made[1:]))

    def shape(self) -> Shape:
        """Return the data and task as programs see them, with the sizes of the largest view."""
        made = [shape_of(view.data, self.metric.name) for view in self.views]
        return replace(
            made[0],
            train_rows=max(shape.train_rows for shape in made),
            dev_rows=max(shape.dev_rows for shape in made),
            views=len(made),
        )

    def sums(self, side: int, predictions: Sequence[np.ndarray]) -> np.ndarray:
        """Return the metric's sums over groups of a side's measured rows.

        Args:
            side: of the views.
            predictions: of each view's measured rows, in the target's own terms.
        """
        rows = [view.measured for view in self.sides[side]]
        y = np.concatenate([targets(self.whole, one) for one in rows])
        weight = np.concatenate([one.weight for one in rows])
        known = [one.group for one in rows if one.group is not None]
        group = np.concatenate(known) if known else None
        tally = by_unit(weight, group, _GROUPS, self.seed)
        return self.metric.sums(y, np.concatenate(predictions), tally)

    def constant_guess(self, side: int) -> tuple[list[np.ndarray], np.ndarray]:
        """Return what the constant guess says of each view's measured rows, and of `train_sample`.

        Args:
            side: of the views.
        """
        sample, classes = self.train_sample, self.whole.task.classes
        truth = targets(self.whole, sample)
        said = [
            constant_guess(self.metric, truth, len(view.measured), classes, sample.weight)
            for view in self.sides[side]
        ]
        return [one.prediction_dev for one in said], said[0].prediction_train

    @cached_property
    def train_sample(self) -> Rows:
        """Train rows of the first view that the train score is of."""
        train = self.sides[0][0].data.train
        count = min(len(train), _SAMPLE)
        chosen = np.random.default_rng(self.seed).choice(len(train), count, replace=False)
        chosen = np.sort(chosen)
        return train.part(chosen)


def experiment_rows(
    data: Data, folds: Folds | None, metric: Metric, seed: int, memory: int | None
) -> ExperimentRows:
    """Return the views of an experiment.

    Train rows that are streamed, or that two views of them would not fit beside each other, have
    one half that always chooses and one that always measures.

    Args:
        data: with folds the data of all rows.
        folds: of a cross-validated study.
        metric: that networks are compared by.
        seed: of the halves.
        memory: bytes for rows and networks; None for no bound.
    """
    parts = [data] if folds is None else [folds.data(f) for f in range(len(folds.parts))]
    cut = [_halves(part, seed + place) for place, part in enumerate(parts)]
    enough = sum(len(part.dev) for part in parts) >= HALVED_FROM
    if not enough or not all(
        _defined(p, metric, h) for p, hs in zip(parts, cut, strict=True) for h in hs
    ):
        return ExperimentRows((tuple(View(p, p.dev) for p in parts),), data, metric, seed)
    sides = tuple(
        tuple(
            View(replace(part, dev=part.dev.part(halves[side])), part.dev.part(halves[1 - side]))
            for part, halves in zip(parts, cut, strict=True)
        )
        for side in range(2 if _fit_twice(data, len(parts), memory) else 1)
    )
    return ExperimentRows(sides, data, metric, seed)


def _fit_twice(data: Data, parts: int, memory: int | None) -> bool:
    """Return whether programs may hold each part's rows twice."""
    if data.memory is not None:
        return False
    held = 2 * parts * (len(data.train) + len(data.dev)) * row_bytes(data.train.x.shape[1])
    return memory is None or 8 * held < memory


def _halves(data: Data, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of both halves of the dev rows, of each class as many as can be.

    Groups stay together; of one group alone there are no halves, and the second one is empty.
    """
    dev, of_classes = data.dev, data.task.kind == "classification"
    if dev.group is not None:
        if len(np.unique(dev.group)) < 2:
            return np.arange(len(dev)), np.arange(0)
        strata = dev.y if of_classes else np.zeros(len(dev), np.int64)
        half = assign_folds(strata, dev.group, 2, fold(key(seed), Purpose.FOLDS))
        return np.flatnonzero(half == 0), np.flatnonzero(half == 1)
    generator = np.random.default_rng([seed, 1])
    mixed = generator.permutation(len(dev))
    if of_classes:
        mixed = mixed[np.argsort(dev.y[mixed], kind="stable")]
    return np.sort(mixed[::2]), np.sort(mixed[1::2])


def _defined(data: Data, metric: Metric, places: np.ndarray) -> bool:
    """Return whether a half tells the metric, whatever is predicted."""
    classes = len(data.task.classes)
    anything = np.zeros((len(places), classes) if classes else len(places))
    half = data.dev.part(places)
    if not len(places) or not half.weight.any():
        return False
    return not math.isnan(metric.loss(targets(data, half), anything, half.weight))
