"""Confusion: which class is taken for which, with intervals."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._groups_of_rows import weighted_share
from .metrics._tally import weights

_MOST_PAIRS = 10


@dataclass(frozen=True)
class ConfusedPair:
    """Rows of one class that are taken for another.

    Attributes:
        true, said: class numbers.
        rows: how many.
        share: of the rows of the true class, with its interval.
    """

    true: int
    said: int
    rows: int
    share: Estimate


@dataclass(frozen=True, eq=False)
class Confusion:
    """Which class is taken for which.

    Attributes:
        counts: (C, C) rows, or sums of their weights; a row a true class, a column a said one.
        recall: of the rows of a class, the share that is found; NaN where it has no row.
        precision: of the rows said to be of a class, the share that is; NaN where none is said.
        pairs: the most frequent confusions, at most 10.
    """

    counts: np.ndarray
    recall: tuple[Estimate, ...]
    precision: tuple[Estimate, ...]
    pairs: tuple[ConfusedPair, ...]

    def to_plain(self, classes: tuple[str, ...]) -> dict[str, object]:
        """Return the confusion for JSON, classes by their labels."""
        return {
            "classes": list(classes),
            "counts": self.counts.tolist(),
            "recall": [one.to_plain() for one in self.recall],
            "precision": [one.to_plain() for one in self.precision],
            "pairs": [
                {
                    "true": classes[pair.true],
                    "said": classes[pair.said],
                    "rows": pair.rows,
                    "share": pair.share.to_plain(),
                }
                for pair in self.pairs
            ],
        }


def confusion(
    y: np.ndarray,
    said: np.ndarray,
    classes: int,
    weight: np.ndarray | None = None,
    group: np.ndarray | None = None,
) -> Confusion:
    """Return which class is taken for which.

    Args:
        y: (n,) class numbers from 0.
        said: (n,) the classes that were said.
        classes: how many there are, C.
        weight: (n,) sample weights, at least 0; None means 1 for every row.
        group: (n,) whole numbers, equal for rows that belong together; None for rows of their own.

    Returns:
        Shares have Wilson's 95 % intervals, with the effective number of rows where rows count
        differently or come in groups.
    """
    w, y, said = weights(len(y), weight), np.asarray(y), np.asarray(said)
    cell = y * classes + said
    counts = np.bincount(cell, w, classes**2).reshape(classes, classes)
    rows = np.bincount(cell, minlength=classes**2).reshape(classes, classes)

    def among(of: np.ndarray, hit: np.ndarray) -> Estimate:
        return weighted_share(hit[of], w[of], None if group is None else group[of])

    recall = tuple(among(y == c, said == c) for c in range(classes))
    precision = tuple(among(said == c, y == c) for c in range(classes))
    wrong = np.where(np.eye(classes, dtype=bool), 0, counts).ravel()
    most = np.argsort(-wrong, kind="stable")[:_MOST_PAIRS]
    pairs = (divmod(int(place), classes) for place in most if wrong[place] > 0)
    return Confusion(
        counts,
        recall,
        precision,
        tuple(ConfusedPair(a, b, int(rows[a, b]), among(y == a, said == b)) for a, b in pairs),
    )
