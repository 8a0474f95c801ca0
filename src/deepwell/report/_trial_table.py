"""The best trials side by side, only with what differs between them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell._base._safe_text import safe_text
from deepwell.records import Status, Trial

from ._figures import figure
from ._layout import entry, table
from ._network import differing_names, network_words, setting_words

_MESSAGE_LIMIT = 200


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials that reached a score, best first; ties go to lower cost, then older."""
    return sorted((t for t in trials if math.isfinite(t.score)), key=Trial.rank_key)


def trial_table(trials: Sequence[Trial], percent: bool, rows: int = 10) -> list[str]:
    """Return a table of the best trials: dev score, best epoch, end, and what differs.

    Args:
        trials: all trials of a study.
        percent: whether scores are shares that people read as per cent.
        rows: how many to show; ten shows whether the best stands alone or in a crowd.
    """
    best = ranked(trials)[:rows]
    if not best:
        return ["No network reached a score."]
    differing = set(differing_names([t.spec.hyperparameters for t in best]))
    names = [name for name in HYPERPARAMETERS if name in differing]
    cells = [
        (
            str(trial.number),
            figure(trial.score, percent),
            f"{trial.best_epoch}/{trial.epochs}",
            trial.status.value,
            setting_words(trial.spec.hyperparameters, names) or "as the others",
        )
        for trial in best
    ]
    return table(("trial", "dev", "epoch", "end", "what differs"), cells, numbers=3)


def failure_lines(trials: Sequence[Trial], rows: int = 5) -> list[str]:
    """Return the first trials that diverged, each with its sentence; no lines when none did."""
    failed = [t for t in trials if t.status is Status.DIVERGED]
    lines: list[str] = []
    for trial in failed[:rows]:
        told = safe_text(trial.message or "diverged", _MESSAGE_LIMIT)
        words = network_words(trial.spec.hyperparameters)
        lines.extend(entry(f"trial {trial.number}", f"{told}: {words}"))
    if len(failed) > rows:
        lines.append(f"and {len(failed) - rows:,} more")
    return lines
