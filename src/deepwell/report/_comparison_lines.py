"""A comparison of studies or trials, as lines and for JSON."""

from __future__ import annotations

import math
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Comparison, Contrast

from ._figures import difference, duration, figure, interval
from ._json import strict
from ._layout import COLUMNS, display_width, entry, fit_to, pad, table

_GAP = 2
_LEAST = 12  # columns of a value


def comparison_lines(comparison: Comparison) -> list[str]:
    """Return the scores, the differences from the best, and what else differs."""
    rows = [
        (
            safe_text(one.name),
            f"{one.networks:,}",
            duration(one.seconds),
            "" if one.train is None else figure(one.train.value, one.percent),
            f"{one.label} {interval(one.dev, one.percent)}",
        )
        for one in comparison.compared
    ]
    lines = table(("study", "networks", "time", "train", "dev"), rows, numbers=0)
    lines.append("")
    for contrast in comparison.contrasts:
        lines += entry(*_contrast(comparison, contrast))
    if comparison.differing:
        return [*lines, "", *_differing(comparison)]
    return [*lines, *entry("differing", "nothing that was asked, and not the network either")]


def comparison_json(comparison: Comparison) -> dict[str, Any]:
    """Return `compared`, `best`, `contrasts` and `differing`; what is not known is null."""
    return strict(comparison)


def _contrast(comparison: Comparison, contrast: Contrast) -> tuple[str, str]:
    one = next(one for one in comparison.compared if one.name == contrast.name)
    name = safe_text(contrast.name)
    if contrast.change is None:
        return "versus", f"{name}: {safe_text(contrast.how, 300)}"
    change = contrast.change
    worse = "clearly worse" if contrast.clear else "not clearly worse"
    told = difference(change, one.percent) if math.isfinite(change.low) else "unknown"
    how = safe_text(contrast.how, 400)
    best = safe_text(comparison.best)
    return "versus", f"{name} against {best}, the best: {told}, {worse}; {how}"


def _differing(comparison: Comparison) -> list[str]:
    """Return a table with a column each; where it would be too narrow, a line each."""
    names = [safe_text(one.name) for one in comparison.compared]
    gutter = max(display_width(name) for name in comparison.differing)
    width = (COLUMNS - gutter) // len(names) - _GAP
    if width < _LEAST:
        return [
            line
            for key, texts in comparison.differing.items()
            for line in entry(
                key, *(f"{name}: {text}" for name, text in zip(names, texts, strict=True))
            )
        ]
    rows = [("differing", names), *comparison.differing.items()]
    space = " " * _GAP
    return [
        pad(key, gutter)
        + "".join(space + pad(fit_to(text, width), width) for text in texts).rstrip()
        for key, texts in rows
    ]
