"""What each arm of an experiment does to the score, with intervals that hold for all arms at once.

Networks of one replicate share seeds; rows come in blocks (the halves of the dev rows), and each
block is measured by the replicates that did not choose on it. With d_ar the score of arm a less
that of the unchanged network in replicate r, the effect is the mean over blocks b, by their rows,
of the mean of d_ar over the block's R_b replicates. Rows and seeds are crossed within a block, and
both are samples, so its variance is that of Owen (2007, Annals of Applied Statistics 1, eq. 6):

    V_b = rows + seeds - interaction
    rows         jackknife over rows of the mean over replicates (holds interaction / R_b as well)
    seeds        variance of d_ar over replicates / R_b (holds it too)
    interaction  mean square of what rows and seeds together leave, which was counted twice

Where no row differs, counting alone would say that nothing can; half a row of disagreement is
added for each block as Agresti and Min (2005, Statistics in Medicine 24) do. The degrees of freedom
are Satterthwaite's. Intervals are simultaneous: the critical value is the 95 % quantile of the
largest |t| over all arms, drawn with the arms' own correlation (single-step max-t; Westfall and
Young 1993; Hothorn, Bretz and Westfall 2008, Biometrical Journal 50). Arms that were given up on
the way count as well: what is left at the end is part of the experiment in which none was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from .metrics._metric import Metric

_DRAWS = 10_000
_LEVEL = 0.95
_MANY = 1e6  # degrees of freedom that are as good as all
_PSEUDO_ROWS = 0.5  # of disagreement either way, for each block

Sums = Mapping[int, np.ndarray]
"""Replicate -> (m, k) sums of the metric's row statistics over the m groups of its block."""


@dataclass(frozen=True)
class BlockEffect:
    """What one arm does on one block of rows.

    Attributes:
        value: score with it less score without it.
        variance: of that, by rows and seeds; freedom: its degrees of freedom.
    """

    value: float
    variance: float
    freedom: float


@dataclass(frozen=True)
class ArmEffect:
    """What one arm does to the score.

    Attributes:
        effect: score with it less score without; its interval holds for all arms at once.
        error: standard error; freedom: its degrees of freedom.
        p_best: probability that it is the best of all arms and the unchanged network.
        blocks: block -> what it does there.
    """

    effect: Estimate
    error: float
    freedom: float
    p_best: float
    blocks: Mapping[int, BlockEffect]


@dataclass(frozen=True)
class _Block:
    """A block's effect, with deviations whose sums of products over arms are (co)variances."""

    effect: BlockEffect
    rows: np.ndarray
    seeds: Mapping[int, float]


@dataclass(frozen=True)
class _Parts:
    """The whole of an arm's effect: blocks weighted by their rows."""

    blocks: Mapping[int, BlockEffect]
    value: float
    variance: float
    freedom: float
    deviations: np.ndarray


def arm_effects(
    metric: Metric, base: Sums, arms: Sequence[Sums], blocks: Mapping[int, int], seed: int = 0
) -> list[ArmEffect]:
    """Return the effect of each arm.

    Args:
        metric: what is measured.
        base: the unchanged network's sums, for at least all replicates of every arm.
        arms: the arms' sums; one that was given up has fewer replicates.
        blocks: replicate -> the block of rows that it is measured on.
        seed: of the draws.

    Returns:
        One effect an arm; its interval is infinite where a block has fewer than two replicates.
    """
    if not arms:
        return []
    parts = [_parts(metric, base, arm, blocks) for arm in arms]
    errors = np.sqrt([p.variance for p in parts])
    known = np.isfinite(errors)
    freedom = np.array([p.freedom for p in parts])
    generator = np.random.default_rng(seed)
    draws = _draws(np.stack([p.deviations for p in parts]), freedom, generator)
    largest = np.abs(draws[:, known]).max(axis=1) if known.any() else np.zeros(1)
    half = np.where(known, float(np.quantile(largest, _LEVEL)) * errors, np.inf)
    moved = np.array([p.value for p in parts]) + np.where(known, errors, 0.0) * draws
    unchanged = np.zeros((len(draws), 1))  # the first, so that it wins ties
    best = np.concatenate([unchanged, moved], axis=1).argmin(axis=1)
    shares = np.bincount(best, minlength=1 + len(parts))[1:] / len(draws)
    return [
        ArmEffect(
            Estimate(p.value, p.value - float(h), p.value + float(h)),
            float(e),
            p.freedom,
            float(b),
            p.blocks,
        )
        for p, h, e, b in zip(parts, half, errors, shares, strict=True)
    ]


