"""What a study that has run left in its store, read back."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import store_flag
from deepwell.data._vault import SealedTest
from deepwell.records import Event, Opening, Probe, StudyResult, Trial, from_plain
from deepwell.report._figures import count
from deepwell.search.spaces._distribution import plain
from deepwell.storage._names import VAULT
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._asked import from_config
from ._history import History
from ._in_store import in_store
from ._model import Model, load_model
from ._on_the_way import OnTheWay, on_the_way
from ._open_test import sealed_test
from ._probe_frame import probe_frame
from ._settings import Settings
from ._standing import as_they_stand, runner_of
from ._trial_frame import in_unit, trial_frame
from ._which import BEST

if TYPE_CHECKING:
    from deepwell.storage._kept_state import KeptState
    from deepwell.storage._store import Store  # loads SQLAlchemy


class KeptStudy:
    """What was recorded of a study; every call reads what is there now.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study, or it has no result.
    """

    def __init__(self, name: str, store: str | Path | None = None) -> None:
        self._where = store
        with self._open() as opened:
            self._record = opened.study(name)
            self._folder = opened.folder
            plain = opened.result(self._record.id)
            if plain is None:
                raise UsageError(_no_result(opened, self._record, store))
        self._plain = plain

    @property
    def result(self) -> StudyResult:
        """The outcome, with every opening of the test set so far and whether the ledger holds.

        Its findings' commands name the store.
        """
        sealed, folder = self._sealed(), self._folder / self._record.name
        with self._open() as opened:
            openings = () if sealed is None else opened.ledger.openings(sealed.fingerprint)
            problem = opened.ledger.problem()
        report = folder / "report.txt"
        kept = from_plain(StudyResult, self._plain)
        return replace(
            kept,
            findings=tuple(in_store(kept.findings, self._where)),
            model=shown(folder / "model"),
            report=shown(report) if report.exists() else "",
            openings=tuple(openings),
            ledger=problem,
        )

    @property
    def name(self) -> str:
        """The study's name in its store."""
        return self._record.name

    @property
    def settings(self) -> Settings:
        """What the study was asked to do.

        Raises:
            UsageError: when an older Deepwell kept less than is needed.
        """
        return from_config(self._record).settings

    def model(self, which: str = BEST) -> Model:
        """Return the best network with its preprocessing, or another model that was made of it.

        Args:
            which: `best`, `refit` (see `refit`) or `ensemble` (see `ensemble`).

        Raises:
            UsageError: when there is no such model.
        """
        return load_model(self._folder / self._record.name, self._where, which)

    def kept_states(self) -> list[KeptState]:
        """Return the states of networks that are kept, by trial, epoch and kind.

        By default the last state of the best network; `Study(checkpoints=...)` keeps more.
        """
        with self._open() as opened:
            return opened.states.of(self._record.id)

    def trials(self, *, curves: bool = False) -> list[Trial]:
        """Return all trials in the order of their numbers, with or without their curves.

        Dev scores are in the metric's own unit, as the result's are; costs stay those of the
        standardized target.
        """
        with self._open() as opened:
            study = self._record.id
            kept = as_they_stand(opened, self._record, lambda: opened.trials(study, curves=curves))
        scale = self._record.config["score_scale"]
        assert isinstance(scale, int | float)
        return [in_unit(trial, scale) for trial in kept]

    def on_the_way(self) -> OnTheWay:
        """Return what people and schedulers did to networks on their way."""
        with self._open() as opened:
            return on_the_way(History(opened, self._record))

    def frame(self) -> Any:
        """Return a Polars frame, one row a trial, best first.

        Columns: `number, status, epochs, best_epoch, score` (in the metric's unit), `cost` (of
        the standardized target) and every hyperparameter.
        """
        return trial_frame(self.trials())

    def probes(self, trial: int | None = None) -> Any:
        """Return a Polars frame of what was measured inside networks, one row a probe and layer.

        Columns: `trial, epoch, step, layer`; `activation_0`, `_5`, `_25`, `_50`, `_75`, `_95` and
        `_100`, the quantiles in per cent, and so `gradient_0` and `weight_0`; `dead`, `saturated`,
        `zero`, `weight_norm`, `gradient_norm`, `update_norm`. What cannot apply is NaN.

        Args:
            trial: the number of one; None for all that were looked into.

        Raises:
            UsageError: when there is no such trial.
        """
        return probe_frame(self.probe_records(trial))

    def probe_records(self, trial: int | None = None) -> list[Probe]:
        """Return the same as records, by trial and epoch.

        Raises:
            UsageError: when there is no such trial.
        """
        with self._open() as opened:
            known = [trial.number for trial in opened.trials(self._record.id)]
            number = plain(trial)
            if number is None:
                return opened.probes(self._record.id, None)
            if not (isinstance(number, int) and number in known):
                raise UsageError(
                    f"study {self._record.name} has the trials 0 to {max(known)}, "
                    f"got {safe_text(repr(number))}"
                )
            return opened.probes(self._record.id, [number])

    def openings(self) -> tuple[Opening, ...]:
        """Return the ledger of this study's test set, first opening first."""
        sealed = self._sealed()
        if sealed is None:
            return ()
        with self._open() as opened:
            return tuple(opened.ledger.openings(sealed.fingerprint))

    def notes(self, kind: str) -> list[Mapping[str, Any]]:
        """Return what was noted about the study under a name, oldest first."""
        with self._open() as opened:
            return [event.details for event in opened.events(self._record.id, kind)]

    def note(self, kind: str, details: Mapping[str, object]) -> None:
        """Keep something about the study in its store."""
        with self._open() as opened:
            opened.append_event(self._record.id, Event(time.time(), kind, details=details))

    def _open(self) -> Store:
        return open_store(self._where, create=False)

    def _sealed(self) -> SealedTest | None:
        return sealed_test(self._record, self._folder / VAULT)


def _no_result(opened: Store, record: StudyRecord, store: str | Path | None) -> str:
    """Return why a study has no result yet, and what to do."""
    holder, where = runner_of(opened, record), store_flag(store)
    if holder is not None:
        return f"study {record.name} is being run by {holder}; it has no result yet"
    cut = len(opened.unfinished(record.id))
    left = f" ({count(cut, 'network')} interrupted)" if cut else ""
    return (
        f"study {record.name} was not finished and has no result{left}; go on with it by "
        f"deepwell resume {record.name}{where}"
    )


def shown(path: Path) -> str:
    """Return a path as a person would type it: relative where that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)
