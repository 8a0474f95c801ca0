"""Which rows the checks of the first steps look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.data._mapped import read_rows

ROWS = 256  # of train and of dev: a check must cost next to nothing
_LOOKED_AT = 4_096  # rows among which they are chosen
_APART = 0.1  # of the widest distance: what is nearer is not told apart in a few steps


@dataclass(frozen=True, eq=False)
class Sample:
    """Some rows: x (m, D), y (m,), weight (m,), all of them above 0."""

    x: np.ndarray
    y: np.ndarray
    weight: np.ndarray

    def __len__(self) -> int:
        return len(self.y)


def sampled(y: np.ndarray, weight: np.ndarray, most: int = ROWS) -> np.ndarray:
    """Return the numbers of at most so many rows that count, spread evenly over the targets.

    Rows are taken at equal distances from those sorted by target: each class has its share, and
    targets that are numbers have their distribution.

    Args:
        y: (n,) targets.
        weight: (n,), at least 0.
        most: rows to return at most.
    """
    some = np.arange(len(y)) if len(y) <= _LOOKED_AT else _evenly(len(y), _LOOKED_AT)
    some = some[np.asarray(weight[some]) > 0]
    by_target = some[np.argsort(np.asarray(y[some]), kind="stable")]
    return np.sort(by_target[_evenly(len(by_target), most)])


def read_sample(x: np.ndarray, y: np.ndarray, weight: np.ndarray, rows: np.ndarray) -> Sample:
    """Return these rows, read from a file where they lie in one."""
    return Sample(read_rows(x, rows), np.asarray(y[rows]), np.asarray(weight[rows]))


def apart(features: np.ndarray, y: np.ndarray, most: int, *, classes: bool) -> np.ndarray:
    """Return rows that a linear function of the features tells apart, with unlike targets.

    Row after row, the one that lies farthest from the plane through those chosen so far (pivoted
    Gram-Schmidt), of the class that was chosen least; numbers count as two classes, above and below
    their mean. A linear function fits these rows, whatever their targets are. With the outputs of
    a network's last hidden layer as features, a fit exists that moves the output layer alone.

    Args:
        features: (m, H).
        y: (m,) targets.
        most: rows to choose at most.
        classes: whether targets are classes.

    Returns:
        (k,) numbers of the chosen rows in the order of choice; a lone one where all are alike.
    """
    wide = features.astype(np.float64)
    left = np.square(wide - wide.mean(axis=0)).sum(axis=1)
    chosen = [int(left.argmax())]
    rest = wide - wide[chosen[0]]
    widest = np.square(rest).sum(axis=1).max()
    of = y.astype(int) if classes else (y > y.mean()).astype(int)
    taken = np.zeros(of.max() + 1, int)
    taken[of[chosen[0]]] += 1
    while len(chosen) < most:
        left = np.square(rest).sum(axis=1)
        far = left > _APART**2 * widest
        if not far.any():
            break
        rare = far & (taken[of] == taken[of[far]].min())
        pick = int(np.where(rare, left, -1.0).argmax())
        taken[of[pick]] += 1
        chosen.append(pick)
        along = rest[pick] / np.sqrt(left[pick])
        rest = rest - np.outer(rest @ along, along)
    return np.array(chosen)


def _evenly(count: int, most: int) -> np.ndarray:
    """Return at most so many whole numbers below `count` at equal distances."""
    if count <= most:
        return np.arange(count)
    return (np.arange(most) * count + count // 2) // most
