"""The command that searches on with other ranges."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from deepwell._base._password import without_password
from deepwell._base._safe_text import safe_text

_PATH_LIMIT = 300


def search_command(
    name: str, entries: Sequence[str], trials: int, store: str | Path | None = None
) -> str:
    """Return the command that goes on with a study, its history kept.

    >>> search_command("churn", ["dropout=uniform(0, 0.75)"], 64)
    "deepwell resume churn --trials 64 --space 'dropout=uniform(0, 0.75)'"

    Args:
        name: of the study.
        entries: of its space that change, as `name=log(0.001, 0.1)`; none goes on as it was.
        trials: networks to add.
        store: as given with `--store`; None for none.
    """
    words = ["deepwell", "resume", name, "--trials", str(trials)]
    words += [word for entry in entries for word in ("--space", entry)]
    if store:
        words += ["--store", safe_text(without_password(store), _PATH_LIMIT)]
    return shlex.join(words)
