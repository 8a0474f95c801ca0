"""A study copied to another store, with its files, its sealed rows, and what was seen of them."""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell.data._vault import SealedTest
from deepwell.records import Event, from_plain, to_plain
from deepwell.storage._copies import Copied
from deepwell.storage._files import write_error
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._finished import open_study
from ._keep_sealed import keep_sealed
from ._open_test import COPY
from ._recording import VAULT
from ._rename import renamed_result, require_idle

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
    config: dict[str, Any] = dict(record.config)
    vault: Any = config.get("vault")
    openings: list[dict[str, Any]] = []
    if vault is not None:
        openings = here.ledger.entries(str(vault["fingerprint"]))
        config["vault"] = {**vault, "path": _copy_sealed(here, there, vault)}
    source, staged = here.folder / record.name, there.folder / f".{secrets.token_hex(8)}.tmp"
    seen = here.row_hashes.reuse_of(record.id, here.row_hashes.read(record.id, "test"))
    _copy_states(here, there, record)
    try:
        if source.is_dir():
            shutil.copytree(source, staged, ignore=shutil.ignore_patterns("lock", "*.tmp"))
            os.utime(staged)  # else it is as old as its source, and taken for what a kill left
        made = here.copies.copy_to(
            there.copies,
            record.id,
            Copied(
                config,
                lambda result, name: renamed_result(result, record.name, name),
                openings,
                lambda name: _settle(staged, there.folder / name, source.is_dir()),
            ),
        )
    except shutil.Error as error:
        first = error.args[0][0][2] if error.args and error.args[0] else error
        raise StudyError(
            f"study {safe_text(record.name)} could not be copied: {safe_text(first, 200)}"
        ) from error
    except OSError as error:
        raise write_error(error, staged) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    if vault is not None:
        there.ledger.remember(str(vault["fingerprint"]))
    details = {"study": record.name, "seen": [to_plain(reuse) for reuse in seen]}
    there.append_event(made.id, Event(time.time(), COPY, details=details))
    return made


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


def _settle(staged: Path, folder: Path, wanted: bool) -> None:
    if wanted:
        staged.rename(folder)
