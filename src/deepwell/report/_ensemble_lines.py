"""What an ensemble is and how it compares, as lines."""

from __future__ import annotations

from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word, store_flag
from deepwell.records import EnsembleFacts, StudyResult

from ._figures import count, difference, figure
from ._layout import alternatives, entry

_PATH_LIMIT = 300


def ensemble_lines(
    result: StudyResult, facts: EnsembleFacts, folder: str, store: str | None = None
) -> list[str]:
    """Return who is in an ensemble, how it compares, where it lies, and how to use it.

    Args:
        result: of the study.
        facts: the ensemble.
        folder: of its model.
        store: what was given as `--store`, which the commands then need too.
    """
    label, percent = safe_text(result.metric_label), result.percent
    members = ", ".join(
        f"{trial} ({100 * share:.0f} %)"
        for trial, share in sorted(
            zip(facts.trials, facts.shares, strict=True), key=lambda pair: -pair[1]
        )
    )
    if facts.change.high < 0:
        verdict = "better"
    else:
        verdict = "worse" if facts.change.low > 0 else "not clearly better"
    name = shell_word(result.name)
    where = store_flag(store)
    commands = [f"deepwell predict {name} new.csv --model ensemble{where}"]
    if result.data.sizes[2]:
        commands.append(f"deepwell test {name} --model ensemble{where}")
    return [
        *entry(
            "ensemble",
            f"{count(len(facts.trials), 'network')} of {facts.candidates}, by trial: {members}",
            f"{label} {figure(facts.score, percent)}, the single best "
            f"{figure(facts.single, percent)}, both chosen without the dev rows that score them: "
            f"{difference(facts.change, percent)}, {verdict}",
            f"test and predict use the chosen network of study {name} unless they are told "
            "--model ensemble",
        ),
        *entry("saved", safe_text(folder, _PATH_LIMIT)),
        *alternatives("next", commands),
    ]
