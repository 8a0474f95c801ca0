"""What a model does to a network's outputs, and what its sets and intervals rest on.

It is kept beside the network in `model.json`, and nothing of it is applied unless it was asked for:
a temperature of 1 and no threshold leave every prediction as the network gives it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.diagnosis._conformal import (
    ClassScores,
    ValueScores,
    adaptive_half_width,
    adaptive_sets,
    checked_coverage,
    class_scores,
    half_width,
    smallest_sets,
    value_scores,
)
from deepwell.records import from_plain, to_plain


@dataclass(frozen=True)
class Adjustments:
    """What was learned from rows that the network was not trained on.

    Attributes:
        temperature: by which raw outputs are divided before they become probabilities; 1 for none.
        threshold: probability of the second of two classes above which it is said; None for the
            likelier class.
        threshold_for: what the threshold was chosen for, as in `f1`, or an empty string.
        classes, values: scores of dev rows for sets and intervals; None where there are none.
    """

    temperature: float = 1.0
    threshold: float | None = None
    threshold_for: str = ""
    classes: ClassScores | None = None
    values: ValueScores | None = None

    @property
    def change_predictions(self) -> bool:
        """Whether a program that does not know them would predict otherwise."""
        return self.temperature != 1.0 or self.threshold is not None

    @property
    def as_trained(self) -> Adjustments:
        """The same without what changes predictions."""
        return replace(self, temperature=1.0, threshold=None, threshold_for="")

    @property
    def rows(self) -> int:
        """How many rows the sets and intervals rest on."""
        if self.classes is not None:
            return len(self.classes.smallest)
        return 0 if self.values is None else len(self.values.residuals)

    def sets(self, probabilities: np.ndarray, coverage: float, adaptive: bool) -> np.ndarray:
        """Return (n, C) which classes are in the set of each row.

        Raises:
            UsageError: when the coverage is none, or asks for more rows than there are.
        """
        coverage = self._reachable(coverage)
        assert self.classes is not None
        make = adaptive_sets if adaptive else smallest_sets
        return make(self.classes, probabilities, coverage)

    def intervals(self, values: np.ndarray, coverage: float, adaptive: bool) -> np.ndarray:
        """Return (n, 2) the ends of the interval of each row.

        Raises:
            UsageError: when the coverage is none, or asks for more rows than there are.
        """
        coverage = self._reachable(coverage)
        assert self.values is not None
        make = adaptive_half_width if adaptive else half_width
        reach = make(self.values, values, coverage)
        return np.stack([values - reach, values + reach], axis=1)

    def _reachable(self, coverage: float) -> float:
        share = checked_coverage(coverage)
        if self.rows == 0:
            raise UsageError(
                "this model has no dev rows to take sets and intervals from; fit again, with a "
                "dev set"
            )
        most = self.rows / (self.rows + 1)
        if share > most + 1e-12:
            raise UsageError(
                f"`coverage` must be at most {most:.4f} for the {self.rows:,} dev rows of this "
                f"model, got {share:g}; more dev rows allow more"
            )
        return share

    def to_plain(self) -> dict[str, Any]:
        """Return the adjustments for JSON."""
        return to_plain(self)

    @staticmethod
    def from_plain(plain: Mapping[str, Any] | None) -> Adjustments:
        """Return what `to_plain` described; none for a model of before there were any."""
        return Adjustments() if plain is None else from_plain(Adjustments, plain)


def scores_of(y: np.ndarray, prediction: np.ndarray, seed: int) -> Adjustments:
    """Return adjustments that change nothing, with the scores of these rows.

    Args:
        y: (n,) class numbers, or values in the target's unit.
        prediction: (n, C) or (n,), by a network that was not trained on them.
        seed: of the rows that are kept where there are many.
    """
    if prediction.ndim == 2:
        return Adjustments(classes=class_scores(y, prediction, seed))
    return Adjustments(values=value_scores(y, prediction, seed))
