"""Which rungs halving should have: searches of equal epochs on curves of six tasks, many seeds.

    python -m benchmarks.rungs [--tasks digits,cancer] [--networks 1000] [--seeds 300]
    python -m benchmarks.rungs --tasks digits,spiral --epochs 90 --ways "10, 30, 90;3, 10, 30, 90"

A search draws random networks of a curve table in rounds of 32, none twice, and trains each round
by halving until its epochs are spent: as many as so many full trainings take (`--trainings`). Of
the round that would take more than are left, a search has the share that fits as its chance to
train it too, so that all ways spend the same on average. What it found are the dev error of the
best network that was trained to its end, and that network's test error. Ways are named by their
rungs out of 30 epochs, or of `--epochs`; where a task has other ones they are stretched. `fit` is
what Deepwell does. Networks are ranked at a rung by the best score alone, or by score and cost as
`fit` does. Differences are those from the first way, searches of the same seed by pairs, with their
standard error. Beside each task stands how well ranks early in training foretell those at the end.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import spearmanr

from deepwell.records import Rung, Status, Trial
from deepwell.search.schedulers import SCHEDULERS, Decision, Moment, Scheduler
from deepwell.search.schedulers._ranking import rank, scored, split

from . import make_curves
from .replay import Table, climb, table_of

ROUND = 32
FACTOR = 3
_USUAL = "10, 30;5, 30;5, 12, 30;3, 10, 30"


def stretched(shares: Sequence[float], *, by_score: bool) -> Scheduler:
    """Return halving with rungs at shares of all epochs.

    Args:
        shares: of the epochs, the last one 1.
        by_score: whether networks are ranked by their best score, not by score and cost.
    """

    def rungs(networks: int, epochs: int) -> tuple[Rung, ...]:
        return tuple(
            Rung(max(1, round(epochs * share)), math.ceil(networks / FACTOR**place))
            for place, share in enumerate(shares)
        )

    return Scheduler(rungs, _by_score if by_score else SCHEDULERS["halving"].decide)


def _by_score(moment: Moment) -> Decision:
    able = [t for t in moment.trials if scored(t) and t.status is not Status.DIVERGED]
    best = sorted(able, key=rank)[: moment.keep]
    return split(moment.trials, {t.number for t in best})


def ways(text: str) -> dict[str, Scheduler]:
    """Return the ways to halve that a text names, each by score and by both, then what `fit` does.

    >>> [(r.epochs, r.networks) for r in ways("10, 30")["10, 30 by score"].rungs(32, 60)]
    [(20, 32), (60, 11)]

    Args:
        text: rungs with commas between, ways with semicolons.
    """
    found: dict[str, Scheduler] = {}
    for name in text.split(";"):
        epochs = [int(one) for one in name.split(",")]
        shares = [one / epochs[-1] for one in epochs]
        for how in ("score", "both"):
            found[f"{name} by {how}"] = stretched(shares, by_score=how == "score")
    return {**found, "fit": SCHEDULERS["halving"]}


def search(table: Table, way: Scheduler, epochs: float, seed: int) -> tuple[float, float]:
    """Return dev and test error of the best network that a search trains to its end.

    Args:
        table: the networks that there are.
        way: to halve.
        epochs: that it may spend, on average; the first round is trained whatever it takes.
        seed: of the draw.
    """
    generator = np.random.default_rng(seed)
    drawn, chance = generator.permutation(len(table.specs)).tolist(), float(generator.random())
    ended: dict[int, Trial] = {}
    left = epochs
    for first in range(0, len(drawn), ROUND):
        numbers = dict(enumerate(drawn[first : first + ROUND], start=first))
        climbed = list(climb(table, way, numbers))
        cost = sum(rung for rung, _ in climbed)
        if first and cost * chance >= left:
            break
        left -= cost
        ended.update((numbers[t.number], t) for t in climbed[-1][1])
        if left <= 0:
            break
    network, trial = min(ended.items(), key=lambda pair: rank(pair[1]))
    if not trial.best_epoch:
        return 1.0, 1.0
    return trial.score, float(table.test[network, trial.best_epoch - 1])


def compare(table: Table, chosen: dict[str, Scheduler], trainings: float, seeds: int) -> list[str]:
    """Return a line for each way: mean errors and mean differences from the first, in points.

    Args:
        table: the networks that there are.
        chosen: ways by name.
        trainings: full trainings whose epochs a search may spend.
        seeds: searches of each way.
    """
    epochs = trainings * table.dev.shape[1]
    lines: list[str] = []
    against = None
    for name, way in chosen.items():
        found = 100 * np.array([search(table, way, epochs, seed) for seed in range(seeds)])
        against = found if against is None else against
        mean, off = found.mean(axis=0), found - against
        told = zip(mean, off.mean(axis=0), off.std(axis=0) / seeds**0.5, strict=True)
        dev, test = (f"{m:6.2f} {d:+6.2f} ({e:.2f})" for m, d, e in told)
        lines.append(f"  {trainings:4g}  {name:22} dev {dev}  test {test}")
    return lines


def foretold(table: Table) -> dict[int, float]:
    """Return epoch -> rank correlation of dev errors by then with those at the end.

    Args:
        table: of networks; one that diverges has the worst error from there on.
    """
    curves = np.where(np.isfinite(table.dev), table.dev, np.inf)
    best = np.minimum.accumulate(curves, axis=1)
    last = best.shape[1]
    epochs = (max(1, round(last * share)) for share in (1 / 10, 1 / 6, 1 / 3))
    return {at: float(spearmanr(best[:, at - 1], best[:, -1])[0]) for at in epochs}


def main() -> None:
    """Print what each way finds on each task."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rungs", description=__doc__)
    parser.add_argument("--tasks", default=",".join(make_curves.TASKS))
    parser.add_argument("--networks", type=int, default=1000)
    parser.add_argument("--epochs", type=int, default=0)
    parser.add_argument("--ways", default=_USUAL)
    parser.add_argument("--trainings", default="36,144")
    parser.add_argument("--seeds", type=int, default=300)
    given = parser.parse_args()
    tasks = given.tasks.split(",")
    if unknown := sorted(set(tasks).difference(make_curves.TASKS)):
        parser.error(f"no task {unknown[0]!r}; there are {', '.join(make_curves.TASKS)}")
    try:
        chosen = ways(given.ways)
    except (ValueError, ZeroDivisionError):
        parser.error(f"--ways takes epochs that rise, as in {_USUAL!r}, got {given.ways!r}")
    for name in tasks:
        # the tables of B5 train some tasks for longer than rungs were chosen on
        table = table_of(name, given.networks, given.epochs or (60 if name == "spiral" else 30))
        ranks = ", ".join(f"{at}: {rho:.2f}" for at, rho in foretold(table).items())
        size = f"{given.networks} networks, {table.dev.shape[1]} epochs"
        print(f"{name}: {size}; ranks foretold by epoch {ranks}", flush=True)
        for trainings in given.trainings.split(","):
            print("\n".join(compare(table, chosen, float(trainings), given.seeds)), flush=True)


if __name__ == "__main__":
    main()
