"""A study copied to another store, with its files, its sealed rows, and what was seen of them."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._atomic_file import sync_folder
from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._vault import SealedTest
from deepwell.records import Event, from_plain, to_plain
from deepwell.storage._backup import sync_file
from deepwell.storage._copies import Copied
from deepwell.storage._files import write_error
from deepwell.storage._names import renamed_result
from deepwell.storage._open import open_store
from deepwell.storage._signs import FILE as SIGN
from deepwell.storage._study_record import StudyRecord
from deepwell.storage._witness import Witnessed

from ._finished import open_study
from ._keep_sealed import keep_sealed
from ._open_test import COPY
from ._recording import VAULT
from ._standing import require_idle
from ._study_file_name import follow_name

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def copy_study(name: str, to: str | Path, *, store: str | Path | None = None) -> str:
    """Copy a study to another store, and return the name that it has there.

    All its records go, its folder, and its sealed test rows. Every opening of its test set, by
    whatever study, is entered in the other store's ledger, so that a test set that was opened here
    is not unseen there; and which of its test rows other studies of this store have seen is kept
    with the copy.

    Args:
        name: of the study.
        to: the other store, a folder or URL; made when it is not there.
        store: where the study is; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study, its sealed rows are gone or changed, or both
            stores are one.
        StudyError: when the study is being run, the ledger was tampered with, or a state that is
            kept of it is damaged.
    """
    with open_store(store, create=False) as here:
        record = here.study(name)
        require_idle(here, record)
        here.ledger.verify()
        with open_store(to) as there:
            if here.is_same(there):
                raise UsageError(
                    f"study {safe_text(name)} is in that store; name another one with --to"
                )
            there.ledger.verify()
            made = _copy(here, there, record)
        finished = here.result(record.id) is not None
    if finished and made.name != record.name:
        open_study(made.name, to).write_report()
    return made.name


def _copy(here: Store, there: Store, record: StudyRecord) -> StudyRecord:
    before = _standing(here, record)
    config: dict[str, Any] = dict(record.config)
    vault: Any = config.get("vault")
    test_set = "" if vault is None else str(vault["fingerprint"])
    openings = here.ledger.entries(test_set)
    lost = _lost(here, there, test_set)
    if vault is not None:
        config["vault"] = {**vault, "path": _copy_sealed(here, there, vault)}
    seen = here.row_hashes.reuse_of(record.id, here.row_hashes.read(record.id, "test"))
    told = {"study": record.name, "seen": [to_plain(reuse) for reuse in seen]}
    _copy_states(here, there, record)
    with _staged(here, there, record) as staged:

        def last(name: str) -> None:
            if _standing(here, record) != before:
                raise StudyError(
                    f"study {safe_text(record.name)} was changed while it was copied; copy it again"
                )
            if name != record.name:
                follow_name(staged, record.name, name)
            there.ledger.remember_lost(lost)

        made = here.copies.copy_to(
            there.copies,
            record.id,
            Copied(
                config,
                lambda result, name: renamed_result(result, record.name, name),
                openings,
                [Event(time.time(), COPY, details=told)],
                staged.name,
                last,
            ),
        )
    there.ledger.remember(test_set)
    for state in there.states.of(made.id):  # the last row of an equal one took its file along
        if not there.states.file(state.hash).exists():
            arrays = here.states.read(state)
            there.states.write(state.trial, state.epoch, state.kind, arrays)
    return made


def _standing(opened: Store, record: StudyRecord) -> object:
    """Return what is another thing after any run of a study, and refuse one that is being run."""
    require_idle(opened, record)
    return opened.study(record.name), opened.checkpoint(record.id), opened.events(record.id)


def _lost(here: Store, there: Store, test_set: str) -> list[Witnessed]:
    """Return the openings of a test set that this store has lost, and the other one not."""
    known = {entry["time"] for entry in there.ledger.entries(test_set)}
    of_set = (lost for lost in here.ledger.missing() if lost.fingerprint == test_set)
    return [lost for lost in of_set if lost.time not in known]


@contextmanager
def _staged(here: Store, there: Store, record: StudyRecord) -> Generator[Path, None, None]:
    """Copy a study's folder beside those of the other store, for the block to take over.

    On the disk before the block begins, and gone after it where it was not taken over.
    """
    source, staged = here.folder / record.name, there.folder / f".{secrets.token_hex(8)}.tmp"
    try:
        if source.is_dir():
            shutil.copytree(
                source,
                staged,
                ignore=shutil.ignore_patterns("lock", "*.tmp", SIGN),
                copy_function=_copy_file,
            )
            for folder, _, _ in os.walk(staged):
                sync_folder(Path(folder))
            os.utime(staged)  # else it is as old as its source, and taken for what a kill left
        yield staged
    except shutil.Error as error:
        first = error.args[0][0][2] if error.args and error.args[0] else error
        raise StudyError(
            f"study {safe_text(record.name)} could not be copied: {safe_text(first, 200)}"
        ) from error
    except OSError as error:
        raise write_error(error, staged) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def _copy_file(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    sync_file(Path(target))
    with contextlib.suppress(OSError):  # of a disk that knows no such times and rights
        shutil.copystat(source, target)


def _copy_sealed(here: Store, there: Store, vault: Mapping[str, Any]) -> str:
    """Copy the sealed rows beside the other store, and return the file's name there."""
    source = here.folder / VAULT / str(vault["path"])
    sealed = replace(from_plain(SealedTest, vault), path=str(source))
    return Path(keep_sealed(sealed, there.folder / VAULT)[0].path).name


def _copy_states(here: Store, there: Store, record: StudyRecord) -> None:
    """Copy the states of networks that are kept; a damaged one is an error."""
    for state in here.states.of(record.id):
        arrays = here.states.read(state)
        there.states.write(state.trial, state.epoch, state.kind, arrays)
