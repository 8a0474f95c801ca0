"""Which hyperparameters made the difference, and the Pareto front, as lines."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Effect, Importance, StudyResult, from_plain

from ._figures import count, figure
from ._layout import entry, heading, table

_INTERACTIONS = 3  # told of all; --json has the rest
_LEAST = 0.02  # share of one that is told
_FRONT = 12


def importance_lines(importance: Importance) -> list[str]:
    """Return the shares as a table with bars, or why there are none."""
    if importance.why or importance.explained is None:
        return entry("none", safe_text(importance.why))
    told = [e for e in importance.interactions if e.share.value >= _LEAST][:_INTERACTIONS]
    rows = [_row(effect) for effect in (*importance.main, *told)]
    shown = table(("hyperparameter", "share [95 %]", "with interactions", ""), rows, 0)
    return ["", *shown, *_basis(importance)]


def _row(effect: Effect) -> tuple[str, str, str, str]:
    share, total = effect.share, effect.total
    alone = f"{100 * share.value:.0f} % [{100 * share.low:.0f}, {100 * share.high:.0f}]"
    whole = f"{100 * total.value:.0f} %" if len(effect.names) == 1 else ""
    return safe_text(effect.name, 36), alone, whole, "#" * round(20 * share.value)


def _basis(importance: Importance) -> list[str]:
    """Return what the shares rest on."""
    assert importance.explained is not None
    told = [
        f"{count(importance.trials, 'network')}"
        + (f" compared after {count(importance.epochs, 'epoch')}" if importance.epochs else "")
        + f"; hyperparameters make {100 * importance.explained.value:.0f} % of their differences"
    ]
    if importance.worst:
        told.append(f"{importance.worst:,} far off or diverged count as the worst of the others")
    return entry("based on", *told)


def front_lines(front: Sequence[Mapping[str, Any]], result: StudyResult) -> list[str]:
    """Return the networks that no other one beats in score, size and work, as a table.

    Args:
        front: rows of `study.pareto()`, best score first.
        result: of the study.
    """
    rows = [
        (
            str(row["number"]),
            figure(row["score"], result.percent),
            f"{row['parameters']:,}",
            f"{row['multiply_adds']:,}",
            _time(row["microseconds"]),
        )
        for row in front[:_FRONT]
    ]
    left = len(front) - len(rows)
    more = [f"and {left:,} more, which --json lists"] if left > 0 else []
    titles = (
        "trial",
        f"dev {safe_text(result.metric_label)}",
        "parameters",
        "multiply-adds",
        "us a row",
    )
    return [*heading("Error, size and time: the Pareto front"), *table(titles, rows, 5), *more]


def _time(microseconds: float | None) -> str:
    known = microseconds is not None and math.isfinite(microseconds)
    return f"{microseconds:.2f}" if known else "-"


def search_lines(facts: Mapping[str, Any]) -> list[str]:
    """Return the figures of the section about the search from its plain values."""
    return importance_lines(from_plain(Importance, facts["importance"]))
