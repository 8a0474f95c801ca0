"""Is the network better than what a constant or a linear model does on the same rows?

Worse it is where the difference surely exceeds the gain that counts: rows decide a smaller one, and
where a linear model is the right one a network is a little worse. The network is compared with each
of several models, and one of them is enough to be worse than, so that the lower ends have to hold
for all of them at once. Better it has to be than each of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import NormalDist

from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Finding

from ._metrics import METRICS
from ._texts import change_text

_TAIL = 0.025  # of a 95 % interval


def hardest_baseline(differences: Mapping[str, Estimate]) -> str:
    """Return the simple model that is hardest to beat: by verdict first, then by difference.

    Among those that seem better than the network it is the one that surely is so by most.

    Args:
        differences: name of a simple model -> network minus it; not empty.
    """

    def hardness(name: str) -> tuple[int, float]:
        difference = differences[name]
        if difference.low > 0:
            return 2, _least(difference, len(differences))
        return int(not difference.high < 0), difference.value

    return max(differences, key=hardness)


def compare_with_baselines(
    metric: str, differences: Mapping[str, Estimate], counts: float
) -> list[Finding]:
    """Return DW105 about the simple model that is hardest to beat.

    Args:
        metric: name of the metric.
        differences: name of a simple model -> network minus it on the same dev rows
            (`paired_difference`); below 0 the network is better.
        counts: difference that counts, in the metric's unit (`gain_that_counts`).

    Returns:
        One finding: `ok` when the whole interval lies below 0, `problem` when it lies above
        `counts`, as an interval that holds for all models at once, `unsure` else; an empty list
        when there is nothing to compare with.
    """
    if not differences:
        return []
    name = hardest_baseline(differences)
    difference, measured = differences[name], METRICS[metric]
    least = _least(difference, len(differences))
    level, claim = _standing(difference, least, counts)
    evidence: dict[str, object] = {
        "metric": metric,
        "baseline": name,
        "differences": {n: d.to_plain() for n, d in differences.items()},
        "least": least,
        "counts": counts,
    }
    change = change_text(difference, measured.percent)
    detail = f"difference in {measured.label} {change} on the dev rows"
    return [Finding("DW105", level, claim.format(safe_text(name)), detail, evidence)]


def _standing(difference: Estimate, least: float, counts: float) -> tuple[str, str]:
    """Return the level and the claim, with a place for the simple model's name."""
    if difference.high < 0:
        return "ok", "clearly better than {}"
    if least > counts:
        return "problem", "worse than {}"
    if difference.low > 0:
        return "unsure", "seems worse than {}, perhaps not by what matters"
    return "unsure", "not clearly better than {}"


def _least(difference: Estimate, models: int) -> float:
    """Return the lower end of an interval that holds for so many models at once.

    Bonferroni's correction, with the lower half as much wider as a normal error's would be.
    """
    if not math.isfinite(difference.value):
        return difference.low
    wider = NormalDist().inv_cdf(1 - _TAIL / models) / NormalDist().inv_cdf(1 - _TAIL)
    return difference.value - wider * (difference.value - difference.low)
