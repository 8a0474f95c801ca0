"""What each arm of an experiment does to the score, with intervals that hold for all arms at once.

Networks of one replicate share seeds; rows come in blocks (the halves of the dev rows), and each
block is measured by the replicates that did not choose on it. With d_ar the score of arm a less
that of the unchanged network in replicate r, the effect is the mean over blocks b, by their rows,
of the mean of d_ar over the block's R_b replicates. Rows and seeds are crossed within a block, and
both are samples, so its variance is (Owen 2007, Annals of Applied Statistics 1, section 3)

    V_b = rows + seeds - interaction
    rows         jackknife over rows of the mean over replicates (holds interaction / R_b as well)
    seeds        variance of d_ar over replicates / R_b (holds it too)
    interaction  what rows and seeds together leave, / R_b, which was counted twice

The spread over seeds is moderated over the arms. Where no row differs, counting alone would say
that nothing can; half a row of disagreement is added for each block, as Agresti and Min (2005,
Statistics in Medicine 24) do. The degrees of freedom are Satterthwaite's.

Intervals are simultaneous: the largest |z| of all arms, drawn with the arms' own correlation, says
which share of each arm's own t distribution leaves 5 % for all together (single-step max-t;
Hothorn, Bretz and Westfall 2008, Biometrical Journal 50). Arms that were given up on the way count
as well: what is left at the end is a part of the experiment in which none was. Where there are
such, whose intervals come from another moment, both kinds share the 5 % evenly (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Estimate

from ._moderated_variance import Moderated, moderated
from .metrics._metric import Metric

_DRAWS = 10_000
_ERROR = 0.05
_OF_SHARED = 4  # (V + V)^2 / (V^2 / d + 0) = 4 d: Satterthwaite with one half known exactly
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
        by_rows: the part of the variance that comes from the rows.
        share: of all rows, those of the block.
    """

    value: float
    variance: float
    freedom: float
    by_rows: float
    share: float


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

    @property
    def by_rows(self) -> float:
        """Share of the variance that comes from the rows; the rest comes from the seeds."""
        parts = [(one.share**2, one) for one in self.blocks.values()]
        whole = sum(weight * one.variance for weight, one in parts)
        return sum(weight * one.by_rows for weight, one in parts) / whole if whole > 0 else 1.0


@dataclass(frozen=True)
class _Measured:
    """One arm on one block, before the spread over seeds is moderated.

    Attributes:
        share: of all rows.
        runs: replicates; differences: (R,) of each.
        influence: (m,) deviations of the rows; rows: their variance.
        rest: what rows and seeds together leave, of one replicate; None for a single one.
    """

    share: float
    runs: Sequence[int]
    differences: np.ndarray
    influence: np.ndarray
    rows: float
    rest: float | None

    @property
    def away(self) -> np.ndarray:
        """Deviations of the replicates."""
        return self.differences - self.differences.mean()


Arm = Mapping[int, _Measured]


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
        One effect an arm; its interval is infinite where a block was not measured, or is of one
        group of rows alone, or no spread over seeds is known.
    """
    if not arms:
        return []
    measured = [_measured(metric, base, arm, blocks) for arm in arms]
    spreads = _spreads(measured)
    found = [
        {b: _block_effect(one, spreads, place) for b, one in arm.items()}
        for place, arm in enumerate(measured)
    ]
    values = np.array([_sum(arm, told, "value") for arm, told in zip(measured, found, strict=True)])
    whole = [
        len(arm) == len(set(blocks.values()))
        and all(len(one.influence) > 1 for one in arm.values())
        for arm in measured
    ]
    variance = np.array([_variance(arm, told) for arm, told in zip(measured, found, strict=True)])
    known = np.array(whole) & (spreads.freedom > 0)
    freedom = np.array([_freedom(arm, told) for arm, told in zip(measured, found, strict=True)])
    deviations = [_deviations(a, f, base, blocks) for a, f in zip(measured, found, strict=True)]
    normal = _draws(np.stack(deviations), np.random.default_rng(seed))
    errors = np.where(known, np.sqrt(variance), np.inf)
    given_up = len({len(arm) for arm in arms}) > 1
    half = _half_widths(normal, errors, freedom, _ERROR / 2 if given_up else _ERROR)
    best = _best(values + np.where(known, errors, 0.0) * normal)
    return [
        ArmEffect(
            Estimate(float(v), float(v - h), float(v + h)), float(e), float(f), float(p), told
        )
        for v, h, e, f, p, told in zip(values, half, errors, freedom, best, found, strict=True)
    ]


def _measured(metric: Metric, base: Sums, arm: Sums, blocks: Mapping[int, int]) -> Arm:
    sizes = {blocks[r]: len(sums) for r, sums in base.items()}
    runs = {b: [r for r in sorted(arm) if blocks[r] == b] for b in sorted(sizes)}
    total = sum(sizes[b] for b in runs if runs[b])
    return {
        b: _on_block(metric, base, arm, own, sizes[b] / total) for b, own in runs.items() if own
    }


def _on_block(
    metric: Metric, base: Sums, arm: Sums, runs: Sequence[int], share: float
) -> _Measured:
    differences, left_out = _differences(metric, base, arm, runs)
    m, count = left_out.shape
    finite = np.where(np.isfinite(left_out), left_out, 0.0)  # a group without which nothing is left
    centered = finite - finite.mean(axis=0)
    influence = np.sqrt((m - 1) / m) * centered.mean(axis=1)
    floor = _PSEUDO_ROWS / (m + 2) ** 2 if metric.bounded else 0.0
    rest = None
    if count > 1:
        left = centered - centered.mean(axis=1, keepdims=True)
        rest = (m - 1) / m * float((left**2).sum()) / (count - 1)
    rows = float((influence**2).sum()) + floor
    return _Measured(share, runs, differences, influence, rows, rest)


def _differences(
    metric: Metric, base: Sums, arm: Sums, runs: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return (R,) differences of score, and (m, R) those without one group of rows each."""
    differences: list[float] = []
    left_out: list[np.ndarray] = []
    with np.errstate(over="ignore", invalid="ignore"):
        for r in runs:
            totals = arm[r].sum(axis=0), base[r].sum(axis=0)
            differences.append(float(metric.combine(totals[0]) - metric.combine(totals[1])))
            without = metric.combine(totals[0] - arm[r]), metric.combine(totals[1] - base[r])
            left_out.append(without[0] - without[1])
    return np.array(differences), np.stack(left_out, axis=1)


