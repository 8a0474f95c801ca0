"""What the predictions of a finished study tell: the sections of `deepwell diagnose NAME`.

They are made from rows that the network was not trained on: the dev rows, or all rows of a
cross-validated study, each predicted out of fold. Mislabeled rows are looked for among train rows
too, which networks of the same configuration predict out of fold.
"""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag
from deepwell.data._data import Data
from deepwell.data._plain_columns import plain_columns
from deepwell.data._pool import Pool
from deepwell.diagnosis._importance_of_columns import (
    ColumnImportance,
    Judged,
    importance_of_columns,
)
from deepwell.diagnosis._prediction_findings import importance_finding, mended_by_temperature
from deepwell.diagnosis._prediction_sections import (
    Predicted,
    coverage_section,
    labels_section,
    probabilities_section,
    slices_section,
)
from deepwell.diagnosis._wrong_rows import RATE
from deepwell.records import Finding, Section

from ._finished import FinishedStudy
from ._out_of_fold import HeldOut, without_contradicted
from ._reopened import Reopened, reopen

_MULTIPLY_ADDS = 2e11  # that importance may take: a few seconds
_RESAMPLED = 400_000  # rows times columns, whose resampling takes some seconds
_LEAST_ROWS = 200
_SHUFFLES = 10
_LEAST_SHUFFLES = 3


def told_probabilities(reopened: Reopened) -> Section | None:
    """Return calibration, confusion and thresholds (DW213 to DW215); None for regression."""
    rows = predicted(reopened)
    if rows is None or not rows.classes:
        return None
    section = probabilities_section(rows)
    return replace(section, findings=tuple(_acting(f, reopened) for f in section.findings))


def told_slices(reopened: Reopened) -> Section | None:
    """Return where the network is worse than elsewhere (DW212)."""
    rows = predicted(reopened)
    return None if rows is None or not rows.columns else slices_section(rows)


def told_labels(reopened: Reopened, rate: float = RATE) -> Section | None:
    """Return the rows most likely mislabeled, or with targets that are not theirs (DW211).

    Args:
        reopened: the study.
        rate: of false discoveries.
    """
    held, whose = without_contradicted(reopened), "train and dev rows"
    if held is None:
        held, whose = reopened.held, "dev rows"
    return None if held is None else labels_section(_of(reopened, held), whose, rate)


def told_columns(reopened: Reopened) -> Section | None:
    """Return what the columns are worth (DW216); None where rows are images."""
    if reopened.data.image or not reopened.held_out:
        return None
    found = column_importance(reopened)
    if not found:
        return None
    finding = importance_finding(found, reopened.metric)
    facts: dict[str, object] = {
        "columns": [one.to_plain() for one in found],
        "metric": reopened.metric.label,
        "percent": reopened.metric.percent,
    }
    return Section("columns", "What columns are worth", (finding,), facts)


def told_coverage(reopened: Reopened) -> Section | None:
    """Return what sets or intervals look like that hold the truth in 95 % of rows (DW217)."""
    rows = predicted(reopened)
    if rows is None:
        return None
    section = coverage_section(rows)
    return replace(section, findings=tuple(_acting(f, reopened) for f in section.findings))


def predicted(reopened: Reopened) -> Predicted | None:
    """Return the rows that were not trained on, with their raw columns where they are there."""
    held = reopened.held
    if held is None:
        return None
    rows = _of(reopened, held)
    data = reopened.data
    frame = data.dev_frame
    if not reopened.held_out:
        frame = data.pool.frame if isinstance(data.pool, Pool) else None
    if frame is None or data.image:
        return rows
    return replace(rows, columns=plain_columns(frame, without=(data.target,)))


