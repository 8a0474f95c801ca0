"""Rounds and rungs replayed on a table of curves, many seeds in seconds.

    python -m benchmarks.time_to_target.replay [--networks 2048] [--seeds 50] [--search NAME ...]
    python -m benchmarks.time_to_target.replay --grow --size 32 --size 64 --seeds 200

The table holds the curves of so many networks of B1's space, trained once (a minute on 2 quiet
cores, kept in `build/`). A proposal gets the curves of one of the table's nearest networks, drawn
at random from a few, so that a neighborhood keeps its spread. Time is that of the epochs at
`RATE`, a round's start, and what proposing took. With `--grow` rounds grow as those of a study
under a budget do. Of the hardest thresholds a table holds few networks, which a sampler that learns
may find again and again: there the replay flatters it, and the race itself decides; a threshold
that fewer than `FEWEST` of them reach is left out.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from benchmarks import workload
from benchmarks.benchmark import Case
from benchmarks.tools import ROOT
from benchmarks.workload import Workload
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import Observation
from deepwell.search.samplers._registry import SAMPLERS
from deepwell.search.spaces._parse import parse_entry
from deepwell.search.spaces._space import Space, with_fixed
from deepwell.study import _work

from .goal import DIGITS
from .trace import reaches

RATE = 57 * 30.0
"""Epochs of a network a second: B1's rate of the native program on 2 cores, times its epochs."""
ROUND_SECONDS = 0.05
FACTOR = 3
FEWEST = 3
_NEAREST, _SEED, _LIMIT = 8, 77, 60.0
_SIZES = (32, 64, 256)
_RUNGS = {"none": (30,), "10, 30": (10, 30), "5, 12, 30": (5, 12, 30), "3, 10, 30": (3, 10, 30)}


@dataclass(frozen=True)
class Table:
    """Networks with their curves.

    Attributes:
        points: (N, d) in the unit cube of the space.
        errors, costs: (N, E) dev errors and dev costs by epoch.
    """

    points: np.ndarray
    errors: np.ndarray
    costs: np.ndarray

    def near(self, point: np.ndarray, draw: np.random.Generator) -> int:
        """Return one of the networks nearest to a point."""
        distance = ((self.points - point) ** 2).sum(1)
        return int(np.argpartition(distance, _NEAREST)[:_NEAREST][draw.integers(_NEAREST)])


