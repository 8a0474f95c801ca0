"""Overtuning: how much of the best dev score is luck of choosing on the same rows.

The lowest of many noisy scores is too low: what was chosen was chosen for its luck as well. The
choice is therefore made again without a third of the rows, which then score what was chosen, for
each third in turn and for several partitions:

    expected = mean over partitions of score(rows, each by the choice made without its third)
    luck     = expected - best dev score

That is cross-validation of the choice itself, from the losses of each row that the competing
networks had, so nothing is trained again. Choosing on bootstrap resamples and scoring the rows left
out (Tsamardinos, Greasidou and Borboudakis 2018, Machine Learning 107) is its sibling. In simulated
studies (`docs/overtuning.md`) thirds were the middle between tenths, whose estimate varies half as
much again, and halves, which choose on so few rows that they make the choice look worse than it is.

Every epoch that came near the best counts as a competitor of its own, since the epoch is chosen on
the same rows. A network that a scheduler stopped competes with what it had reached by then.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from deepwell.records import Estimate, Finding, Overtuning

from ._intervals import resampled_groups, widened, wilson
from ._metrics import METRICS, Metric
from ._texts import change_text, figure_text
from .metrics._error import error

_PARTITIONS = 20
_PARTS = 3
_TIE = 1e-9  # relative: scores that differ less are equal, and the cost decides


@dataclass(frozen=True, eq=False)
class Contest:
    """The networks that competed, each at each epoch that may have been chosen.

    Attributes:
        metric: that they were chosen by.
        network: (K,) number of a configuration.
        view: (K,) the fold, from 0, whose rows it is scored on; 0 without folds.
        sums: (K, G, q) the metric's sums over each of G groups of dev rows, 0 in other folds.
        cost: (K, G) sums of weight times cost, which decides between equal scores.
        weight: (G,) sums of the rows' weights.
        home: (G,) the fold of each group.
        rows: dev rows in all groups.
        alike: whether every group is one row and all count the same.
        trials: configurations of the study.
        chosen: the one that was chosen.
        units: how many groups there are, where rows of one belong together, as those of one
            patient; None where groups are single rows, or put together at random.
    """

    metric: Metric
    network: np.ndarray
    view: np.ndarray
    sums: np.ndarray
    cost: np.ndarray
    weight: np.ndarray
    home: np.ndarray
    rows: int
    alike: bool
    trials: int
    chosen: int
    units: int | None = None

    @property
    def views(self) -> int:
        """How many folds there are, 1 without them."""
        return int(self.home.max()) + 1

    @cached_property
    def flat(self) -> np.ndarray:
        """The sums as (G, K q), whose product with what counts is quick."""
        k, groups, q = self.sums.shape
        return np.ascontiguousarray(self.sums.transpose(1, 0, 2)).reshape(groups, k * q)


def measure_overtuning(contest: Contest, seed: int = 0) -> Overtuning | None:
    """Return the best dev score corrected for the choice.

    None comes back where what was chosen is not the best of those that are known to have competed,
    as when their losses could not be kept.

    Args:
        contest: the networks that competed.
        seed: of the partitions.
    """
    generator = np.random.default_rng(seed)
    metric, groups = contest.metric, len(contest.weight)
    winner = _chosen(contest, np.ones((1, groups)))
    if winner is None or contest.network[winner[0][0]] != contest.chosen:
        return None
    own = contest.sums[winner[0]].sum(axis=0)  # (G, q)
    said, once = np.zeros_like(own), np.zeros_like(own)
    for partition in range(_PARTITIONS):
        part = generator.permutation(groups) % _PARTS
        left_out = (part == np.arange(_PARTS)[:, None]).astype(np.float64)
        chosen = _chosen(contest, 1.0 - left_out)
        if chosen is None:
            return None
        for one, rows in zip(chosen, left_out, strict=True):
            part_of = rows[:, None] * contest.sums[one].sum(axis=0)
            said += part_of / _PARTITIONS
            once += part_of if partition == 0 else 0.0
    dev = float(metric.combine(own.sum(axis=0)))
    if not float(metric.combine(said.sum(axis=0))) > dev:
        said = once = own  # on average luck cannot be below 0
    q = own.shape[-1]
    luck = resampled_groups(
        np.concatenate([said, own], axis=-1),
        lambda s: metric.combine(s[..., :q]) - metric.combine(s[..., q:]),
        generator,
    )
    if contest.units is not None:
        luck = widened(luck, contest.units, 0.0, math.inf)
    return Overtuning(
        dev=dev,
        expected=_expected(contest, said, once, generator),
        luck=Estimate(max(0.0, luck.value), max(0.0, luck.low), max(0.0, luck.high)),
        rows=contest.rows,
        networks=len(np.unique(contest.network)),
        models=len(contest.network),
        trials=contest.trials,
    )


def overtuning_finding(
    measured: Overtuning, metric: str, dev: Estimate, material: float, lead: Estimate | None
) -> Finding:
    """Return DW120: whether the luck of the choice matters.

    It matters where it exceeds the smaller of the material size (`material_size`) and the distance
    from the dev score to the upper end of its interval, which then says too little. Where the lead
    over the best simple model is not clear without it, nothing is known to be wrong: that lead is
    what cannot be told.

    Args:
        measured: what was found.
        metric: name of the metric.
        dev: the dev score with its interval.
        material: difference that counts, in the metric's unit.
        lead: network minus the best simple model on the dev rows, None where there is none.
    """
    percent = METRICS[metric].percent
    threshold = min(material, dev.high - dev.value) if dev.high > dev.value else material
    luck = measured.luck
    swallowed = lead is not None and lead.high < 0 <= lead.high + luck.value
    if luck.low > threshold:
        level, claim = "problem", "the best dev score is partly luck of the choice"
    elif swallowed:
        level, claim = "unsure", "the lead over the best simple model may be luck of the choice"
    elif luck.high <= threshold:
        level, claim = "ok", "little luck in the best dev score"
    else:
        level, claim = "unsure", "too few dev rows to tell how lucky the best was"
    detail = (
        f"dev {figure_text(measured.dev, percent)}, of it luck {change_text(luck, percent)} of "
        f"choosing among {measured.trials:,} on {measured.rows:,} rows: expected on fresh rows "
        f"{figure_text(measured.expected.value, percent)}"
    )
    if swallowed:
        detail += "; without it the lead over the best simple model is not clear"
    if level != "ok":
        detail += "; choose on more rows, by --folds or a larger --dev, or among fewer"
    evidence: dict[str, object] = {
        "metric": metric,
        "measured": luck.to_plain(),
        "threshold": threshold,
        "threshold_source": "the smaller of a tenth of what the constant guess could avoid (at "
        "least 0.01 for rates) and the distance from dev to the upper end of its interval",
        "dev": measured.dev,
        "expected": measured.expected.to_plain(),
        "lead": None if lead is None else lead.to_plain(),
        "rows": measured.rows,
        "trials": measured.trials,
        "networks": measured.networks,
        "models": measured.models,
    }
    return Finding("DW120", level, claim, detail, evidence)


def _expected(
    contest: Contest, said: np.ndarray, once: np.ndarray, generator: np.random.Generator
) -> Estimate:
    """Return the score of `said` with the interval of a single network's score there.

    The losses of each row are averages over what several partitions chose, and vary less from row
    to row than those of one network do; so the interval is that of one partition, moved.

    Args:
        contest: the networks.
        said: (G, q) sums, averages over all partitions.
        once: (G, q) sums of the first partition.
        generator: of the resampling.
    """
    metric, rows = contest.metric, min(contest.rows, contest.units or contest.rows)
    value = float(metric.combine(said.sum(axis=0)))
    if metric is error and contest.alike:
        return wilson(value * rows, rows)
    found = resampled_groups(once, metric.combine, generator)
    if contest.units is not None:
        found = widened(found, contest.units, -math.inf, math.inf)
    if metric.bounded and found.low == found.high and value in (0.0, 1.0):
        return wilson(value * rows, rows)
    most = 1.0 if metric.bounded else np.inf
    low, high = (min(max(end + value - found.value, 0.0), most) for end in (found.low, found.high))
    return Estimate(value, min(low, value), max(high, value))


def _chosen(contest: Contest, counted: np.ndarray) -> list[np.ndarray] | None:
    """Return who is chosen by the rows that count: for each row of `counted` one of each fold.

    Args:
        contest: the networks.
        counted: (W, G) 1 where a group counts, else 0.
    """
    k, _, q = contest.sums.shape
    sums = counted @ contest.flat
    score = contest.metric.combine(sums.reshape(-1, k, q))  # (W, K)
    cost = (counted @ contest.cost.T) / np.maximum(_weights(contest, counted), 1e-300)
    score = np.where(np.isnan(score), np.inf, score)
    if contest.views == 1:
        first = _first(score, cost)
        finite = np.isfinite(np.take_along_axis(score, first[:, None], 1)).all()
        return [np.array([one]) for one in first] if finite else None
    return _chosen_by_mean(contest, score, cost)


def _weights(contest: Contest, counted: np.ndarray) -> np.ndarray:
    """Return (W, K) the weight of the rows that count in each one's fold."""
    by_view = [
        counted @ np.where(contest.home == v, contest.weight, 0.0) for v in range(contest.views)
    ]
    return np.stack(by_view, axis=-1)[:, contest.view]


