"""K-fold cross-validation (D3): every row but the test rows is dev once and train k - 1 times.

Each fold is encoded as if it were the only split: what fills blanks, which categories have a
column, mean and deviation of every input come from its own train rows alone. Where folds then
differ in their number of inputs, columns of zeros fill up, which no network can use. The target's
unit (mean and deviation) and the rows' weights are those of all rows, so that the scores of all
folds are in one unit.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from deepwell._base._constraints import IntegerInterval
from deepwell._base._errors import UsageError
from deepwell._base._hash import Key, permutation

from ._data import Data
from ._images import fitted_inputs
from ._pool import Pool
from ._rows import Rows
from ._table_encoder import TableEncoder
from ._target import TargetEncoder
from ._weighting import sample_weights

FOLDS = IntegerInterval(2, 100)
ADVISED_BELOW = 2_000  # rows; above it one dev set is large enough, for a k-th of the work


@dataclass(frozen=True, eq=False)
class Folds:
    """The rows of a cross-validation.

    Attributes:
        parts: train and dev rows of each fold.
        places: of each fold's dev rows in `whole.train`, so that every row comes once.
        whole: the data with all rows as train rows and again as dev rows, encoded by all: what the
            final network is trained on.
        encoders: of each fold, fitted on its train rows; columns of zeros follow theirs where
            another fold has more.
    """

    parts: tuple[tuple[Rows, Rows], ...]
    places: tuple[np.ndarray, ...]
    whole: Data
    encoders: tuple[TableEncoder, ...]

    def data(self, fold: int) -> Data:
        """Return the data of a fold, counted from 0, for what is fitted and scored on it."""
        train, dev = self.parts[fold]
        return replace(self.whole, train=train, dev=dev)

    def rows_of(self, fold: int, encoded_as: int) -> np.ndarray:
        """Return the inputs of a fold's dev rows as another fold encodes its train rows."""
        train_places = np.setdiff1d(np.arange(len(self.whole.train)), self.places[encoded_as])
        return self.parts[encoded_as][0].x[np.isin(train_places, self.places[fold])]

    def in_order(self, by_fold: Mapping[int, np.ndarray]) -> np.ndarray:
        """Return predictions for all rows, in their order, from those for each fold's dev rows."""
        whole = np.concatenate([by_fold[fold] for fold in range(len(self.places))])
        return whole[np.argsort(np.concatenate(self.places))]


def make_folds(data: Data, folds: int) -> Folds:
    """Return the train and dev rows of `data` as `folds` folds.

    Classes are stratified, copies of a row and members of a group stay together, and the folds
    depend on the data alone.

    Raises:
        UsageError: when the rows cannot be cut into so many folds.
    """
    whole, pool = pooled(data, "folds"), data.pool
    assert isinstance(pool, Pool)
    y, weight = whole.train.y, whole.train.weight
    strata = y if data.task.kind == "classification" else np.zeros(len(y), np.int64)
    fold_of = assign_folds(strata, pool.together, folds, pool.draws(folds))
    sample = sample_weights(pool.frame, data.weighting.column or None)
    encoders, parts = [], []
    for one in range(folds):
        inside = np.flatnonzero(fold_of != one)
        _require(y[inside], weight[inside], weight[fold_of == one], data, one)
        encoders.append(fitted_inputs(pool.frame[inside], pool.inputs, sample[inside], data.image))
    width = max(len(one.mean) for one in encoders)
    for one, table in enumerate(encoders):
        here = fold_of == one
        rows = Rows(_widened(table.transform(pool.frame), width), y, weight, pool.group)
        parts.append((rows.part(np.flatnonzero(~here)), rows.part(np.flatnonzero(here))))
    told = (
        f"{folds} folds of the {len(y):,} train and dev rows: each is dev once; the target's unit "
        "is that of all of them, the inputs' that of each fold's train rows"
    )
    notes = data.facts.notes if told in data.facts.notes else (*data.facts.notes, told)
    whole = replace(whole, facts=replace(data.facts, notes=notes))
    places = tuple(np.flatnonzero(fold_of == one) for one in range(folds))
    return Folds(tuple(parts), places, whole, tuple(encoders))


