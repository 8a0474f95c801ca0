"""What a refit made, as lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word, store_flag
from deepwell.records import StudyResult

from ._figures import count, interval
from ._layout import alternatives, entry

_PATH_LIMIT = 300


def refit_lines(
    result: StudyResult, told: Mapping[str, Any], folder: str, store: str | None = None
) -> list[str]:
    """Return what was trained, on what, what is to be expected of it, and how to use it.

    Args:
        result: of the study.
        told: rows, epochs and steps, as the model keeps them.
        folder: of the model.
        store: what was given as `--store`, which the commands then need too.
    """
    label = safe_text(result.metric_label)
    trained = (
        f"trial {result.best_trial} trained on {count(told['rows'], 'train and dev row')} (chosen: "
        f"{told['train_rows']:,}) for {count(told['epochs'], 'epoch')}, {told['steps']:,} steps"
    )
    found = result.overtuning
    expected = result.dev if found is None else found.expected
    name = shell_word(result.name)
    where = store_flag(store)
    commands = [f"deepwell predict {name} new.csv --model refit{where}"]
    if result.data.sizes[2]:
        commands.append(f"deepwell test {name} --model refit{where}")
    return [
        *entry(
            "refit",
            trained,
            f"no rows are left to score it: {label} {interval(expected, result.percent)} is what "
            "the chosen network is expected to reach on fresh rows",
            f"test and predict use the chosen network of study {name} unless they are told "
            "--model refit",
        ),
        *entry("saved", safe_text(folder, _PATH_LIMIT)),
        *alternatives("next", commands),
    ]
