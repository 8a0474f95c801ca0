"""Is the network better than what a constant or a linear model does on the same rows?"""

from __future__ import annotations

from collections.abc import Mapping

from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Finding

from ._metrics import METRICS
from ._texts import change_text

_CLAIMS = {
    "ok": "clearly better than",
    "unsure": "not clearly better than",
    "problem": "worse than",
}


def hardest_baseline(differences: Mapping[str, Estimate]) -> str:
    """Return the simple model that is hardest to beat: by verdict first, then by difference.

    Args:
        differences: name of a simple model -> network minus it; not empty.
    """
    return max(differences, key=lambda n: (_RANKS[_level(differences[n])], differences[n].value))


def compare_with_baselines(metric: str, differences: Mapping[str, Estimate]) -> list[Finding]:
    """Return DW105 about the simple model that is hardest to beat.

    Args:
        metric: name of the metric.
        differences: name of a simple model -> network minus it on the same dev rows
            (`paired_difference`); below 0 the network is better.

    Returns:
        One finding: `ok` when the whole interval lies below 0, `problem` when it lies above,
        `unsure` else; an empty list when there is nothing to compare with.
    """
    if not differences:
        return []
    name = hardest_baseline(differences)
    difference, level = differences[name], _level(differences[name])
    measured = METRICS[metric]
    change = change_text(difference, measured.percent)
    evidence: dict[str, object] = {
        "metric": metric,
        "baseline": name,
        "differences": {n: d.to_plain() for n, d in differences.items()},
    }
    claim = f"{_CLAIMS[level]} {safe_text(name)}"
    detail = f"difference in {measured.label} {change} on the dev rows"
    return [Finding("DW105", level, claim, detail, evidence)]


_RANKS = {"ok": 0, "unsure": 1, "problem": 2}


def _level(difference: Estimate) -> str:
    if difference.high < 0:
        return "ok"
    return "problem" if difference.low > 0 else "unsure"
