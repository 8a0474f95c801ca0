"""1 - F1, with F1 = 2 hits / (true rows + rows said) of a class.

With two classes the one of index 1 is the positive class; with more it is the mean over the
classes that occur among the true or the said ones (macro).
"""

from __future__ import annotations

import numpy as np

from ._metric import Metric, mean_of_defined, ratio
from ._tally import Tally


def _sums(y: np.ndarray, prediction: np.ndarray, tally: Tally) -> np.ndarray:
    classes = prediction.shape[1]
    said = prediction.argmax(axis=1)
    ones = np.ones(len(y))
    hits = tally.table(y, classes, said == y)
    either = tally.table(y, classes, ones) + tally.table(said, classes, ones)
    if classes == 2:
        hits, either = hits[:, 1:], either[:, 1:]
    return np.concatenate([hits, either], axis=-1)


def _combine(sums: np.ndarray) -> np.ndarray:
    hits, either = np.split(sums, 2, axis=-1)
    # no true and no said positive row: there is nothing to find, and nothing was found
    return 1 - np.nan_to_num(mean_of_defined(ratio(2 * hits, either)), nan=0.0)


f1 = Metric("f1", "1 - F1", "classification", False, True, _sums, _combine, of_decisions=True)