def column_importance(reopened: Reopened) -> tuple[ColumnImportance, ...]:
    """Return what shuffling each column does to the dev score, the largest change first."""
    data, model = reopened.data, reopened.model
    names = iter(range(len(data.table_encoder.mean)))
    inputs = {
        column.name: [next(names) for _ in column.features] for column in data.table_encoder.columns
    }
    inputs = {name: places for name, places in inputs.items() if places}
    if not inputs:
        return ()
    once = model.architecture.multiply_adds() * len(inputs)
    most = max(
        _LEAST_ROWS,
        int(min(_RESAMPLED // len(inputs), _MULTIPLY_ADDS // (_LEAST_SHUFFLES * once))),
    )
    rows = np.arange(len(data.dev))
    if len(rows) > most:
        generator = np.random.default_rng(reopened.settings.seed)
        rows = np.sort(generator.choice(len(rows), most, replace=False))
    shuffles = int(max(_LEAST_SHUFFLES, min(_SHUFFLES, _MULTIPLY_ADDS // max(1, once * len(rows)))))
    metric, dev = reopened.metric, data.dev

    def predict(x: np.ndarray) -> np.ndarray:
        said = model.outputs(x)
        return model.decisions(said) if metric.of_decisions else said

    dev = dev.part(rows)
    judged = Judged(metric, predict, dev.x, reopened.y_dev[rows], dev.weight, dev.group)
    return importance_of_columns(judged, inputs, shuffles, reopened.settings.seed)


def mislabeled_frame(
    study: FinishedStudy, store: str | Path | None, data: Data | None, rate: float
) -> Any:
    """Return the rows most likely mislabeled as a Polars frame, the surest first.

    Raises:
        UsageError: for a rate that is none, or rows that cannot be read again.
    """
    import polars as pl

    if not 0 < rate < 1:
        raise UsageError(f"`rate` must be above 0 and below 1, got {safe_text(repr(rate))}")
    reopened = reopen(study, store, data)
    section = told_labels(reopened, rate)
    suspects: Any = [] if section is None else section.facts["suspects"]
    said = pl.String if reopened.model.classes else pl.Float64
    schema = {"row": pl.Int64, "label": said, "likely": said, "chance_right": pl.Float64}
    return pl.DataFrame(suspects, schema=schema)


def importance_frame(study: FinishedStudy, store: str | Path | None, data: Data | None) -> Any:
    """Return the importance of columns as a Polars frame, the largest first.

    Raises:
        UsageError: when the rows cannot be read again, or none were held out.
    """
    import polars as pl

    reopened = reopen(study, store, data)
    if not reopened.held_out:
        raise UsageError(
            f"study {safe_text(reopened.result.name)} was cross-validated and its network trained "
            "on all rows; the importance of columns needs rows that were held out"
        )
    found = column_importance(reopened)
    return pl.DataFrame(
        {
            "columns": [list(one.columns) for one in found],
            "change": [one.change.value for one in found],
            "low": [one.change.low for one in found],
            "high": [one.change.high for one in found],
        },
        schema={
            "columns": pl.List(pl.String),
            "change": pl.Float64,
            "low": pl.Float64,
            "high": pl.Float64,
        },
    )


def command(reopened: Reopened, words: str) -> str:
    """Return `deepwell WORDS` for the study's store, with the study's name for `NAME`."""
    where = reopened.store
    told = words.replace("NAME", shlex.quote(reopened.result.name))
    store = store_flag(where)
    return f"deepwell {told}{store}"


def _acting(finding: Finding, reopened: Reopened) -> Finding:
    """Return a finding with the command that acts on it."""
    words = ""
    if finding.code == "DW213" and mended_by_temperature(finding):
        words = "calibrate NAME"
    if finding.code == "DW214" and finding.claim.startswith("a better"):
        words = f"calibrate NAME --threshold {finding.evidence['objective']}"
    if finding.code == "DW217" and finding.level == "ok":
        words = "predict NAME new.csv --coverage 0.95"
    return replace(finding, command=command(reopened, words)) if words else finding


def _of(reopened: Reopened, held: HeldOut) -> Predicted:
    return Predicted(
        y=held.y,
        prediction=held.prediction,
        classes=reopened.model.classes,
        weight=held.weight,
        numbers=held.numbers,
        metric=reopened.settings.metric,
        target=reopened.data.target,
        seed=reopened.settings.seed,
        class_factors=held.class_factors,
        group=held.group,
    )
