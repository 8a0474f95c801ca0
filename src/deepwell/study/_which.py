"""The models that a study may have, by the names that `predict` and `test` take."""

from __future__ import annotations

import shutil
from pathlib import Path

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text

BEST = "best"
FOLDERS = {BEST: "model", "refit": "model-refit", "ensemble": "model-ensemble"}
"""Name -> folder inside that of the study; only `best` is always there."""

SAID = {
    "refit": "the model refit on train and dev rows, not the network that was chosen",
    "ensemble": "the ensemble, not the network that was chosen",
}
"""What must be said of a score that is not the chosen network's."""


def folder_of(which: str) -> str:
    """Return the folder of one of a study's models.

    Raises:
        UsageError: when there is no such name.
    """
    if which in FOLDERS:
        return FOLDERS[which]
    raise UsageError(
        f'`model` must be best, refit or ensemble, got "{safe_text(which)}"'
        f"{did_you_mean(which, FOLDERS)}"
    )


def discard_derived(folder: Path) -> None:
    """Remove the models that were made of a network which is not the chosen one any more.

    Args:
        folder: of the study.
    """
    for which in SAID:
        shutil.rmtree(folder / FOLDERS[which], ignore_errors=True)
