"""Slices: rows of a category, or of a range of a column, where the model is worse than elsewhere.

Among many slices some look bad by luck. All single columns and pairs are compared at once by the
largest standardized excess, whose distribution without any bad slice comes from permuting the
rows' losses (Westfall and Young 1993, Resampling-Based Multiple Testing): in at most 5 of 100
tables without one, any slice is told. After the worst one is told, the next are looked for among
the rows that are left, so that a slice is not told again under other names.

Where rows come in groups, as of one patient, losses of a group are no separate evidence. The
excess of a slice is then told in units of what groups vary by, where that is more, and as a figure
of Student's t for the groups inside of it or those outside, whichever are fewer. What permuted rows
reach stands for what the largest of so many such figures reaches by chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._groups_of_rows import Z, as_normal, effective_rows, mean_variance, reach
from .metrics._tally import weights

LEVEL = 0.05
LEAST_ROWS = 20
LEAST_SHARE = 0.02
_BINS = 4
_CATEGORIES = 12
_PERMUTATIONS = 400
_CELLS = 60_000_000  # rows times slices that are compared
_AT_ONCE = 20_000_000
_MOST_ROWS, _LEAST_LOOKED_AT = 100_000, 5_000
_HELD = 240_000_000  # rows times slices of single columns, a byte each
_MOST_TOLD = 5


@dataclass(frozen=True)
class Condition:
    """What rows of a slice have in common in one column.

    Attributes:
        column: its name.
        words: the condition, as in `contract = month-to-month` or `12 < tenure <= 29`.
    """

    column: str
    words: str


@dataclass(frozen=True)
class Slice:
    """Rows where the model does worse than elsewhere.

    Attributes:
        conditions: one, or two that hold together.
        rows: how many there are.
        inside: mean loss of these rows, with an interval that holds for all slices at once.
        outside: mean loss of the other rows.
        p_value: chance of a slice as bad as this among all of them, where none is bad.
    """

    conditions: tuple[Condition, ...]
    rows: int
    inside: Estimate
    outside: float
    p_value: float

    def to_plain(self) -> dict[str, object]:
        """Return the slice for JSON."""
        return {
            "where": [one.words for one in self.conditions],
            "columns": [one.column for one in self.conditions],
            "rows": self.rows,
            "inside": self.inside.to_plain(),
            "outside": self.outside,
            "p_value": self.p_value,
        }


@dataclass(frozen=True)
class Slices:
    """What was found and how much was looked at.

    Attributes:
        found: the worst first, at most 5.
        compared: slices that were compared.
        columns: that have a slice; `paired`: that were combined with each other, from the first.
        rows: that were looked at; `all_rows`: of which they are a random sample, or all.
    """

    found: tuple[Slice, ...]
    compared: int
    columns: int
    paired: int
    rows: int
    all_rows: int

    def to_plain(self) -> dict[str, object]:
        """Return the slices for JSON."""
        return {**vars(self), "found": [one.to_plain() for one in self.found]}


def worst_slices(
    loss: np.ndarray,
    columns: Mapping[str, np.ndarray],
    weight: np.ndarray | None = None,
    seed: int = 0,
    bounded: bool = True,
    group: np.ndarray | None = None,
) -> Slices:
    """Return the slices where the mean loss is higher than elsewhere, beyond chance.

    Numbers are cut at quartiles, of texts the 12 most frequent are slices, missing values are one
    of their own. A slice has at least 20 rows and 2 % of all, and so have the others. All pairs of
    columns are combined, or of as many of the first ones as keeps the work bounded. Of more than
    100,000 rows, or fewer where columns are very many, a random sample is looked at.

    Args:
        loss: (n,) loss of each row, as 1 where it is wrong, or its squared error.
        columns: name -> (n,) numbers, or texts with None where missing; dates as numbers.
        weight: (n,) sample weights; None means 1 for every row.
        seed: of the permutations, and of the sample.
        bounded: whether a loss is 0 or 1.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.
    """
    whole, w = len(loss), weights(len(loss), weight)
    some = _sample(whole, len(columns), seed)
    if some is not None:
        loss, w = loss[some], w[some]
        columns = {name: values[some] for name, values in columns.items()}
        group = None if group is None else group[some]
    n = len(loss)
    least = max(LEAST_ROWS, math.ceil(LEAST_SHARE * n))
    singles = [s for name, values in columns.items() if (s := _singles(name, values, least))]
    if not singles or n < 2 * least or float(np.ptp(loss)) == 0:
        return Slices((), 0, len(singles), 0, n, whole)
    masks, conditions, paired = _all(singles, least, n)
    center = float(w @ loss) / float(w.sum())
    limits = _largest_by_chance(w * (loss - center), masks, seed)
    rows = _Judged(loss, w, group)
    remaining = np.ones(n, dtype=bool)
    found: list[Slice] = []
    while len(found) < _MOST_TOLD:
        best, score = _worst(rows, masks, remaining, least)
        p_value = (1 + int((limits >= score).sum())) / (1 + len(limits))
        if best is None or p_value > LEVEL:
            break
        inside = masks[best] & remaining
        # what the told interval has to allow for is a choice among all slices
        errors = max(Z, float(np.quantile(limits, 1 - LEVEL)))
        rest = remaining & ~inside
        found.append(
            Slice(
                conditions[best],
                int(inside.sum()),
                _interval(rows.part(inside), errors, bounded),
                float(np.average(loss[rest], weights=w[rest])),
                p_value,
            )
        )
        remaining &= ~inside
    return Slices(tuple(found), len(masks), len(singles), paired, n, whole)


def _sample(rows: int, columns: int, seed: int) -> np.ndarray | None:
    """Return the places of the rows that are looked at, so that memory is bounded; None for all."""
    held = _HELD // ((_CATEGORIES + 1) * max(1, columns))
    most = max(_LEAST_LOOKED_AT, min(_MOST_ROWS, held))
    if rows <= most:
        return None
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


def _singles(name: str, values: np.ndarray, least: int) -> list[tuple[np.ndarray, Condition]]:
    """Return the slices of one column, each with its condition."""
    made = _numbers(name, values) if values.dtype.kind in "fiub" else _texts(name, values)
    enough = [(mask, text) for mask, text in made if least <= mask.sum() <= len(values) - least]
    return [(mask, Condition(name, text)) for mask, text in enough]


def _numbers(name: str, values: np.ndarray) -> list[tuple[np.ndarray, str]]:
    values = values.astype(np.float64)
    missing = np.isnan(values)
    different = np.unique(values[~missing])
    made = [(missing, f"{name} is missing")]
    if len(different) <= _BINS:
        return made + [(values == v, f"{name} = {_figure(v)}") for v in different]
    cuts = np.unique(np.quantile(values[~missing], np.linspace(0, 1, _BINS + 1)[1:-1]))
    cuts = cuts[cuts < different[-1]]
    place = np.where(missing, -1, np.searchsorted(cuts, values))
    for one in range(len(cuts) + 1):
        low = "" if one == 0 else f"{_figure(cuts[one - 1])} < "
        high = "" if one == len(cuts) else f" <= {_figure(cuts[one])}"
        words = f"{name} > {_figure(cuts[-1])}" if not high else f"{low}{name}{high}"
        made.append((place == one, words))
    return made


def _texts(name: str, values: np.ndarray) -> list[tuple[np.ndarray, str]]:
    missing = np.array([v is None for v in values], dtype=bool)
    texts = np.array(["" if v is None else str(v) for v in values])
    different, counts = np.unique(texts[~missing], return_counts=True)
    made = [(missing, f"{name} is missing")]
    for place in np.argsort(-counts, kind="stable")[:_CATEGORIES]:
        one = str(different[place])
        made.append(((texts == one) & ~missing, f"{name} = {one}"))
    return made


def _all(
    singles: Sequence[list[tuple[np.ndarray, Condition]]], least: int, n: int
) -> tuple[np.ndarray, list[tuple[Condition, ...]], int]:
    """Return (m, n) which rows are in each slice, their conditions, and how many columns pair."""
    masks = [mask for column in singles for mask, _ in column]
    conditions: list[tuple[Condition, ...]] = [(c,) for column in singles for _, c in column]
    paired = 1
    room = _CELLS // n - len(masks)
    for second in range(1, len(singles)):
        room -= sum(len(singles[first]) * len(singles[second]) for first in range(second))
        if room < 0:
            break
        paired = second + 1
        right = np.array([mask for mask, _ in singles[second]])
        for first in range(second):
            left = np.array([mask for mask, _ in singles[first]])
            sizes = left.astype(np.float32) @ right.T.astype(np.float32)
            places = np.argwhere((sizes >= least) & (sizes <= n - least))
            for i, j in places.tolist():
                masks.append(left[i] & right[j])
                conditions.append((singles[first][i][1], singles[second][j][1]))
    return np.array(masks), conditions, paired


def _largest_by_chance(excess: np.ndarray, masks: np.ndarray, seed: int) -> np.ndarray:
    """Return the largest standardized excess of any slice in each permutation of the rows."""
    n = len(excess)
    generator = np.random.default_rng(seed)
    largest = np.full(_PERMUTATIONS, -np.inf)
    step = max(1, _AT_ONCE // n)
    for first in range(0, _PERMUTATIONS, step):
        here = slice(first, min(first + step, _PERMUTATIONS))
        drawn = np.empty((n, here.stop - first), np.float32)
        for column in drawn.T:
            column[:] = generator.permutation(excess)
        for start in range(0, len(masks), step):
            part = masks[start : start + step]
            deviation = _deviation(excess, part.sum(axis=1), n)
            sums = part.astype(np.float32) @ drawn
            largest[here] = np.maximum(largest[here], (sums / deviation[:, None]).max(axis=0))
    return largest


def _deviation(excess: np.ndarray, size: np.ndarray, n: int) -> np.ndarray:
    """Return the standard deviation of the sum over so many rows drawn without replacement."""
    variance = float(np.var(excess, ddof=1))
    return np.sqrt(np.maximum(variance * size * (n - size) / n, 1e-300))


@dataclass(frozen=True, eq=False)
class _Judged:
    """Rows with their losses.

    Attributes:
        loss: (n,); weight: (n,).
        group: (n,) whole numbers, or None.
    """

    loss: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None

    def part(self, rows: np.ndarray) -> _Judged:
        """Return some of the rows."""
        group = None if self.group is None else self.group[rows]
        return _Judged(self.loss[rows], self.weight[rows], group)


def _worst(
    judged: _Judged, masks: np.ndarray, remaining: np.ndarray, least: int
) -> tuple[int | None, float]:
    """Return the slice with the largest standardized excess among the rows that are left."""
    rows = np.flatnonzero(remaining)
    n = len(rows)
    if n < 2 * least:
        return None, 0.0
    left = judged.part(rows)
    mine = left.weight
    excess = mine * (left.loss - float(mine @ left.loss) / float(mine.sum()))
    scores = np.empty(len(masks))
    step = max(1, _AT_ONCE // n)
    for start in range(0, len(masks), step):
        part = masks[start : start + step][:, rows]
        size = part.sum(axis=1)
        sums = part.astype(np.float32) @ excess.astype(np.float32)
        fits = (size >= least) & (size <= n - least)
        found = np.where(fits, sums / _deviation(excess, size, n), -np.inf)
        scores[start : start + step] = found
    if left.group is not None:
        return _worst_by_groups(left, excess, masks, rows, scores)
    best = int(scores.argmax())
    return (best, float(scores[best])) if scores[best] > 0 else (None, 0.0)


def _worst_by_groups(
    left: _Judged, excess: np.ndarray, masks: np.ndarray, rows: np.ndarray, scores: np.ndarray
) -> tuple[int | None, float]:
    """Return the same where groups err alike: no score of rows gets larger by that."""
    best, largest = None, 0.0
    for one in np.argsort(-scores, kind="stable").tolist():
        if scores[one] <= largest:
            break
        inside = masks[one][rows]
        of_rows = float(_deviation(excess, inside.sum(keepdims=True), len(rows))[0])
        of_groups, groups = _deviation_of_groups(left, inside)
        if groups > 1:
            score = as_normal(float(scores[one]) * of_rows / max(of_rows, of_groups), groups)
            if score > largest:
                best, largest = one, score
    return best, largest


def _deviation_of_groups(left: _Judged, inside: np.ndarray) -> tuple[float, int]:
    """Return the standard deviation of a slice's excess by what groups vary by, and how many.

    With W the weights, the excess is W_in W_out / W times the difference of the two means.
    """
    assert left.group is not None
    total = float(left.weight.sum())
    share = float(left.weight[inside].sum()) / total
    counted = left.weight > 0
    parts = (inside & counted, ~inside & counted)
    fewest = min(len(np.unique(left.group[part])) for part in parts)
    if fewest < 2:
        return math.inf, fewest
    influence = np.zeros(len(inside))
    for part, factor in zip(parts, (1 - share, -share), strict=True):
        weight, loss = left.weight[part], left.loss[part]
        influence[part] = factor * weight * (loss - np.average(loss, weights=weight))
    sums = np.bincount(np.unique(left.group, return_inverse=True)[1], influence)
    return math.sqrt(fewest / (fewest - 1) * float(sums @ sums)), fewest


def _interval(inside: _Judged, errors: float, bounded: bool) -> Estimate:
    """Return the mean with an interval of so many standard errors; Wilson's form for shares."""
    loss, w, group = inside.loss, inside.weight, inside.group
    mean = float(w @ loss) / float(w.sum())
    if not bounded:
        variance, groups = mean_variance(loss, w, group)
        wider = 1.0 if group is None else reach(groups) / Z
        half = errors * wider * math.sqrt(variance)
        return Estimate(mean, max(0.0, mean - half), mean + half)
    rows = effective_rows(loss > 0, w, group)
    middle = (mean + errors**2 / (2 * rows)) / (1 + errors**2 / rows)
    half = errors * math.sqrt(mean * (1 - mean) / rows + errors**2 / (4 * rows**2))
    half /= 1 + errors**2 / rows
    return Estimate(mean, max(0.0, middle - half), min(1.0, middle + half))


def _figure(value: float) -> str:
    return f"{value:.4g}"
