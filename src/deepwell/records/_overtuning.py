"""How much of a best dev score is luck of having been chosen on these rows."""

from __future__ import annotations

from dataclasses import dataclass

from ._estimate import Estimate


@dataclass(frozen=True)
class Overtuning:
    """The best dev score, corrected for the choice of network and epoch on the same rows.

    Attributes:
        dev: the best dev score as it was chosen by.
        expected: what the chosen network is expected to score on fresh rows like the dev rows.
        luck: expected less dev, at least 0, with the uncertainty of this correction alone; the
            interval of `expected` also covers that the dev rows are a sample.
        rows: dev rows, each counted once.
        networks: configurations whose scores came near enough to compete.
        models: of them, each epoch counted.
        trials: configurations of the study.
    """

    dev: float
    expected: Estimate
    luck: Estimate
    rows: int
    networks: int
    models: int
    trials: int
