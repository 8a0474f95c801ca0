"""What training on parts of the rows showed: the score against the number of rows, and beyond."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._estimate import Estimate


@dataclass(frozen=True)
class CurvePoint:
    """The score of a network that was trained on so many rows.

    Attributes:
        rows: it was trained on.
        score: mean of all runs, with its interval over random choices of rows, seeds and dev rows.
        runs: networks, each with its own rows, initial weights and batches.
    """

    rows: int
    score: Estimate
    runs: int


@dataclass(frozen=True)
class HeldOutSize:
    """The largest size, foretold from sizes up to half of it, and what was measured there.

    Attributes:
        rows: the size.
        foretold: what the smaller sizes say the mean of its runs is, with its interval.
        measured: that mean.
    """

    rows: int
    foretold: Estimate
    measured: float

    @property
    def holds(self) -> bool:
        """Whether the measured score lies inside the interval."""
        return self.foretold.low <= self.measured <= self.foretold.high


@dataclass(frozen=True)
class LearningCurve:
    """A network's learning curve.

    Attributes:
        metric: what the scores are; lower is better.
        points: by rows, smallest first; the last one is of all train rows.
        twice: the score expected with twice as many rows; None where it cannot be told.
        gain: by how much that is lower than with the rows there are.
        refusal: why it cannot be told, as the end of a sentence; empty where it can.
        families: name of a family of curves -> its share in the forecast.
        held_out: how the largest size was foretold; None where it was not tried.
        p_monotone: chance of a rise like the steepest one measured, where more rows never harm.
        p_fit: chance of a curve as far from all families, where one of them is right.
        worth: the gain from which on more rows are worth having.
        trial: the network; epochs: it was trained for.
        dev_rows: that scores are of.
        seconds: that it took.
    """

    metric: str
    points: tuple[CurvePoint, ...]
    twice: Estimate | None = None
    gain: Estimate | None = None
    refusal: str = ""
    families: Mapping[str, float] = field(default_factory=dict[str, float])
    held_out: HeldOutSize | None = None
    p_monotone: float = 1.0
    p_fit: float = 1.0
    worth: float = 0.0
    trial: int = 0
    epochs: int = 0
    dev_rows: int = 0
    seconds: float = 0.0