def _parts(metric: Metric, base: Sums, arm: Sums, blocks: Mapping[int, int]) -> _Parts:
    own = {
        block: [r for r in sorted(arm) if blocks[r] == block]
        for block in sorted({*blocks.values()})
    }
    sizes = {b: next(len(base[r]) for r in base if blocks[r] == b) for b in own}
    total = sum(sizes[b] for b, runs in own.items() if runs)
    shares = {b: sizes[b] / total if runs else 0.0 for b, runs in own.items()}
    found = {b: _block(metric, base, arm, runs) for b, runs in own.items() if runs}
    rows = [shares[b] * found[b].rows if b in found else np.zeros(sizes[b]) for b in own]
    of_seeds = {r: shares[b] * v for b, one in found.items() for r, v in one.seeds.items()}
    seeds = np.array([of_seeds.get(replicate, 0.0) for replicate in sorted(blocks)])
    told = {b: one.effect for b, one in found.items()}
    variance = sum(shares[b] ** 2 * e.variance for b, e in told.items())
    squares = sum((shares[b] ** 2 * e.variance) ** 2 / e.freedom for b, e in told.items())
    enough = all(len(runs) >= 2 for runs in own.values())
    return _Parts(
        blocks=told,
        value=sum(shares[b] * e.value for b, e in told.items()),
        variance=variance if enough else np.inf,
        freedom=max(1.0, variance**2 / squares) if squares > 0 else _MANY,
        deviations=np.concatenate([*rows, seeds]),
    )


def _block(metric: Metric, base: Sums, arm: Sums, runs: Sequence[int]) -> _Block:
    differences, left_out = _differences(metric, base, arm, runs)
    influence, seeds, both = _variances(differences, left_out)
    m, count = len(influence), len(runs)
    floor = _PSEUDO_ROWS / (m + 2) ** 2 if metric.bounded else 0.0
    rows = float((influence**2).sum()) + floor
    alone = max(0.0, seeds - both)
    squares = rows**2 / max(1, m - 1) + seeds**2 / max(1, count - 1)
    variance = rows + alone
    away = differences - differences.mean()
    norm = float((away**2).sum())
    scale = float(np.sqrt(alone / norm)) if norm > 0 else 0.0
    freedom = variance**2 / squares if squares > 0 else _MANY
    effect = BlockEffect(float(differences.mean()), variance, float(min(freedom, _MANY)))
    return _Block(effect, influence, dict(zip(runs, (scale * away).tolist(), strict=True)))


def _differences(
    metric: Metric, base: Sums, arm: Sums, runs: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (R,) differences of score, and (m, R) those without one group of rows each."""
    differences, left_out = [], []
    with np.errstate(over="ignore", invalid="ignore"):
        for r in runs:
            totals = [sums[r].sum(axis=0) for sums in (arm, base)]
            score = [float(metric.combine(total)) for total in totals]
            without = [
                metric.combine(total - sums[r])
                for total, sums in zip(totals, (arm, base), strict=True)
            ]
            differences.append(score[0] - score[1])
            left_out.append(without[0] - without[1])
    return np.array(differences), np.stack(left_out, axis=1)


def _variances(differences: np.ndarray, left_out: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Return the rows' deviations (m,), the variance by seeds, and what both hold twice."""
    m, count = left_out.shape
    finite = np.where(np.isfinite(left_out), left_out, 0.0)  # a group without which nothing is left
    centered = finite - finite.mean(axis=0)
    influence = np.sqrt((m - 1) / m) * centered.mean(axis=1)
    if count < 2:
        return influence, 0.0, 0.0
    of_seeds = float(differences.var(ddof=1)) / count
    rest = centered - centered.mean(axis=1, keepdims=True)
    both = (m - 1) / m * float((rest**2).sum()) / (count * (count - 1))
    return influence, of_seeds, both


def _draws(
    deviations: np.ndarray, freedom: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return (draws, A) of t statistics with the arms' correlation, where all effects are 0."""
    products = deviations @ deviations.T
    spread = np.sqrt(np.diagonal(products))
    scale = np.where(spread > 0, spread, 1.0)
    correlation = products / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    normal = generator.standard_normal((_DRAWS, len(freedom))) @ root.T
    # All spreads are estimated from the same rows and seeds, so they are off together.
    chi = np.sort(generator.chisquare(freedom, size=(_DRAWS, len(freedom))), axis=0) / freedom
    chi = generator.permutation(chi)
    # An arm that changed nothing anywhere has no draws of its own: only the added row moves it.
    alone = generator.standard_normal((_DRAWS, len(freedom)))
    normal = np.where(spread > 0, normal, alone)
    return normal / np.sqrt(chi)
