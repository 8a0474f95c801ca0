"""Samplers and schedulers on the curve table of B5: error against epochs spent, many seeds.

    python -m benchmarks.replay [--tasks digits,fashion] [--trials 64] [--seeds 40]

A sampler's proposal is replaced by the stored network next to it in the unit cube that was not
taken yet, so that every way to search chooses from the same networks; what it learns from are the
values of that network. Rounds are those of a study. Population based training is not among the
schedulers, for its copies are networks that no table has; nor is asynchronous halving, which has
no rungs that all networks come to together.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from deepwell.records import Observation, Status, Trial, TrialSpec
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.schedulers import SCHEDULERS, Decision, Moment, Scheduler
from deepwell.search.schedulers import _successive_halving as halving
from deepwell.search.spaces._space import Space
from deepwell.study._round_sizes import round_sizes

from . import make_curves


@dataclass(frozen=True)
class Table:
    """Networks that were trained before.

    Attributes:
        space: that they were drawn from.
        specs: their configurations; units: (N, d) the same in the unit cube.
        dev, test: (N, epochs) errors, NaN from where one diverged.
        cost: (N, epochs) dev costs.
    """

    space: Space
    specs: list[TrialSpec]
    units: np.ndarray
    dev: np.ndarray
    test: np.ndarray
    cost: np.ndarray


@dataclass(frozen=True)
class Course:
    """What a search came to: after so many epochs of all networks, dev and test error of the best.

    Attributes:
        epochs, dev, test: one entry a rung.
    """

    epochs: np.ndarray
    dev: np.ndarray
    test: np.ndarray

    def at(self, epochs: float) -> tuple[float, float]:
        """Return dev and test error of the best network after so many epochs."""
        place = int(np.searchsorted(self.epochs, epochs, side="right")) - 1
        return (1.0, 1.0) if place < 0 else (float(self.dev[place]), float(self.test[place]))


def table_of(name: str, networks: int, epochs: int = 0) -> Table:
    """Return a task's table.

    Args:
        name: of the task.
        networks: in it.
        epochs: of every network, those of the task where it is 0.
    """
    plain = make_curves.load(name, networks, epochs)
    space, specs = make_curves.searched(name, epochs), make_curves.specs_of(plain)
    units = [space.encode(spec.hyperparameters) for spec in specs]
    assert all(unit is not None for unit in units)
    stacked = np.stack(units)  # type: ignore[arg-type]
    return Table(space, specs, stacked, plain["dev"], plain["test"], plain["cost"])


def smoothed(moment: Moment) -> Decision:
    """Return halving's decision on means of the last 3 scores, in place of the best ones."""
    told = [
        replace(t, score=float(np.mean(t.curves["dev_score"][-3:])))
        if len(t.curves.get("dev_score", ()))
        else t
        for t in moment.trials
    ]
    return halving.best_of(told, moment.keep)


WAYS: dict[str, Scheduler] = {
    **{name: one for name, one in SCHEDULERS.items() if not (one.forks or one.wave)},
    "halving, smoothed": Scheduler(halving.rungs, smoothed, curves=True),
}


def search(table: Table, sampler: str, scheduler: str, trials: int, seed: int) -> Course:
    """Replay a search.

    Args:
        table: the networks that there are.
        sampler: its name.
        scheduler: its name.
        trials: networks to be trained.
        seed: of proposals.
    """
    space, way = table.space, SCHEDULERS.get(scheduler) or WAYS[scheduler]
    taken: dict[int, Trial] = {}  # network of the table -> trial
    spent, told = 0, list[tuple[int, float, float]]()
    propose = SAMPLERS[sampler]
    sizes = round_sizes(trials, len(space.searched), propose.learns)
    for population, count in enumerate(sizes):
        history = [_observed(trial) for trial in taken.values()]
        key = np.random.SeedSequence([seed, population])
        chosen = _nearest(table, propose(space, history, count, key), taken)
        numbers = {len(taken) + place: network for place, network in enumerate(chosen)}
        for cost, reached in climb(table, way, numbers):
            spent += cost
            taken.update({numbers[t.number]: t for t in reached})
            told.append((spent, *best_of(table, taken)))
    columns = np.array(told).T
    return Course(columns[0], columns[1], columns[2])


def climb(
    table: Table, way: Scheduler, numbers: Mapping[int, int]
) -> Iterator[tuple[int, list[Trial]]]:
    """Yield at each rung of a round the epochs that it cost and the trials that reached it.

    Args:
        table: the networks that there are.
        way: decides who goes on.
        numbers: trial -> network of the table.
    """
    waiting = [Trial(n, table.specs[network]) for n, network in numbers.items()]
    rungs = way.rungs(len(numbers), table.dev.shape[1])
    below = 0
    for place, rung in enumerate(rungs):
        reached = [_trained(table, numbers[t.number], t, rung.epochs) for t in waiting]
        yield sum(t.epochs - below for t in reached), reached
        if place == len(rungs) - 1:
            return
        below = rung.epochs
        decision = way.decide(Moment(reached, rungs, place, min(numbers), table.space))
        going = set(decision.promote)
        waiting = [t for t in reached if t.number in going]
        if not waiting:
            return


