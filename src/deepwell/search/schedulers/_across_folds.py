"""Any scheduler, deciding on configurations by their mean over folds.

The networks of a configuration, one a fold, go on or stop together, so that every mean that is
compared is over all folds. Trials of one configuration have numbers in a row.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.records import Rung, Status, Trial

from ._scheduler import Decision, Moment, Scheduler

_WORST_FIRST = (Status.FAILED, Status.DIVERGED, Status.INTERRUPTED, Status.PRUNED)


def across_folds(scheduler: Scheduler, folds: int) -> Scheduler:
    """Return the scheduler for trials that are folds of configurations.

    Args:
        scheduler: decides on the means.
        folds: trials of a configuration.

    Raises:
        UsageError: when it copies networks.
    """
    if scheduler.forks:
        raise UsageError(
            "pbt replaces networks by changed copies of others, one at a time, and with `folds` a "
            "configuration has a network a fold that must stay alike; leave out `folds`, or choose "
            "another scheduler, such as halving or asha"
        )

    def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
        each = scheduler.rungs(networks // folds, epochs)
        return tuple(Rung(rung.epochs, rung.networks * folds) for rung in each)

    def decide(moment: Moment) -> Decision:
        decision = scheduler.decide(_counted(moment, folds))
        place = {number: i for i, number in enumerate(decision.promote)}
        waiting = [t.number for t in moment.trials if not t.status.over]
        going = [n for n in waiting if n // folds in place]
        going.sort(key=lambda n: (place[n // folds], n))
        return Decision(tuple(going), tuple(n for n in waiting if n // folds not in place))

    at_once = max(1, scheduler.wave // folds)  # configurations that train at a time

    def decide_wave(moment: Moment) -> Decision:
        means = tuple(_means(moment.arrivals, folds))
        lost = {one for came in means for one, mean in came.items() if not math.isfinite(mean)}
        open_: dict[int, list[int]] = {}
        for number in moment.open:
            open_.setdefault(number // folds, []).append(number)
        able = tuple(one for one in open_ if one not in lost)
        decision = scheduler.decide(replace(_counted(moment, folds), arrivals=means, open=able))
        stops = lost.intersection(open_).union(decision.prune)
        return Decision(
            tuple(n for one in decision.promote[:at_once] for n in open_[one]),
            tuple(n for n in moment.open if n // folds in stops),
        )

    if scheduler.wave:
        return Scheduler(rungs, decide_wave, curves=scheduler.curves, wave=at_once * folds)
    return Scheduler(rungs, decide, curves=scheduler.curves, even=scheduler.even)


def _counted(moment: Moment, folds: int) -> Moment:
    """Return a moment whose trials are configurations, by their own numbers."""
    together = configurations(moment.trials, folds)
    return replace(
        moment,
        trials=[replace(one, number=one.number // folds) for one in together],
        rungs=tuple(Rung(rung.epochs, rung.networks // folds) for rung in moment.rungs),
        first=moment.first // folds,
    )


def _means(arrivals: Sequence[Mapping[int, float]], folds: int) -> Iterator[dict[int, float]]:
    """Yield for each rung the configurations that have come to it, with their mean scores.

    A fold that stopped early on the way to a rung keeps the score that it had.
    """
    last: dict[int, float] = {}
    for came in arrivals:
        last |= came
        views = {n // folds: range(n // folds * folds, (n // folds + 1) * folds) for n in came}
        yield {
            one: math.fsum(last.get(n, math.inf) for n in some) / folds
            for one, some in views.items()
        }


def configurations(trials: Sequence[Trial], folds: int) -> list[Trial]:
    """Return one trial a configuration: the first one's number, the means over the folds.

    Score and cost are means, infinite unless every fold has them; `best_epoch` is the mean,
    rounded; `epochs` are those of the fold that trained longest; curves, where there are any, are
    means. One that failed, diverged or was interrupted in a fold did so as a whole; it is over
    only when all folds are.

    Args:
        trials: those of some configurations, complete or not; a missing fold counts as unscored.
        folds: trials of a configuration.
    """
    members: dict[int, list[Trial]] = {}
    for trial in trials:
        members.setdefault(trial.number // folds, []).append(trial)
    return [_together(some, folds) for _, some in sorted(members.items())]


def _together(some: Sequence[Trial], folds: int) -> Trial:
    first = min(some, key=lambda trial: trial.number)
    scored = len(some) == folds and all(math.isfinite(trial.score) for trial in some)
    score, cost, epoch = math.inf, math.inf, 0
    if scored:
        score = math.fsum(trial.score for trial in some) / folds
        cost = math.fsum(trial.cost for trial in some) / folds
        epoch = max(1, math.floor(sum(trial.best_epoch for trial in some) / folds + 0.5))
    return replace(
        first,
        number=first.number // folds * folds,
        status=_status(some),
        epochs=max(trial.epochs for trial in some),
        best_epoch=epoch,
        score=score,
        cost=cost,
        message=next((trial.message for trial in some if trial.message), ""),
        curves=_mean_curves(some),
    )


def _mean_curves(some: Sequence[Trial]) -> dict[str, np.ndarray]:
    """Return the means of the folds' curves, as far as all of them go; none without curves.

    A fold that stopped early stays where it stopped, as its network would.
    """
    if not all(trial.curves and trial.epochs for trial in some):
        return {}
    names = [name for name in some[0].curves if all(name in t.curves for t in some)]
    return {name: _mean_curve([trial.curves[name] for trial in some]) for name in names}


def _mean_curve(curves: Sequence[np.ndarray]) -> np.ndarray:
    length = max(len(curve) for curve in curves)
    return np.array([_held(curve, length) for curve in curves], np.float64).mean(axis=0)


def _held(curve: np.ndarray, length: int) -> np.ndarray:
    """Return a curve (length,) that stays at its last value after its end."""
    return np.concatenate([curve, np.repeat(curve[-1:], max(0, length - len(curve)))])


def _status(some: Sequence[Trial]) -> Status:
    present = {trial.status for trial in some}
    for status in _WORST_FIRST:
        if status in present:
            return status
    going = [trial.status for trial in some if not trial.status.over]
    if going:
        return going[0]
    return Status.FINISHED if Status.FINISHED in present else Status.EARLY_STOPPED
