"""A study as those see it who want to change it while it trains, in its process or another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import Status, Trial
from deepwell.storage._kept_state import SNAPSHOT
from deepwell.storage._study_record import StudyRecord

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


@dataclass(frozen=True)
class Scene:
    """What an act is checked against.

    Attributes:
        name: of the study, harmless to show.
        trials: by their numbers, without curves.
        first: the first one of the round at work.
        folds: networks of a configuration; 0 without cross-validation.
        rounds: rounds that were proposed.
        snapshots: (trial, epoch) of the states that are kept.
        at_work: the networks of the round at work, where that is known: a run that goes on after
            a kill may have later rounds recorded that wait.
        stopped: whether the study waits to be gone on with, and its networks with it.
    """

    name: str
    trials: Mapping[int, Trial]
    first: int
    folds: int
    rounds: int
    snapshots: frozenset[tuple[int, int]] = frozenset()
    at_work: frozenset[int] | None = None
    stopped: bool = False

    def trains(self, trial: Trial) -> bool:
        """Return whether a trial has epochs before it, now or when the study goes on."""
        return training(trial, stopped=self.stopped)

    def trial(self, number: int) -> Trial:
        """Return a trial.

        Raises:
            UsageError: when there is none of that number.
        """
        if number in self.trials:
            return self.trials[number]
        if not self.trials:
            raise UsageError(f"study {self.name} has no networks yet; wait until it trains")
        raise UsageError(
            f"study {self.name} has no network {number}; they are numbered "
            f"{min(self.trials)} to {max(self.trials)}"
        )

    def in_training(self, number: int) -> Trial:
        """Return a trial that trains, or is about to.

        Raises:
            UsageError: when it is over, or has reached its last epoch.
        """
        trial = self.trial(number)
        if not self.trains(trial):
            ended = trial.status.value if trial.status.over else "at its last epoch"
            back = (
                f"; deepwell rollback {self.name} {number} lets a copy of it go on from an earlier "
                "epoch"
            )
            raise UsageError(
                f"network {number} of study {self.name} is {ended} after epoch {trial.epochs} "
                f"and trains no further{'' if self.folds or number < self.first else back}"
            )
        if self.at_work is not None and number not in self.at_work:
            if number < self.first:
                raise UsageError(
                    f"network {number} of study {self.name} belongs to a round that has ended, and "
                    "trains no further"
                )
            raise UsageError(
                f"network {number} of study {self.name} waits for its round; ask again when it "
                "trains"
            )
        return trial

    def chosen(self, number: int | None) -> list[Trial]:
        """Return the trial that is meant with all folds of it, or all that train for None.

        Raises:
            UsageError: when it is over, or none trains.
        """
        if number is not None:
            trial = self.in_training(number)
            if not self.folds:
                return [trial]
            start = number // self.folds * self.folds
            whole = (self.trials[n] for n in range(start, start + self.folds))
            return [one for one in whole if self.trains(one)]
        working = self.trials if self.at_work is None else self.at_work
        found = [
            t
            for t in self.trials.values()
            if t.number >= self.first and t.number in working and self.trains(t)
        ]
        if not found:
            raise UsageError(f"no network of study {self.name} trains now; ask when some do")
        return found

    def refuse_folds(self, act: str) -> None:
        """Refuse an act that makes copies, which have no place in a cross-validated study.

        Raises:
            UsageError: when the study has folds.
        """
        if self.folds:
            raise UsageError(
                f"{act} makes copies of networks, and study {self.name} has {self.folds} of each "
                "configuration, one a fold; nudge them instead"
            )


def training(trial: Trial, *, stopped: bool) -> bool:
    """Return whether a trial has epochs before it.

    Args:
        trial: of a study.
        stopped: whether the study waits to be gone on with. Then those that were interrupted go on
            as well; in a run they are of a round that came to its end without them.
    """
    may = not trial.status.over or (stopped and trial.status is Status.INTERRUPTED)
    return may and trial.epochs < trial.spec.whole("epochs")


def scene_of(store: Store, record: StudyRecord) -> Scene:
    """Return how a study stands now."""
    proposed: list[Any] = [e.details for e in store.events(record.id, "propose")]
    folds = record.config.get("folds", 0)
    kept = store.states.of(record.id, SNAPSHOT)
    trials = {t.number: t for t in store.trials(record.id)}
    stopped = record.status != "running"
    return Scene(
        name=safe_text(record.name),
        trials=trials,
        first=_first_at_work(
            proposed, [t for t in trials.values() if training(t, stopped=stopped)]
        ),
        folds=folds if isinstance(folds, int) else 0,
        rounds=len(proposed),
        snapshots=frozenset((state.trial, state.epoch) for state in kept),
        stopped=stopped,
    )


def _first_at_work(proposed: Sequence[Mapping[str, Any]], trains: Sequence[Trial]) -> int:
    """Return the first trial of the earliest round of which one trains.

    Most often that is the last round; a study that goes on after a kill may go back further.
    """
    rounds = [(int(told["first"]), int(told["networks"])) for told in proposed]
    for first, networks in rounds:
        if any(first <= trial.number < first + networks for trial in trains):
            return first
    return rounds[-1][0] if rounds else 0
