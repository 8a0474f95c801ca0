"""The store: every method is one transaction on one database."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import numpy as np

from deepwell.records import ChunkRecord, Event, Probe, Status, TrialSpec

from . import _checkpoints, _chunks, _events, _probes, _rows, _studies, _trials
from ._backend import Backend
from ._backup import Pace
from ._checkpoint_record import CheckpointRecord, Repeated
from ._claim import Claim
from ._copies import Copies
from ._database import Database
from ._kept_states import KeptStates
from ._leases import Leases, take_lease
from ._ledger import Ledger
from ._migrate import bring_up_to_date
from ._moves import Moves
from ._names import VAULT
from ._notes import Notes
from ._owners import is_alone, sign
from ._reading import Reading
from ._removal import Removal
from ._requests import Requests, any_waiting, refuse_waiting
from ._rows import RowHashes
from ._study_record import StudyRecord
from ._witness import Witness


class Store(Reading):
    """All that studies record; opened by `open_store`, closed by `close` or the end of a `with`.

    A method that returns has recorded all of its work; one that raises has recorded nothing. Any
    method may raise `StudyError` (disk failing, store damaged or kept busy) or
    `UsageError` (no permission to write, disk full).

    The methods are those that a run needs, those that only read in `Reading`; each of the groups
    keeps another kind of record, and a method of a group is one transaction as well. A store that
    is opened puts right what a kill left of a study's move to another name.

    Attributes:
        folder: where the artifacts lie: `folder/<study name>/...` and `folder/vault/`.
        ledger: openings of test sets.
        notes: what people wrote down, and tags.
        removal: other names, deletion, and bringing back.
        leases: who runs which study.
        states: of networks, kept for good.
        copies: of studies in other stores.
        row_hashes: which rows studies have used.
        requests: what other processes ask of runs.
    """

    def __init__(self, folder: Path, backend: Backend, *, create: bool = True) -> None:
        super().__init__(folder, Database(backend))
        self._pace = Pace()
        moves = Moves(self._database, folder)
        self.notes = Notes(self._database)
        self.removal = Removal(self._database, moves)
        self.ledger = Ledger(self._database, Witness(folder / VAULT / f"{backend.name}.openings"))
        self.leases = Leases(self._database)
        self.states = KeptStates(self._database, folder)
        self.copies = Copies(self._database, folder, moves)
        self.row_hashes = RowHashes(self._database)
        self.requests = Requests(self._database)
        try:
            bring_up_to_date(self._database, create=create)
        except BaseException:
            self._database.close()
            raise
        sign(folder, backend.name)
        moves.settle()

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def alone(self) -> bool:
        """Return whether no other database has files in this one's folder."""
        return is_alone(self.folder, self._database.backend.name)

    def is_same(self, other: Store) -> bool:
        """Return whether both are one database."""
        return self._database.backend.place == other._database.backend.place

    @property
    def database(self) -> str:
        """A name for files that belong to the database; of one in a file, the file's own."""
        return self._database.backend.name

    def close(self) -> None:
        """Close the database; a second time does nothing."""
        self._database.close()

    def back_up(self, *, at_once: bool = False) -> bool:
        """Copy the database, check the copy, and keep the newest few; return whether it was made.

        A server's database is left to the backups of whoever runs the server.

        Args:
            at_once: make one however long the last one took; otherwise all of them together take
                at most a hundredth of the time, and some are left out.
        """
        if not at_once and not self._pace.due():
            return False
        began = time.perf_counter()
        made = self._database.back_up()
        self._pace.took(time.perf_counter() - began)
        return made is not None

    def create_study(
        self,
        name: str,
        config: Mapping[str, object],
        rows: Mapping[str, np.ndarray] | None = None,
        claim: Claim | None = None,
    ) -> StudyRecord:
        """Record a new study, running, with the rows that it uses.

        Args:
            name: letters, digits, `-`, `_`, `.`; when a study, file or folder beside the store has
                it (upper and lower case count as the same), `name-2`, `name-3`, ... is taken.
            config: what the study was asked to do, plain values.
            rows: part -> hashes, as for `row_hashes.record`.
            claim: of who is to run it, who gets its lease at once; None for nobody.

        Returns:
            The study, with the name that it got.

        Raises:
            UsageError: when the name is not valid.
        """
        with self._database.writing() as connection:
            record = _studies.create_study(connection, self.folder, name, config)
            for part, hashes in (rows or {}).items():
                _rows.replace_rows(connection, record.id, part, hashes)
            if claim is not None:
                take_lease(connection, record.id, record.name, claim)
            return record

    def set_status(self, study_id: int, status: str) -> None:
        """Record that a study is `running`, `finished`, `stopped` or `failed`."""
        with self._database.writing() as connection:
            _studies.set_status(connection, study_id, status)

    def delete_empty(self, study_id: int) -> None:
        """Remove a study that has no trials, with its events; one that has trials stays."""
        with self._database.writing() as connection:
            _studies.delete_empty(connection, study_id)

    def propose(
        self, study_id: int, trials: Sequence[tuple[int, TrialSpec]], *events: Event
    ) -> None:
        """Record new trials, waiting, and the events that proposed and planned them.

        Args:
            study_id: the study.
            trials: (number, spec), numbers not used in this study before.
            events: the proposal, and what belongs to it.

        Raises:
            StudyError: when a number is taken; then none of the trials is recorded.
        """
        with self._database.writing() as connection:
            _trials.insert_trials(connection, study_id, trials)
            _events.append_events(connection, study_id, events)

    def record_chunk(
        self,
        study_id: int,
        population: int,
        chunk: ChunkRecord,
        messages: Mapping[int, str] | None = None,
        seconds: float | None = None,
    ) -> bool:
        """Record one epoch of a population: curves, probes, summaries, statuses and working time.

        A trial's best epoch is that of the lowest `dev_score`, then `dev_cost`; the first one wins
        ties, and an epoch with a NaN in either or an infinite score is never best.

        Args:
            study_id: the study.
            population: number of the population within the study.
            chunk: what it reported; a trial whose metrics are all NaN has not trained the epoch.
            messages: what went wrong with trials in this epoch, by number.
            seconds: working time of all runs so far; None leaves it as it is.

        Returns:
            Whether a request waits for the run.

        Raises:
            UsageError: when the chunk's arrays disagree.
            StudyError: when a trial of the chunk was never proposed.
        """
        with self._database.writing() as connection:
            _chunks.insert_chunk(connection, study_id, population, chunk)
            _trials.set_messages(connection, study_id, messages or {})
            if seconds is not None:
                _studies.set_seconds(connection, study_id, seconds)
            return any_waiting(connection, study_id)

    def record_statuses(
        self,
        study_id: int,
        statuses: Mapping[int, Status],
        messages: Mapping[int, str],
        *events: Event,
    ) -> None:
        """Record what became of trials, by number, and the events that decided it.

        Raises:
            StudyError: when a trial was never proposed.
        """
        with self._database.writing() as connection:
            _trials.set_statuses(connection, study_id, statuses)
            _trials.set_messages(connection, study_id, messages)
            _events.append_events(connection, study_id, events)

    def fork(
        self,
        study_id: int,
        trials: Sequence[tuple[int, TrialSpec]],
        past: Sequence[ChunkRecord],
        events: Sequence[Event],
        seconds: float,
    ) -> None:
        """Record trials that begin as copies of others, with the epochs that they have behind them.

        Args:
            study_id: the study.
            trials: (number, spec), numbers not used in this study before.
            past: their epochs so far, first to last.
            events: one a copy, which names it.
            seconds: working time of all runs so far.

        Raises:
            StudyError: when a number is taken; then nothing is recorded.
        """
        with self._database.writing() as connection:
            _trials.insert_trials(connection, study_id, trials)
            for chunk in past:
                _chunks.insert_chunk(connection, study_id, _chunks.COPIED, chunk)
            _events.append_events(connection, study_id, events)
            _studies.set_seconds(connection, study_id, seconds)

    def append_event(self, study_id: int, event: Event) -> None:
        """Record one act."""
        with self._database.writing() as connection:
            _events.append_events(connection, study_id, [event])

    def save_result(self, study_id: int, plain: Mapping[str, object]) -> None:
        """Keep a study's outcome (plain values), in place of an older one."""
        with self._database.writing() as connection:
            _studies.save_result(connection, study_id, plain)

    def finish(
        self,
        study_id: int,
        plain: Mapping[str, object],
        status: str,
        seconds: float,
        event: Event,
        probes: Sequence[Probe] = (),
    ) -> None:
        """Record how a study ended, all at once; a finished one needs its checkpoint no more.

        Args:
            study_id: the study.
            plain: the outcome, in place of an older one.
            status: `finished` or `stopped`.
            seconds: working time of all runs.
            event: the end.
            probes: of networks that were looked into after training.
        """
        with self._database.writing() as connection:
            _studies.save_result(connection, study_id, plain)
            _studies.set_seconds(connection, study_id, seconds)
            _studies.set_status(connection, study_id, status)
            _events.append_events(connection, study_id, [event])
            _probes.insert_probes(connection, study_id, probes)
            if status == "finished":
                _checkpoints.delete_checkpoint(connection, study_id)
                refuse_waiting(connection, study_id, "the run ended before it could be done")

    def leave(self, study_id: int, status: str, time: float) -> None:
        """Record that a run ended early, `stopped` or `failed`: what was not over is interrupted.

        Args:
            study_id: the study.
            status: of the study.
            time: seconds since 1970, UTC.
        """
        with self._database.writing() as connection:
            if _studies.read_status(connection, study_id) == "finished":
                return  # its end is recorded: only what came after it failed
            numbers = _trials.interrupt_unfinished(connection, study_id)
            if numbers:
                event = Event(time, "interrupt", details={"trials": numbers})
                _events.append_events(connection, study_id, [event])
            _studies.set_status(connection, study_id, status)

    def extend(
        self,
        study_id: int,
        config: Mapping[str, object],
        checkpoint: CheckpointRecord,
        *events: Event,
    ) -> None:
        """Record that a finished study goes on: what it is asked to do now, and where it stands.

        All at once, on the disk on return; the outcome that it had stays until there is a new one.

        Args:
            study_id: the study.
            config: all that it is asked to do, in place of what it was.
            checkpoint: with its trials as they are.
            events: what was asked.
        """
        with self._database.writing(durable=True) as connection:
            _studies.set_config(connection, study_id, config)
            _events.append_events(connection, study_id, events)
            _checkpoints.save_checkpoint(connection, study_id, checkpoint)
            _studies.set_status(connection, study_id, "running")

    def save_checkpoint(self, study_id: int, checkpoint: CheckpointRecord) -> None:
        """Keep where the study stands now, in place of an older checkpoint.

        On return the disk has it, so that files which only the older one needs may be removed.
        """
        with self._database.writing(durable=True) as connection:
            _checkpoints.save_checkpoint(connection, study_id, checkpoint)

    def delete_checkpoint(self, study_id: int) -> None:
        """Forget the study's checkpoint, so that going back means going back to the start."""
        with self._database.writing() as connection:
            _checkpoints.delete_checkpoint(connection, study_id)

    def roll_back(self, study_id: int, kinds: Sequence[str], event: Event) -> Repeated:
        """Put a study's records where they stood at its checkpoint, and the study to running.

        Args:
            study_id: the study; without a checkpoint it goes back to before any training.
            kinds: of events that are forgotten when they came after the checkpoint.
            event: the act; recorded with `repeated_epochs` and `repeated_seconds` added.

        Returns:
            What has to be trained again.
        """
        with self._database.writing() as connection:
            repeated = _checkpoints.roll_back(connection, study_id, kinds)
            cost = {"repeated_epochs": repeated.epochs, "repeated_seconds": repeated.seconds}
            told = replace(event, details={**event.details, **cost})
            _events.append_events(connection, study_id, [told])
            _studies.set_status(connection, study_id, "running")
            return repeated
