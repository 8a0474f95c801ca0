"""Do two tools train the same networks? The gate before every comparison.

Both train the same configurations. Seeds, initial weights and batch order differ, so dev errors
differ by seed noise, which several seeds of ours measure for each configuration. With C
configurations, S seeds of ours and R of theirs, under agreement

    d_c = mean of theirs - mean of ours,    Var(d_c) = v_c (1/S + 1/R),
    SE  = sqrt(sum of Var(d_c)) / C.

The tools agree when |mean of d| <= 2 SE + 0.005 and the configurations' order is the same:
Spearman's correlation of the two means is at least 0.9 or, where noise alone forbids that, what
99 of 100 runs would have that only mix seeds of ours (each drawn seed left out of the mean that
its run is held against), less 0.05, since a few seeds show little of the tails.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

MARGIN = 0.005  # half a point of error: two rows of 359
ERRORS = 2.0
RANK = 0.9
SLACK = 0.05
_RUNS, _SHARE = 400, 0.01


@dataclass(frozen=True)
class Agreement:
    """Outcome of the gate.

    Attributes:
        configurations, ours, theirs: C, S and R.
        mean_ours, mean_theirs: mean dev errors.
        difference: of the means, theirs less ours.
        allowed: largest difference that passes.
        spearman, spearman_needed: rank correlation, and what passes.
        passes: whether both hold.
    """

    configurations: int
    ours: int
    theirs: int
    mean_ours: float
    mean_theirs: float
    difference: float
    allowed: float
    spearman: float
    spearman_needed: float
    passes: bool


def agreement(ours: np.ndarray, theirs: np.ndarray) -> Agreement:
    """Return whether two tools agree on the same configurations.

    Args:
        ours: (S, C) dev errors, S at least 2.
        theirs: (R, C).

    Raises:
        ValueError: when the shapes do not belong together.
    """
    if ours.ndim != 2 or theirs.ndim != 2 or ours.shape[1] != theirs.shape[1] or len(ours) < 2:
        raise ValueError(f"(S, C) and (R, C) with S >= 2 needed, got {ours.shape}, {theirs.shape}")
    seeds, configurations = ours.shape
    variance = ours.var(axis=0, ddof=1) * (1 / seeds + 1 / len(theirs))
    standard_error = float(np.sqrt(variance.sum())) / configurations
    difference = float((theirs.mean(0) - ours.mean(0)).mean())
    allowed = ERRORS * standard_error + MARGIN
    needed = min(RANK, noise_spearman(ours, len(theirs)) - SLACK)
    rank = spearman(ours.mean(0), theirs.mean(0))
    return Agreement(
        configurations=configurations,
        ours=seeds,
        theirs=len(theirs),
        mean_ours=float(ours.mean()),
        mean_theirs=float(theirs.mean()),
        difference=difference,
        allowed=allowed,
        spearman=rank,
        spearman_needed=needed,
        passes=abs(difference) <= allowed and rank >= needed,
    )


def noise_spearman(ours: np.ndarray, runs: int) -> float:
    """Return the rank correlation that 99 % of runs have which differ from ours by seed alone.

    Args:
        ours: (S, C) dev errors.
        runs: R, seeds that such a run is the mean of.
    """
    generator = np.random.default_rng(0)
    seeds, configurations = ours.shape
    total, places = ours.sum(0), np.arange(configurations)
    found = []
    for _ in range(_RUNS):
        one = ours[generator.integers(seeds, size=configurations), places]
        more = ours[generator.integers(seeds, size=(runs - 1, configurations)), places]
        found.append(spearman((total - one) / (seeds - 1), (one + more.sum(0)) / runs))
    return float(np.quantile(found, _SHARE))


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return the correlation of the ranks, ties at their mean rank; 0 where one does not vary."""
    from scipy.stats import rankdata

    ranks = np.stack([rankdata(a), rankdata(b)])
    ranks = ranks - ranks.mean(1, keepdims=True)
    norms = np.sqrt((ranks**2).sum(1))
    return float(ranks[0] @ ranks[1] / norms.prod()) if norms.all() else 0.0