def _chosen_by_mean(
    contest: Contest, score: np.ndarray, cost: np.ndarray
) -> list[np.ndarray] | None:
    """Return the configuration with the best mean over folds, at its best epoch in each fold."""
    complete: list[np.ndarray] = []  # (W, V) who stands for a configuration
    scores: list[np.ndarray] = []
    costs: list[np.ndarray] = []
    for number in np.unique(contest.network):
        mine = contest.network == number
        each: list[np.ndarray] = [
            np.flatnonzero(mine & (contest.view == v)) for v in range(contest.views)
        ]
        if any(len(places) == 0 for places in each):
            continue
        best = [places[_first(score[:, places], cost[:, places])] for places in each]
        chosen = np.stack(best, axis=-1)
        complete.append(chosen)
        scores.append(np.take_along_axis(score, chosen, 1).mean(axis=1))
        costs.append(np.take_along_axis(cost, chosen, 1).mean(axis=1))
    if not complete:
        return None
    first = _first(np.stack(scores, axis=-1), np.stack(costs, axis=-1))
    reached: Any = scores
    if not all(math.isfinite(reached[n][w]) for w, n in enumerate(first)):
        return None
    return [complete[n][w] for w, n in enumerate(first)]


def _first(score: np.ndarray, cost: np.ndarray) -> np.ndarray:
    """Return (W,) the place of the lowest score in each row, the lower cost among equals."""
    lowest = score.min(axis=1, keepdims=True)
    with np.errstate(invalid="ignore"):
        equal = score <= lowest + _TIE * np.abs(lowest) + 1e-15
    return np.where(equal, cost, np.inf).argmin(axis=1)
