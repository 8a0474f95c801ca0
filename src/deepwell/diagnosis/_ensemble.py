"""Greedy ensembles: which networks of a population to average, and whether that helps.

Members are added one after another, the same one again where that is best, each time the one that
lowers the dev cost (log loss, or squared error) of the average most, until none does (Caruana,
Niculescu-Mizil, Crew and Ksikes 2004, ICML). Each of several bags draws from a random half of the
candidates and begins with its best one; the shares of all bags are averaged, which keeps the choice
from following the dev rows too closely (section 2.3 there).

The comparison with the single best network takes the choice into account: for each third of the
dev rows both the ensemble and the single network are chosen by the other two thirds, the single one
by the study's metric, and scored on this one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from deepwell.records import EnsembleFacts, Estimate, Finding

from ._intervals import resampled_groups, widened
from ._metrics import METRICS, Metric
from ._texts import change_text
from .metrics._tally import by_unit

_BAGS = 5
_MOST = 10  # additions of a bag
_PARTITIONS = 2
_PARTS = 3
_LEAST = 0.02  # members with smaller shares are left out


@dataclass(frozen=True, eq=False)
class Candidates:
    """Networks that may be members, with what they say of the dev rows.

    Attributes:
        metric: that the study chooses by.
        trials: their numbers, best first.
        predictions: (N, m, C) probabilities, or (N, m) values in the target's unit.
        y: (m,) targets in the same terms.
        weight: (m,) of the rows.
        group: (m,) whole numbers, equal for rows that belong together; None for rows of their own.
    """

    metric: Metric
    trials: tuple[int, ...]
    predictions: np.ndarray
    y: np.ndarray
    weight: np.ndarray
    group: np.ndarray | None = None

    @property
    def of_classes(self) -> bool:
        """Whether predictions are probabilities."""
        return self.predictions.ndim == 3


def measure_ensemble(given: Candidates, seed: int = 0) -> EnsembleFacts | None:
    """Return the ensemble of the candidates and how it compares.

    None for fewer than 2 candidates, or fewer than 3 groups of rows.

    Args:
        given: the candidates.
        seed: of bags and partitions.
    """
    generator = np.random.default_rng(seed)
    tally = by_unit(given.weight, given.group)
    if len(given.trials) < 2 or tally.groups < _PARTS:
        return None
    rows, telling = len(given.y), _telling(given)
    each = np.stack([given.metric.sums(given.y, p, tally) for p in given.predictions])
    together, alone = (np.zeros_like(each[0]) for _ in range(2))
    once = np.zeros((tally.groups, 2 * each.shape[-1]))  # both, of the first partition
    for partition in range(_PARTITIONS):
        part = generator.permutation(tally.groups) % _PARTS
        for one in range(_PARTS):
            out = part == one
            shares = _shares(given, telling, ~out[tally.group], generator)
            said = given.metric.sums(given.y, averaged(given.predictions, shares), tally)
            single = each[_single(given, each, ~out)]
            together += np.where(out[:, None], said, 0.0) / _PARTITIONS
            alone += np.where(out[:, None], single, 0.0) / _PARTITIONS
            if partition == 0:
                once += np.where(out[:, None], np.concatenate([said, single], axis=-1), 0.0)
    combine = given.metric.combine
    change = _change(given.metric, together, alone, once, generator)
    if given.group is not None:
        change = widened(change, tally.groups, -math.inf, math.inf)
    shares = _shares(given, telling, np.ones(rows, bool), generator)
    members = np.flatnonzero(shares)
    return EnsembleFacts(
        trials=tuple(given.trials[n] for n in members.tolist()),
        shares=tuple(shares[members].tolist()),
        candidates=len(given.trials),
        change=change,
        score=float(combine(together.sum(axis=0))),
        single=float(combine(alone.sum(axis=0))),
        rows=rows,
    )


def _change(
    metric: Metric,
    together: np.ndarray,
    alone: np.ndarray,
    once: np.ndarray,
    generator: np.random.Generator,
) -> Estimate:
    """Return the score of ensembles less that of single networks, with its interval.

    The losses of a row are averages over partitions, which vary less than those of one ensemble and
    one network do; so the interval is that of the first partition, moved.
    """
    q = alone.shape[-1]
    value = float(metric.combine(together.sum(axis=0)) - metric.combine(alone.sum(axis=0)))
    found = resampled_groups(
        once, lambda s: metric.combine(s[..., :q]) - metric.combine(s[..., q:]), generator
    )
    moved = value - found.value
    return Estimate(value, found.low + moved, found.high + moved)


def averaged(predictions: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the mean of (N, ...) predictions by (N,) shares."""
    members = np.flatnonzero(shares)
    return np.tensordot(shares[members], predictions[members], axes=1)


