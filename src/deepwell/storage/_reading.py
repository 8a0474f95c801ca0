"""What a store tells: every method reads one state of it, whatever others write meanwhile."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from deepwell.records import Answer, Event, Probe, Trial

from . import _checkpoints, _chunks, _events, _probes, _studies, _trials
from ._checkpoint_record import CheckpointRecord
from ._database import Database
from ._query import ask
from ._study_record import StudyRecord


class Reading:
    """The reading half of a `Store`.

    Args:
        folder: where the artifacts lie.
        database: of the store.
    """

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder = folder
        self._database = database

    def study(self, name: str) -> StudyRecord:
        """Return the study of that name.

        Raises:
            UsageError: when there is none, with the closest name and those that exist.
        """
        with self._database.reading() as connection:
            return _studies.read_study(connection, self.folder, name, self._database.backend.flag)

    def studies(self, *, deleted: bool = False) -> list[StudyRecord]:
        """Return all studies, oldest first.

        Args:
            deleted: whether those are wanted too that were deleted, or removed for good.
        """
        with self._database.reading() as connection:
            return _studies.read_studies(connection, deleted=deleted)

    def trial_counts(self) -> dict[int, int]:
        """Return study id -> number of its trials, for all studies that have some."""
        with self._database.reading() as connection:
            return _trials.count_trials(connection)

    def trials(
        self,
        study_id: int,
        *,
        curves: bool = False,
        first: int = 0,
        among: Collection[int] | None = None,
    ) -> list[Trial]:
        """Return the study's trials in the order of their numbers.

        Args:
            study_id: the study.
            curves: whether to read the curves as well, by default not: they are most of a store.
            first: number of the first trial that is asked about.
            among: numbers of the trials that are asked about; None for all.
        """
        with self._database.reading() as connection:
            trials = _trials.read_trials(connection, study_id, first, among)
            if not curves:
                return trials
            read_curves = _chunks.read_curves if among is None else _chunks.read_curves_of
            read = read_curves(connection, study_id, trials)
            return [replace(t, curves=own) for t, own in zip(trials, read, strict=True)]

    def unfinished(self, study_id: int) -> list[int]:
        """Return the numbers of the trials that are not over."""
        with self._database.reading() as connection:
            return _trials.read_unfinished(connection, study_id)

    def best_trials(
        self, study_id: int, count: int = 1, among: Collection[int] | None = None
    ) -> list[Trial]:
        """Return the best trials by `Trial.rank_key`, best first, without curves.

        Quick for any number of trials; those that have no score yet, or failed, are left out.

        Args:
            study_id: the study.
            count: how many, at most.
            among: numbers of the trials that are asked about; None for all.
        """
        with self._database.reading() as connection:
            return _trials.read_best(connection, study_id, count, among)

    def curves_of(self, study_id: int, trials: Sequence[Trial]) -> list[dict[str, np.ndarray]]:
        """Return the curves of some trials, in the order of their numbers.

        Of each metric name -> (epochs,) float32, first epoch first. No more is read than the epochs
        in which one of them trained.
        """
        with self._database.reading() as connection:
            return _chunks.read_curves_of(connection, study_id, trials)

    def last_epoch(self, study_id: int) -> dict[str, np.ndarray]:
        """Return metric name -> (P,) float32 of the epoch that was recorded last; empty for none.

        Quick for any number of trials and epochs.
        """
        with self._database.reading() as connection:
            return _chunks.read_last(connection, study_id)

    def probes(self, study_id: int, trials: Collection[int] | None = None) -> list[Probe]:
        """Return what was measured inside networks, by trial and epoch.

        Args:
            study_id: the study.
            trials: numbers of the trials that are asked about; None for all.
        """
        with self._database.reading() as connection:
            return _probes.read_probes(connection, study_id, trials)

    def events(self, study_id: int, kind: str | None = None) -> list[Event]:
        """Return the study's events, or those of one kind, in the order of recording."""
        with self._database.reading() as connection:
            return _events.read_events(connection, study_id, kind)

    def result(self, study_id: int) -> dict[str, Any] | None:
        """Return the outcome that `save_result` kept, or None."""
        with self._database.reading() as connection:
            return _studies.read_result(connection, study_id)

    def results(self) -> dict[int, dict[str, Any]]:
        """Return study id -> outcome, of all studies that have one."""
        with self._database.reading() as connection:
            return _studies.read_results(connection)

    def checkpoint(self, study_id: int) -> CheckpointRecord | None:
        """Return the study's checkpoint, or None."""
        with self._database.reading() as connection:
            return _checkpoints.read_checkpoint(connection, study_id)

    def query(self, sql: str, limit: int) -> Answer:
        """Return what a query in SQL gives, at most `limit` rows; it can read and nothing else.

        The views of `docs/query.md` are made for it.

        Raises:
            UsageError: when it is not understood, or would do more than read.
        """
        return ask(self._database, sql, limit)
