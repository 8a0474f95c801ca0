"""A study's place in the store, made when it starts and cleaned up when nothing came of it."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import DeepwellError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._data import Data
from deepwell.data._vault import SealedTest
from deepwell.records import to_plain
from deepwell.storage._files import write_atomic
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._arrays import score_scale
from ._history import History
from ._settings import Settings

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

VAULT = "vault"


@contextmanager
def recorded(
    data: Data, settings: Settings, name: str, store: str | Path | None
) -> Generator[History]:
    """Create the study, and mark it as failed, or remove it, when the block does not end well.

    The sealed test rows move into the store's own vault. A study in which nothing was proposed
    leaves no trace.
    """
    with open_store(store) as opened:
        sealed, copied = _adopt(data.vault, opened.folder / VAULT)
        record: StudyRecord | None = None
        try:
            record = opened.create_study(name, _config(data, settings, sealed))
            for part, hashes in data.row_hashes.items():
                opened.record_rows(record.id, part, hashes)
            yield History(opened, record)
        except BaseException:
            with contextlib.suppress(DeepwellError):  # a full disk refuses this too
                _clean_up(opened, record, sealed if copied else None)
            raise


def _clean_up(opened: Store, record: StudyRecord | None, sealed: SealedTest | None) -> None:
    """Mark a study as failed, or remove what it made when no network was proposed."""
    if record is not None and opened.trials(record.id):
        opened.set_status(record.id, "failed")
        return
    # The file goes first, since a full disk may need the room for what follows.
    if sealed is not None and not _used_by_another(opened, record, sealed):
        Path(sealed.path).unlink(missing_ok=True)
    if record is not None:
        shutil.rmtree(opened.folder / record.name, ignore_errors=True)
        opened.delete_empty(record.id)


def _used_by_another(opened: Store, record: StudyRecord | None, sealed: SealedTest) -> bool:
    """Return whether a study beside this one refers to the same sealed file."""
    own = None if record is None else record.id
    others = [study.config.get("vault") for study in opened.studies() if study.id != own]
    file = Path(sealed.path).name
    return any(isinstance(kept, Mapping) and file in kept.values() for kept in others)


def _adopt(sealed: SealedTest | None, vault: Path) -> tuple[SealedTest | None, bool]:
    """Return the sealed test set inside this vault, and whether its file had to be copied."""
    if sealed is None:
        return None, False
    source, target = Path(sealed.path), vault / Path(sealed.path).name
    missing = source.resolve() != target.resolve() and not target.exists()
    if missing:
        try:
            content = source.read_bytes()
            vault.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(
                f"the sealed test rows at {safe_text(source)} cannot be kept "
                f"({error.strerror}); load the data again"
            ) from None
        write_atomic(target, content)
        target.chmod(0o600)
    return replace(sealed, path=str(target)), missing


def _config(data: Data, settings: Settings, sealed: SealedTest | None) -> dict[str, object]:
    """Return what the study was asked to do, as plain values."""
    kept = None if sealed is None else {**vars(sealed), "path": Path(sealed.path).name}
    return {
        "space": settings.space.describe(),
        "search": settings.search,
        "scheduler": settings.scheduler,
        "seed": settings.seed,
        "metric": settings.metric,
        "score_scale": score_scale(data, settings.metric),
        "best_possible": settings.best_possible,
        "data": to_plain(data.facts),
        "fingerprint": data.fingerprint,
        "vault": kept,
    }