def ensemble_finding(found: EnsembleFacts, metric: str, command: str) -> Finding:
    """Return DW611: whether an ensemble is better than the single best network.

    Args:
        found: what was measured.
        metric: name of the metric.
        command: that saves the ensemble.
    """
    percent, better = METRICS[metric].percent, found.change.high < 0
    size = len(found.trials)
    text = change_text(found.change, percent)
    claim = f"an ensemble of {size} is better than the single best network"
    level = "ok"
    if not better and found.change.low < 0:
        level, claim = "unsure", f"an ensemble of {size} is not clearly better than the best alone"
    elif not better:
        claim = "an ensemble is not better than the single best network"
    detail = (
        f"change in {METRICS[metric].label} {text}, both chosen without the rows that score them"
    )
    evidence: dict[str, object] = {
        "metric": metric,
        "measured": found.change.to_plain(),
        "threshold": 0.0,
        "threshold_source": "the whole interval must lie below 0",
        "trials": list(found.trials),
        "shares": list(found.shares),
        "candidates": found.candidates,
        "score": found.score,
        "single": found.single,
        "rows": found.rows,
    }
    return Finding("DW611", level, claim, detail, evidence, command if better else "")


def _telling(given: Candidates) -> np.ndarray:
    """Return (N, m) what the cost of an average is a function of: p(true class), or values."""
    if given.of_classes:
        return given.predictions[:, np.arange(len(given.y)), given.y].astype(np.float64)
    return given.predictions.astype(np.float64)


def _cost(given: Candidates, said: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return (...,) the weighted sum of the costs of averages (..., m)."""
    if given.of_classes:
        return -np.log(np.maximum(said, 1e-12)) @ weight
    return (said - given.y) ** 2 @ weight


def _single(given: Candidates, each: np.ndarray, counted: np.ndarray) -> int:
    """Return the candidate with the best score on the rows that count, the first among equals."""
    with np.errstate(invalid="ignore"):
        score = given.metric.combine(each[:, counted].sum(axis=1))
    return int(np.where(np.isnan(score), np.inf, score).argmin())


def _shares(
    given: Candidates, telling: np.ndarray, counted: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return (N,) the share of each candidate in the ensemble chosen on the rows that count."""
    n = len(telling)
    weight = given.weight.astype(np.float64)[counted]
    part = Candidates(given.metric, given.trials, given.predictions, given.y[counted], weight)
    seen = telling[:, counted]
    shares = np.zeros(n)
    for _ in range(_BAGS):
        drawn = np.sort(generator.permutation(n)[: max(2, -(-n // 2))])
        shares[drawn] += _bag(part, seen[drawn]) / _BAGS
    shares[shares < _LEAST] = 0.0
    return shares / shares.sum()


def _bag(part: Candidates, seen: np.ndarray) -> np.ndarray:
    """Return (N,) the shares of the candidates that are added greedily, with replacement."""
    counts = np.zeros(len(seen))
    total, best = np.zeros(seen.shape[1]), np.inf
    for size in range(1, _MOST + 1):
        cost = _cost(part, (total + seen) / size, part.weight)
        first = int(cost.argmin())
        if not cost[first] < best:
            break
        best = float(cost[first])
        total += seen[first]
        counts[first] += 1
    return counts / counts.sum()
