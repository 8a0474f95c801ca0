"""The one act that opens the vault: a model scored on the sealed rows, and the ledger told."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell.data._divide import group_numbers
from deepwell.data._vault import SealedTest
from deepwell.data._vault_reader import read_sealed
from deepwell.data._weighting import Weighting
from deepwell.diagnosis._intervals import estimate
from deepwell.diagnosis._metrics import METRICS
from deepwell.records import SCORED, Estimate, Opening, StudyResult, from_plain
from deepwell.storage._study_record import StudyRecord
from deepwell.storage._witness import lost_openings

from ._model import Model
from ._test_mark import announce, mark_model
from ._which import SAID, folder_of

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from deepwell.storage._store import Store  # loads SQLAlchemy


COPY = "copy"
"""The event of a study that was copied from another store."""


def open_sealed(
    opened: Store,
    record: StudyRecord,
    sealed: SealedTest,
    model: Model,
    result: StudyResult,
    which: str,
) -> None:
    """Score a model on the sealed test rows and append the opening to the ledger.

    Args:
        opened: the study's store.
        record: of the study.
        sealed: where the rows are.
        model: to be scored.
        result: of the study.
        which: name of the model, as for `FinishedStudy.model`.

    Raises:
        UsageError: when the sealed file is gone or changed.
        StudyError: when the ledger was tampered with, or cannot be written.
    """
    opened.ledger.verify()  # where it does not hold, nobody looks
    frame = read_sealed(sealed)
    metric = METRICS[result.metric]
    target = model.target_encoder
    y = target.encode(frame[target.name])
    truth = y if model.classes else target.original(y)
    prediction = model.outputs(model.table_encoder.transform(frame))
    if metric.of_decisions:
        prediction = model.decisions(prediction)
    weight = weighting_of(record).of(frame, y)
    score = estimate(metric, truth, prediction, weight, _seed(record), _groups(record, frame))
    opening = Opening(
        time=time.time(),
        study=record.name,
        trial=result.best_trial,
        metric=metric.name,
        test=Estimate(score.value, score.low, score.high),
        number=1,
        notes=(*_scored_note(which), *_lost_notes(opened), *_reuse_notes(opened, record)),
    )
    folder = opened.folder / record.name / folder_of(which)
    weights = str(model.about["weights_sha256"])
    announce(folder, opened, sealed.fingerprint, weights)
    mark_model(folder, opened.ledger.append(sealed.fingerprint, opening, weights))


def sealed_test(record: StudyRecord, vault: Path) -> SealedTest | None:
    """Return where a study's test rows are sealed, or None when it has none."""
    kept = record.config["vault"]
    if not isinstance(kept, dict):
        return None
    sealed = from_plain(SealedTest, kept)
    return replace(sealed, path=str(vault / sealed.path))


def weighting_of(record: StudyRecord) -> Weighting:
    """Return how much the rows of a study's data count; alike where an older Deepwell ran it."""
    kept = record.config.get("weighting")
    return from_plain(Weighting, kept) if isinstance(kept, dict) else Weighting()


def _groups(record: StudyRecord, frame: pl.DataFrame) -> np.ndarray | None:
    """Return the group of each row, None where a study named no column of groups."""
    data: Any = record.config["data"]
    column = data.get("group")
    return group_numbers(frame[column]) if column else None


def _seed(record: StudyRecord) -> int:
    seed = record.config["seed"]
    return seed if isinstance(seed, int) else 0


def _scored_note(which: str) -> tuple[str, ...]:
    """Return the note that names the model that was scored; none for the network chosen on dev."""
    return (SCORED + SAID[which],) if which in SAID else ()


def _lost_notes(store: Store) -> tuple[str, ...]:
    """Return the note that openings are missing from the ledger; none where all are there."""
    told = lost_openings(store.ledger.missing())
    return (told,) if told else ()


def _reuse_notes(store: Store, record: StudyRecord) -> tuple[str, ...]:
    """Return a sentence for each earlier study that has seen rows of this test set."""
    found = store.row_hashes.reuse_of(record.id, store.row_hashes.read(record.id, "test"))
    data: Any = record.config["data"]
    why = ", as rows of few values may by chance" if data.get("alike_by_chance") else ""
    told: list[Any] = [event.details for event in store.events(record.id, COPY)]
    there = "in the store that it was copied from"
    elsewhere = [
        f"{_reuse_note(one['rows'], one['part'], one['study'])} {there}"
        for details in told
        for one in details["seen"]
    ]
    here = (_reuse_note(r.rows, r.part, r.study) for r in found)
    return tuple(note + why for note in (*here, *elsewhere))


def _reuse_note(rows: int, part: str, study: str) -> str:
    noun = "row was" if rows == 1 else "rows were"
    what = "opened test" if part == "test" else part
    return f"{rows:,} test {noun} among the {what} rows of study {study}"
