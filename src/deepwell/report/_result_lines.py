"""The verdict: the best network's scores and how it compares, as lines."""

from __future__ import annotations

import statistics

from deepwell._base._safe_text import safe_text
from deepwell.records import StudyResult

from ._figures import change, count, difference, figure, interval
from ._layout import entry
from ._network import network_words

_STOPPED_LIMIT = 200
_NOTE_LIMIT = 600


def result_lines(result: StudyResult) -> list[str]:
    """Return the line `result`, and `stopped` where a run ended before its plan was done."""
    label, score = safe_text(result.metric_label), interval(result.dev, result.percent)
    paragraphs = [
        f"{dev_words(result)} {label} {score}: {network_words(result.best)}",
        *luck_words(result),
        *folds_words(result),
        f"train {label} {interval(result.train, result.percent)}",
    ]
    if result.weight_sparsity is not None:
        share = 100 * result.weight_sparsity
        paragraphs.append(f"{share:.3g} % of its weights are 0 (below 1e-6) under its l1 penalty")
    if result.train_dev is not None:
        paragraphs.append(
            f"train-dev {label} {interval(result.train_dev, result.percent)}: rows like train, not "
            "trained on"
        )
    verdict = versus_words(result)
    if verdict:
        paragraphs.append(verdict)
    paragraphs += parent_words(result)
    return [*search_lines(result), *stopped_lines(result), *entry("result", *paragraphs)]


def dev_words(result: StudyResult) -> str:
    """Return what the rows are that networks are compared on: `dev`, or `5-fold`."""
    return f"{len(result.folds)}-fold" if result.folds else "dev"


def luck_words(result: StudyResult) -> list[str]:
    """Return how much of the dev score is luck of the choice, none where it is not known."""
    found = result.overtuning
    if found is None:
        return []
    return [
        f"of it luck of the choice {change(found.luck, result.percent)}: on fresh rows "
        f"{interval(found.expected, result.percent)} is to be expected"
    ]


def folds_words(result: StudyResult) -> list[str]:
    """Return the mean and the spread across folds and what was saved, none without folds."""
    if not result.folds:
        return []
    mean, spread = statistics.fmean(result.folds), statistics.stdev(result.folds)
    shown = [figure(f, result.percent) for f in (mean, min(result.folds), max(result.folds))]
    saved = (
        "the saved network was trained on all of these rows for "
        f"{count(result.refit_epochs, 'epoch')}, the folds' mean"
    )
    if result.saved_fold:
        saved = (
            f"the saved network is that of fold {result.saved_fold}, trained on the rows of the "
            f"others: trained on all of these rows, {safe_text(result.refit_failure)}"
        )
    return [
        f"mean of {len(result.folds)} folds {shown[0]}, from {shown[1]} to {shown[2]}, standard "
        f"deviation {figure(spread, result.percent)}",
        saved,
    ]


def parent_words(result: StudyResult) -> list[str]:
    """Return the study that this one improves and by what, none where there is none."""
    if not result.parent:
        return []
    return [f"improved from study {safe_text(result.parent, _STOPPED_LIMIT)}"]


def search_lines(result: StudyResult) -> list[str]:
    """Return what people did to the search, or none where they did nothing."""
    notes = [safe_text(note, _NOTE_LIMIT) for note in result.search_notes]
    return entry("search", *notes) if notes else []


def stopped_lines(result: StudyResult) -> list[str]:
    """Return the line `stopped`, or none when the plan was carried out."""
    if not result.stopped:
        return []
    why = safe_text(result.stopped, _STOPPED_LIMIT).removeprefix("stopped ")
    return entry("stopped", f"{why}; the best was kept")


def versus_words(result: StudyResult) -> str:
    """Return the comparison with the best baseline, or an empty text when there is none.

    The difference is network minus baseline on the same dev rows, lower is better; whether it
    is worse by what matters is told by DW105.
    """
    versus = result.versus
    if versus is None:
        return ""
    name = safe_text(result.versus_name)
    verdict = "not clearly better"
    if versus.high < 0:
        verdict = "better"
    elif any(f.code == "DW105" and f.level == "problem" for f in result.findings):
        verdict = f"worse: {name} is the better model here"
    elif versus.low > 0:
        verdict = "seems worse, perhaps not by what matters"
    return f"vs {name} {difference(versus, result.percent)}: {verdict}"
