"""A study's place in the store, made when it starts and cleaned up when nothing came of it."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import DeepwellError
from deepwell.data._data import Data
from deepwell.data._vault import SealedTest
from deepwell.storage._claim import LeaseLostError, new_claim
from deepwell.storage._files import write_atomic, write_error
from deepwell.storage._lease import leased
from deepwell.storage._mark import marked
from deepwell.storage._names import VAULT
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._asked import Asked, to_config
from ._checkpoint import checkpoint_folder, discard
from ._history import History
from ._keep_sealed import keep_sealed
from ._study_file import as_file
from ._study_file_text import NAME as STUDY_FILE
from ._study_file_text import toml_text

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


@contextmanager
def recorded(data: Data, asked: Asked, name: str, store: str | Path | None) -> Generator[History]:
    """Create the study and hold its lease; clean up when the block does not end well.

    The sealed test rows move into the store's own vault. A study in which nothing was proposed
    leaves no trace; any other one can be resumed.
    """
    with open_store(store) as opened, contextlib.ExitStack() as last:
        sealed, copied = _adopted(data, opened)
        claim, made = new_claim(), sealed if copied else None
        last.enter_context(marked(opened.folder, claim))
        try:
            config = to_config(asked, data, sealed)
            record = opened.create_study(name, config, data.row_hashes, claim)
        except BaseException:
            with contextlib.suppress(DeepwellError):  # a full disk refuses this too
                _remove_empty(opened, None, made)
            raise
        with leased(opened, record, claim):
            try:
                if sealed is not None and not Path(sealed.path).exists():
                    _adopted(data, opened)  # another study's end has taken it away
                leave_file(opened, record, asked, data)
                yield from _kept_well(opened, record)
            except BaseException:
                with contextlib.suppress(DeepwellError):
                    opened.leases.renew()  # nothing is removed of what another one runs now
                    _remove_empty(opened, record, made)
                raise


def leave_file(opened: Store, record: StudyRecord, asked: Asked, data: Data) -> None:
    """Leave what was asked for in the study's folder, as a file that can be run again.

    One that is there stays; a kill may have come before it was written.
    """
    file = opened.folder / record.name / STUDY_FILE
    if file.exists():
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise write_error(error, file.parent) from error
    text = toml_text(as_file(asked, data.origin, record.name))
    write_atomic(file, text.encode())


@contextmanager
def continued(opened: Store, record: StudyRecord) -> Generator[History]:
    """Give the history of a study that goes on; its lease is held by the caller."""
    yield from _kept_well(opened, record)


def _kept_well(opened: Store, record: StudyRecord) -> Generator[History]:
    """Yield the history; when its user fails or is stopped, record that the study ended early."""
    began = time.time()
    try:
        yield History(opened, record)
    except BaseException as error:
        by_person = isinstance(error, KeyboardInterrupt)
        try:
            opened.leave(record.id, "stopped" if by_person else "failed", time.time())
        except LeaseLostError as lost:
            if not by_person:  # whatever failed, as files that the new holder removed: this is why
                raise lost from error
        except DeepwellError:
            """What cannot be written now, `resume` puts right."""
        raise
    if opened.study(record.name).status == "finished":
        discard(checkpoint_folder(opened, record))
        _remove_drafts(opened.folder / record.name, began)


def _remove_drafts(folder: Path, before: float) -> None:
    """Remove what earlier runs of a study, killed while they wrote a file, left half-written."""
    with contextlib.suppress(OSError):
        for file in folder.rglob(".*.tmp"):
            if file.stat().st_mtime < before:
                file.unlink(missing_ok=True)


def _remove_empty(opened: Store, record: StudyRecord | None, sealed: SealedTest | None) -> None:
    """Remove what a study made in which no network was proposed."""
    if record is not None and opened.trials(record.id):
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
    all_studies = opened.studies(deleted=True)  # those may be brought back
    others = [study.config.get("vault") for study in all_studies if study.id != own]
    file = Path(sealed.path).name
    return any(isinstance(kept, Mapping) and file in kept.values() for kept in others)


def _adopted(data: Data, opened: Store) -> tuple[SealedTest | None, bool]:
    """Return the sealed test rows inside the store's vault, and whether their file was made."""
    return keep_sealed(data.vault, opened.folder / VAULT) if data.vault else (None, False)
