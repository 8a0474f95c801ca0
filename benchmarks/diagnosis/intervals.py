"""Intervals and tests of the benchmark."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from scipy import stats

Item = TypeVar("Item")
_DRAWS = 1000


def clopper_pearson(hits: int, of: int) -> tuple[float, float]:
    """Return the exact 95 % interval of a share (Clopper and Pearson 1934).

    >>> [round(end, 4) for end in clopper_pearson(0, 150)]
    [0.0, 0.0243]
    """
    if of == 0:
        return 0.0, 1.0
    low = 0.0 if hits == 0 else float(stats.beta.ppf(0.025, hits, of - hits + 1))
    high = 1.0 if hits == of else float(stats.beta.ppf(0.975, hits + 1, of - hits))
    return low, high


def clustered(
    groups: Mapping[str, Sequence[Item]], figure: Callable[[list[Item]], float], seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a figure, whole groups drawn: runs of a task are alike.

    With fewer than 5 groups it is wide of the mark; the docs say how many there were.

    Args:
        groups: task -> what was counted on it.
        figure: of items of any tasks; NaN draws are left out.
        seed: of the draws.
    """
    names, generator = sorted(groups), np.random.default_rng(seed)
    drawn = []
    for _ in range(_DRAWS):
        chosen = generator.integers(len(names), size=len(names))
        value = figure([item for place in chosen for item in groups[names[place]]])
        if math.isfinite(value):
            drawn.append(value)
    if not drawn:
        return math.nan, math.nan
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def hurts(healthy: Sequence[float], faulty: Sequence[float]) -> dict[str, Any]:
    """Return whether a fault makes scores worse: p < 0.05 and Cohen's d of at least 0.5.

    The rule of DeepCrime (Humbatova, Jahangirova and Tonella 2021) for a mutant that is killed,
    with a one-sided Welch test in place of their linear model. Lower scores are better.

    >>> told = hurts([0.10, 0.11, 0.12, 0.10], [0.20, 0.22, 0.21, 0.20])
    >>> told["hurts"], round(told["d"], 1)
    (True, 10.4)
    """
    a, b = np.asarray(healthy, float), np.asarray(faulty, float)
    pooled = math.sqrt((a.var(ddof=1) + b.var(ddof=1)) / 2)
    change = float(b.mean() - a.mean())
    if pooled == 0:
        d, p = (math.inf if change > 0 else 0.0), (0.0 if change > 0 else 1.0)
    else:
        d = change / pooled
        p = float(stats.ttest_ind(b, a, equal_var=False, alternative="greater").pvalue)
    return {"hurts": p < 0.05 and d >= 0.5, "p": p, "d": min(d, 1e6), "lost": change}


def recovered(
    healthy: Sequence[float], faulty: Sequence[float], mended: Sequence[float]
) -> dict[str, Any]:
    """Return the share of the lost score that a remedy gives back, and whether it suffices.

    The share is mean(faulty - mended) / mean(faulty - healthy); its 95 % interval is that of a
    ratio of means, from what is left of each seed, paired, by Student's t (Cochran 1977, Sampling
    Techniques, section 6.5). It suffices where the share is at least 80 % and its lower end above
    50 %.

    >>> told = recovered([0.1, 0.1, 0.1], [0.3, 0.3, 0.3], [0.10, 0.12, 0.11])
    >>> round(told["share"], 2), told["suffices"]
    (0.95, True)
    """
    h, f, m = (np.asarray(v, float) for v in (healthy, faulty, mended))
    lost = float((f - h).mean())
    if lost <= 0:
        return {"share": 0.0, "low": 0.0, "suffices": False}
    share = float((f - m).mean()) / lost
    left = (f - m) - share * (f - h)
    error = float(left.std(ddof=1)) / (lost * math.sqrt(len(left)))
    low = share - float(stats.t.ppf(0.975, len(left) - 1)) * error
    return {"share": share, "low": low, "suffices": share >= 0.8 and low > 0.5}