def pooled(data: Data, asked: str) -> Data:
    """Return the data with all train and dev rows as train rows and again as dev rows.

    They are encoded and weighted as if they were the train rows.

    Args:
        data: of a study.
        asked: the option or command that needs this, for the error.

    Raises:
        UsageError: when the rows as they came are not there.
    """
    pool = data.pool
    if not isinstance(pool, Pool):
        raise UsageError(f"`{asked}` cannot be used here: {pool}")
    target, task = data.target_encoder.name, data.task
    sample = sample_weights(pool.frame, data.weighting.column or None)
    encoder = TargetEncoder.fit(pool.frame[target], task, sample)
    y = encoder.encode(pool.frame[target])
    weighting = data.weighting.refitted(sample, y, task.classes)
    table = fitted_inputs(pool.frame, pool.inputs, sample, data.image)
    weight = weighting.weights(sample, y)
    everything = Rows(table.transform(pool.frame), y, weight, pool.group)
    return replace(
        data,
        train=everything,
        dev=everything,
        table_encoder=table,
        target_encoder=encoder,
        weighting=weighting,
    )


def assign_folds(strata: np.ndarray, together: np.ndarray, folds: int, draws: Key) -> np.ndarray:
    """Return (n,) the fold of each row, counted from 0.

    Rows that stay together go first, largest first, each where they leave the classes most
    even; single rows then fill up the folds class by class. Random by the order among equals.

    Args:
        strata: (n,) class numbers; zeros for a regression.
        together: (n,) rows with equal numbers go into the same fold.
        folds: how many, k.
        draws: key of all random choices.

    Raises:
        UsageError: when there are fewer blocks of rows than folds.
    """
    _, block, sizes = np.unique(together, return_inverse=True, return_counts=True)
    if len(sizes) < folds:
        raise UsageError(
            f"`folds` must be at most {len(sizes):,}, the number of different rows or groups that "
            f"may be parted, got {folds}"
        )
    classes = int(strata.max()) + 1
    counts = np.bincount(strata, minlength=classes)
    order = permutation(draws, len(sizes))
    held = np.zeros((folds, classes))
    fold_of_block = np.full(len(sizes), -1)
    first_row = np.full(len(sizes), -1)
    first_row[block[::-1]] = np.arange(len(block))[::-1]
    many = order[sizes[order] > 1]
    for one in many[np.argsort(-sizes[many], kind="stable")]:
        mine = np.bincount(strata[block == one], minlength=classes)
        uneven = ((2 * held + mine) * mine / np.maximum(counts, 1)).sum(axis=1)
        fold = np.lexsort((np.arange(folds), held.sum(axis=1), np.round(uneven, 12)))[0]
        fold_of_block[one] = fold
        held[fold] += mine
    singles = order[sizes[order] == 1]
    of_class = strata[first_row[singles]]
    for stratum in range(classes):
        heap = [(held[f, stratum], held[f].sum(), f) for f in range(folds)]
        heapq.heapify(heap)
        for one in singles[of_class == stratum]:
            inside, total, fold = heapq.heappop(heap)
            fold_of_block[one] = fold
            held[fold, stratum] += 1
            heapq.heappush(heap, (inside + 1, total + 1, fold))
    return fold_of_block[block]


def folds_advice(rows: int, folds: int) -> str:
    """Return the line about cross-validation for so many train and dev rows, or nothing to say.

    >>> folds_advice(500, 0)
    '500 rows are few: --folds 5 scores on each of them, not on the dev rows alone'
    """
    if folds == 0 and rows < ADVISED_BELOW:
        return f"{rows:,} rows are few: --folds 5 scores on each of them, not on the dev rows alone"
    if folds and rows >= ADVISED_BELOW:
        return (
            f"{rows:,} rows are many for {folds} folds, {folds} times the work: a dev set of a "
            "fifth of them tells as much"
        )
    return ""


def _require(
    y: np.ndarray, train_weight: np.ndarray, dev_weight: np.ndarray, data: Data, fold: int
) -> None:
    """Refuse a fold that nothing could be learned from or scored on."""
    one_class = data.task.kind == "classification" and len(np.unique(y)) < 2
    if one_class or not train_weight.any() or not dev_weight.any():
        what = "one class alone" if one_class else "rows of weight 0 alone"
        raise UsageError(f"fold {fold + 1} would have {what}; ask for fewer `folds`")


def _widened(x: np.ndarray, width: int) -> np.ndarray:
    return np.pad(x, ((0, 0), (0, width - x.shape[1])))