@dataclass(frozen=True)
class Strategy:
    """What is replayed.

    Attributes:
        search: sampler by name.
        rungs: epochs at which all but the best of `FACTOR` networks stop, the last one the end.
        networks: of a round, or of the first ones.
        by_both: whether networks are ranked at a rung by dev error and dev cost together, as
            halving does; if not, by the best dev error so far, then the cost.
        grows: whether later rounds are an eighth of all networks so far, as those of a study.
    """

    search: str
    rungs: tuple[int, ...]
    networks: int
    by_both: bool = False
    grows: bool = False

    def size(self, done: int) -> int:
        """Return the networks of the round that comes after so many."""
        if not self.grows:
            return self.networks
        return max(self.networks, min(_work._LARGEST_ROUND, done // _work._GROWTH))


def climbed(table: Table, rows: np.ndarray, strategy: Strategy) -> tuple[np.ndarray, np.ndarray]:
    """Return the epochs that each network of a round trained, and the places of those that ended.

    Args:
        table: of curves.
        rows: (n,) the networks in it.
        strategy: whose rungs they climb.
    """
    alive, epochs = np.arange(len(rows)), np.zeros(len(rows), int)
    for place, rung in enumerate(strategy.rungs):
        epochs[alive] = rung
        if place < len(strategy.rungs) - 1:
            at = rows[alive]
            errors = table.errors[at, :rung]
            costs = table.costs[at, :rung]
            best = [np.lexsort(pair)[0] for pair in zip(costs, errors, strict=True)]
            error, cost = (of[np.arange(len(at)), best] for of in (errors, costs))
            places = rankdata(error) + rankdata(cost) if strategy.by_both else error
            order = np.lexsort((cost, error, places))
            alive = alive[order[: math.ceil(len(rows) / FACTOR ** (place + 1))]]
    return epochs, alive


def replay(
    table: Table, space: Space, strategy: Strategy, thresholds: Sequence[float], seed: int
) -> list[float]:
    """Return the seconds until each threshold is reached, infinity after the limit."""
    draw, past, seconds = np.random.default_rng(seed), [], 0.0
    found = [math.inf] * len(thresholds)
    for turn in range(10_000):
        began, key = time.perf_counter(), np.random.SeedSequence([seed, turn])
        new = SAMPLERS[strategy.search](space, past, strategy.size(len(past)), key)
        seconds += time.perf_counter() - began + ROUND_SECONDS
        rows = np.array([table.near(np.asarray(space.encode(v)), draw) for v in new])
        epochs, ended = climbed(table, rows, strategy)
        seconds += epochs.sum() / RATE
        last = table.errors[rows[ended], -1]
        for i, threshold in enumerate(thresholds):
            if math.isinf(found[i]) and any(reaches(e, threshold) for e in last):
                found[i] = seconds
        if seconds > _LIMIT or not any(map(math.isinf, found)):
            break
        for values, row, count in zip(new, rows, epochs, strict=True):
            best = int(table.errors[row, :count].argmin())
            score, cost = float(table.errors[row, best]), float(table.costs[row, best])
            past.append(Observation(values, score, cost, int(count), count == len(table.costs[0])))
    return found


def made(load: Workload, space: Space, networks: int, file: Path) -> Table:
    """Return the table in a file, trained first where there is none."""
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        _train(load, space, networks, file)
    with np.load(file) as kept:
        return Table(**kept)


def _space(case: Case) -> Space:
    """Return what is searched, and what the command holds fixed beside it."""
    searched = Space(dict(parse_entry(text) for text in case.space))
    fixed = {"epochs": case.epochs, "batch_size": case.batch_size, "patience": 0}
    return with_fixed(searched, fixed)


def _train(load: Workload, space: Space, networks: int, file: Path) -> None:
    specs, epochs = load.specs(networks, seed=_SEED), load.case.epochs
    errors, costs = np.ones((networks, epochs)), np.full((networks, epochs), np.inf)
    engine = LocalEngine(load.rows, load.shape, choose_backend("native"))
    try:
        engine.prepare(specs, engine.plan(specs, epochs))
        for chunk in engine.train(list(specs), epochs, lambda: False):
            at = (chunk.trials, chunk.epoch - 1)
            for kept, name in ((errors, "dev_score"), (costs, "dev_cost")):
                told = chunk.metrics[name]
                kept[at] = np.where(np.isfinite(told), told, kept[at])
    finally:
        engine.close()
    points = [space.encode(spec.hyperparameters) for spec in specs.values()]
    np.savez(file, points=np.array(points), errors=errors, costs=costs)


def strategies(
    search: str, rungs: Sequence[str], sizes: Sequence[int], grows: bool
) -> dict[str, Strategy]:
    """Return all combinations, by what is printed before their times."""
    found: dict[str, Strategy] = {}
    for name in rungs:
        for size in sizes:
            for by_both in (False, True) if len(_RUNGS[name]) > 1 else (False,):
                ranked = "both" if by_both else "error"
                more = " and more" if grows else ""
                title = f"{search:15} rungs {name:9} by {ranked:5} of {size:3}{more}"
                found[title] = Strategy(search, _RUNGS[name], size, by_both, grows)
    return found


def median_between(times: np.ndarray) -> tuple[float, float, float]:
    """Return the median of times and the ends of its 95 % interval, by ranks.

    >>> median_between(np.arange(100.0))
    (49.5, 39.0, 60.0)
    """
    ordered, count = np.sort(times), len(times)
    place = max(0, math.floor(count / 2 - 0.98 * math.sqrt(count)) - 1)
    return float(np.median(ordered)), float(ordered[place]), float(ordered[count - 1 - place])


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.time_to_target.replay")
    parser.add_argument("--networks", type=int, default=2048)
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--search", action="append", choices=list(SAMPLERS))
    parser.add_argument("--rungs", action="append", choices=list(_RUNGS))
    parser.add_argument("--size", action="append", type=int)
    parser.add_argument("--grow", action="store_true")
    return parser.parse_args()


def main() -> None:
    """Print the median seconds of every strategy at every threshold."""
    given = _asked()
    work = ROOT / "build" / "benchmarks"
    load = workload.prepare(DIGITS.case, work / "data" / DIGITS.case.name)
    space = _space(DIGITS.case)
    table = made(load, space, given.networks, work / f"curves-{given.networks}.npz")
    thresholds: list[float] = []
    for threshold in DIGITS.thresholds:
        good = sum(reaches(error, threshold) for error in table.errors[:, -1])
        print(f"{good / given.networks:.2%} of the table reach {threshold:g}")
        thresholds += [threshold] if good >= FEWEST else []
    print(f"median seconds (95 % interval) to {', '.join(f'{t:g}' for t in thresholds)}")
    for search in given.search or ("random",):
        chosen = strategies(search, given.rungs or list(_RUNGS), given.size or _SIZES, given.grow)
        for title, strategy in chosen.items():
            times = [replay(table, space, strategy, thresholds, s) for s in range(given.seeds)]
            told = (median_between(column) for column in np.array(times).T)
            shown = "  ".join(f"{m:6.2f} ({low:.2f} - {high:.2f})" for m, low, high in told)
            print(f"{title}: {shown}", flush=True)


if __name__ == "__main__":
    main()
