"""Another name for a study: its record, its folder, and the commands in its findings."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._safe_text import safe_text
from deepwell._base._shell import shell_word
from deepwell.storage._files import write_error
from deepwell.storage._names import valid_name
from deepwell.storage._open import open_store
from deepwell.storage._study_record import StudyRecord

from ._finished import open_study
from ._standing import runner_of

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy


def rename_study(name: str, to: str, *, store: str | Path | None = None) -> str:
    """Give a study another name, and its folder; return the name that it has then.

    The ledger keeps the name under which a test set was opened, and shows the new one.

    Args:
        name: of the study.
        to: letters, digits, `-`, `_`, `.`; no study, file or folder of the store may have it.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study, or the name is not valid or taken.
        StudyError: when the study is being run.
    """
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        wanted = valid_name(to)
        if wanted == record.name:
            raise UsageError(f"study {safe_text(name)} has that name already; give another one")
        require_idle(opened, record)
        here, there = opened.folder / record.name, opened.folder / wanted
        _require_free(here, there)
        result = opened.result(record.id)
        told = None if result is None else renamed_result(result, record.name, wanted)
        opened.removal.rename(record.id, wanted, told, lambda: _move(here, there))
    if told is not None:
        open_study(wanted, store).write_report()
    return wanted


def require_idle(opened: Store, record: StudyRecord) -> None:
    """Refuse to touch a study that a process is running.

    Raises:
        StudyError: when one is.
    """
    holder = runner_of(opened, record)
    if holder is not None:
        raise StudyError(
            f"study {safe_text(record.name)} is being run by {holder}; wait for it, or stop it "
            "first"
        )


def _require_free(here: Path, there: Path) -> None:
    # Names that differ in case alone are one folder on many disks.
    taken = os.path.lexists(there) and not (here.exists() and here.samefile(there))
    # A kill may have come after the folder's move and before the record of it.
    if taken and os.path.lexists(here):
        raise UsageError(
            f'the name "{there.name}" is taken by a file or folder of the store; choose another'
        )


def _move(here: Path, there: Path) -> None:
    if not os.path.lexists(here):
        return
    try:
        here.rename(there)
    except OSError as error:
        raise write_error(error, there) from error


def renamed_result(result: Mapping[str, Any], old: str, new: str) -> dict[str, Any]:
    """Return an outcome with the new name, in the commands that its findings tell as well."""
    named = re.compile(rf"(\bdeepwell [a-z]+ ){re.escape(shell_word(old))}(?=\s|$)")
    word = shell_word(new)
    findings = [
        {**found, "command": named.sub(lambda m: m[1] + word, found["command"])}
        for found in result["findings"]
    ]
    return {**result, "name": new, "findings": findings}