def _nearest(table: Table, proposals: Sequence[object], taken: dict[int, Trial]) -> list[int]:
    """Return for each proposal the network next to it that was not taken."""
    space, free = table.space, np.ones(len(table.specs), bool)
    free[list(taken)] = False
    chosen: list[int] = []
    for values in proposals:
        unit = space.encode(values)  # type: ignore[arg-type]
        assert unit is not None
        off = np.where(free, np.sum((table.units - unit) ** 2, axis=1), np.inf)
        chosen.append(int(off.argmin()))
        free[chosen[-1]] = False
    return chosen


def _trained(table: Table, network: int, trial: Trial, epochs: int) -> Trial:
    """Return a trial as it stands after so many epochs, at its best one."""
    curve, costs = table.dev[network, :epochs], table.cost[network, :epochs]
    broken = np.flatnonzero(~np.isfinite(curve))
    seen = curve[: broken[0]] if len(broken) else curve
    best = int(np.lexsort((costs[: len(seen)], seen))[0]) if len(seen) else -1
    return replace(
        trial,
        status=Status.DIVERGED if len(broken) else Status.PAUSED,
        epochs=int(broken[0]) + 1 if len(broken) else epochs,
        score=float(seen[best]) if len(seen) else float("inf"),
        cost=float(costs[best]) if len(seen) else float("inf"),
        best_epoch=best + 1,
        curves={"dev_score": seen},
    )


def _observed(trial: Trial) -> Observation:
    return Observation(trial.spec.hyperparameters, trial.score, trial.cost, trial.epochs)


def best_of(table: Table, taken: Mapping[int, Trial]) -> tuple[float, float]:
    """Return dev and test error of the best network so far, at its best epoch.

    Args:
        table: the networks that there are.
        taken: network of the table -> trial.
    """
    network, trial = min(taken.items(), key=lambda pair: (pair[1].score, pair[1].number))
    if not trial.best_epoch:
        return 1.0, 1.0
    return trial.score, float(table.test[network, trial.best_epoch - 1])


def compare(table: Table, trials: int, seeds: int) -> list[dict[str, object]]:
    """Return what every sampler with every scheduler comes to."""
    full = trials * table.dev.shape[1]
    rows: list[dict[str, object]] = []
    for sampler in SAMPLERS:
        if sampler == "grid":
            continue  # 8 axes have no grid of so few points
        for scheduler in WAYS:
            done = [search(table, sampler, scheduler, trials, seed) for seed in range(seeds)]
            ends = np.array([(c.epochs[-1] / full, c.dev[-1], c.test[-1]) for c in done])
            early = [np.mean([c.at(share * full) for c in done], axis=0) for share in (0.1, 0.3)]
            rows.append(
                {
                    "sampler": sampler,
                    "scheduler": scheduler,
                    "epochs": round(float(ends[:, 0].mean()), 3),
                    "dev": round(float(ends[:, 1].mean()), 5),
                    "dev_se": round(float(ends[:, 1].std(ddof=1) / seeds**0.5), 5),
                    "test": round(float(ends[:, 2].mean()), 5),
                    "dev_at_10%": round(float(early[0][0]), 5),
                    "dev_at_30%": round(float(early[1][0]), 5),
                }
            )
            print(json.dumps(rows[-1]), flush=True)
    return rows


def duel(table: Table, one: str, other: str, trials: int, seeds: int) -> dict[str, float]:
    """Return two samplers at equal trials, every network trained to its end: a paired rank test."""
    ends = np.array(
        [
            [search(table, name, "none", trials, seed).dev[-1] for name in (one, other)]
            for seed in range(seeds)
        ]
    )
    difference = ends[:, 0] - ends[:, 1]
    test: Any = stats.wilcoxon(difference, alternative="less", zero_method="zsplit")
    return {
        one: round(float(ends[:, 0].mean()), 5),
        other: round(float(ends[:, 1].mean()), 5),
        "better": int((difference < 0).sum()),
        "worse": int((difference > 0).sum()),
        "p": float(test.pvalue),
    }


def main() -> None:
    """Replay what the command line names."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.replay", description=__doc__)
    parser.add_argument("--tasks", default=",".join(make_curves.USUAL))
    parser.add_argument("--networks", type=int, default=1500)
    parser.add_argument("--trials", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=40)
    given = parser.parse_args()
    for name in given.tasks.split(","):
        table = table_of(name, given.networks)
        best = np.nanmin(table.dev, axis=1)
        print(f"{name}: best dev error of the table {np.nanmin(best):.4f}")
        compare(table, given.trials, given.seeds)
        for learner in (s for s in SAMPLERS if SAMPLERS[s].learns):
            print(json.dumps(duel(table, learner, "random", given.trials, given.seeds)))


if __name__ == "__main__":
    main()
