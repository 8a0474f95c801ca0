"""The simple models that every network has to beat, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell._base._safe_text import safe_text
from deepwell.records import Baseline

from ._figures import interval
from ._layout import entry


def baseline_lines(baselines: Sequence[Baseline], metric_label: str, percent: bool) -> list[str]:
    """Return the line `baseline`: each simple model with its dev score and interval.

    Args:
        baselines: the simple models, none for no line.
        metric_label: what the figures are, as in `error`.
        percent: whether the figures are shares that people read as per cent.
    """
    if not baselines:
        return []
    told = ", ".join(f"{safe_text(b.name)} {interval(b.estimate, percent)}" for b in baselines)
    return entry("baseline", f"dev {safe_text(metric_label)}: {told}")
