"""What is known about the best score that anything could reach on a task.

It is known when a person says so, or when people labeled the same rows; else it is bounded: from
below by rows with the same inputs and different targets, from above by what another model reaches.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepwell.records import Estimate


@dataclass(frozen=True)
class Floor:
    """A score below which nothing gets.

    Attributes:
        score: with its interval.
        source: where it comes from, as in `repeated rows`.
    """

    score: Estimate
    source: str


@dataclass(frozen=True)
class Rival:
    """Another model, which shows what can be reached.

    Attributes:
        name: as in `gradient boosting`.
        score: on rows that it was not fitted on.
        train_gap: the network's train score less the rival's out of fold on the same train rows,
            paired: at least that much of the bias could be avoided.
        dev_gap: the network's dev score less the rival's, paired.
    """

    name: str
    score: Estimate
    train_gap: Estimate | None
    dev_gap: Estimate | None


@dataclass(frozen=True)
class BestPossible:
    """What is known about the best score that anything could reach.

    Attributes:
        score: the best possible one, as far as it is known; its ends are its own interval.
        source: where it comes from, as in `given` or `human labels`.
        gap: the network's train score less it, paired where both are of the same rows; None takes
            the difference of two scores of different rows.
        floor: a score below which nothing gets.
        rival: what the best of other models reached.
        no_signal: whether neither the network nor any simple model is clearly better than the
            constant guess, so that nothing shows that better is to be had.
    """

    score: Estimate | None = None
    source: str = ""
    gap: Estimate | None = None
    floor: Floor | None = None
    rival: Rival | None = None
    no_signal: bool = False

    @property
    def least(self) -> Estimate | None:
        """The score itself, or the floor; None where nothing is known from below."""
        if self.score is not None:
            return self.score
        return None if self.floor is None else self.floor.score

    def to_plain(self) -> dict[str, object]:
        """Return it for JSON."""
        rival, floor = self.rival, self.floor
        return {
            "score": _plain(self.score),
            "source": self.source,
            "floor": None if floor is None else {"source": floor.source, **floor.score.to_plain()},
            "rival": None
            if rival is None
            else {
                "name": rival.name,
                **rival.score.to_plain(),
                "train_gap": _plain(rival.train_gap),
                "dev_gap": _plain(rival.dev_gap),
            },
            "no_signal": self.no_signal,
        }


def given_best(value: float) -> BestPossible:
    """Return a best possible score that a person gave.

    Args:
        value: in the metric's own unit, 0.02 for an error rate of 2 %.
    """
    return BestPossible(Estimate(value, value, value), "given")


def _plain(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else estimate.to_plain()