def _spreads(arms: Sequence[Arm]) -> Moderated:
    """Return each arm's variance over seeds, of one replicate, moderated over the arms."""
    squares = np.array([sum(float((one.away**2).sum()) for one in a.values()) for a in arms])
    freedom = np.array([sum(len(one.runs) - 1 for one in a.values()) for a in arms])
    found = moderated(squares / np.maximum(freedom, 1), freedom)
    # Half of each spread is the unchanged network's own, which other arms tell nothing new about.
    most = _OF_SHARED * float(freedom.max(initial=0))
    return Moderated(found.variance, np.minimum(found.freedom, most))


def _block_effect(one: _Measured, spreads: Moderated, place: int) -> BlockEffect:
    count = len(one.runs)
    seeds = float(spreads.variance[place]) / count
    twice = 0.0 if one.rest is None else one.rest / count
    variance = one.rows + max(0.0, seeds - twice)
    freedom = max(1.0, float(spreads.freedom[place]))
    squares = one.rows**2 / max(1, len(one.influence) - 1) + seeds**2 / freedom
    told = variance**2 / squares if squares > 0 else _MANY
    freedom = min(max(1.0, told), _MANY)
    return BlockEffect(float(one.differences.mean()), variance, freedom, one.rows, one.share)


def _sum(arm: Arm, told: Mapping[int, BlockEffect], name: str) -> float:
    return sum(one.share * getattr(told[b], name) for b, one in arm.items())


def _variance(arm: Arm, told: Mapping[int, BlockEffect]) -> float:
    return sum(one.share**2 * told[b].variance for b, one in arm.items())


def _freedom(arm: Arm, told: Mapping[int, BlockEffect]) -> float:
    parts = [(one.share**2 * told[b].variance, told[b].freedom) for b, one in arm.items()]
    squares = sum(variance**2 / freedom for variance, freedom in parts)
    whole = sum(variance for variance, _ in parts)
    return min(_MANY, whole**2 / squares) if squares > 0 else _MANY


def _deviations(
    arm: Arm, told: Mapping[int, BlockEffect], base: Sums, blocks: Mapping[int, int]
) -> np.ndarray:
    """Return numbers of rows and seeds whose products over two arms add up to a covariance."""
    sizes = {blocks[r]: len(sums) for r, sums in base.items()}
    rows = [
        arm[b].share * arm[b].influence if b in arm else np.zeros(sizes[b]) for b in sorted(sizes)
    ]
    seeds = dict.fromkeys(sorted(base), 0.0)
    for b, one in arm.items():
        norm = float((one.away**2).sum())
        alone = max(0.0, told[b].variance - one.rows)
        scale = one.share * float(np.sqrt(alone / norm)) if norm > 0 else 0.0
        seeds |= dict(zip(one.runs, (scale * one.away).tolist(), strict=True))
    return np.concatenate([*rows, np.array(list(seeds.values()))])


def _draws(deviations: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Return (draws, A) standard normal numbers with the arms' correlation."""
    products = deviations @ deviations.T
    spread = np.sqrt(np.diagonal(products))
    scale = np.where(spread > 0, spread, 1.0)
    values, vectors = np.linalg.eigh(products / np.outer(scale, scale))
    root = vectors * np.sqrt(np.clip(values, 0.0, None))
    shape = _DRAWS, len(deviations)
    together, alone = generator.standard_normal(shape), generator.standard_normal(shape)
    # An arm that changed no row has only the added one to vary by, which it shares with none.
    return np.where(spread > 0, together @ root.T, alone)


def _half_widths(
    normal: np.ndarray, errors: np.ndarray, freedom: np.ndarray, error: float
) -> np.ndarray:
    """Return (A,) the half widths of intervals of which any fails in a share `error` of cases."""
    from scipy.special import ndtr, stdtrit  # type: ignore[import-untyped]

    known = np.isfinite(errors)
    if not known.any():
        return np.full(len(errors), np.inf)
    critical = np.quantile(np.abs(normal[:, known]).max(axis=1), 1 - error)
    quantile = stdtrit(freedom, ndtr(critical))
    return np.where(known, quantile * np.where(known, errors, 0.0), np.inf)


def _best(moved: np.ndarray) -> np.ndarray:
    """Return (A,) how often each arm is the best of all and the unchanged network."""
    unchanged = np.zeros((len(moved), 1))  # the first, so that it wins ties
    best = np.concatenate([unchanged, moved], axis=1).argmin(axis=1)
    return np.bincount(best, minlength=1 + moved.shape[1])[1:] / len(moved)
