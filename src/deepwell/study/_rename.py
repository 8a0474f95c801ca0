"""Another name for a study: its record and folder, its file, the commands in its findings."""

from __future__ import annotations

import os
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.storage._names import renamed_result, valid_name
from deepwell.storage._open import open_store

from ._finished import open_study
from ._standing import held
from ._study_file_name import follow_name


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
        wanted = valid_name(to)
        if wanted == opened.study(name).name:
            raise UsageError(f"study {safe_text(name)} has that name already; give another one")
        with held(opened, name) as record:
            _require_free(opened.folder / record.name, opened.folder / wanted)
            result = opened.result(record.id)
            told = None if result is None else renamed_result(result, record.name, wanted)
            opened.removal.rename(record, wanted, told)
        follow_name(opened.folder / wanted, record.name, wanted)
    if told is not None:
        open_study(wanted, store).write_report()
    return wanted


def _require_free(here: Path, there: Path) -> None:
    # Names that differ in case alone are one folder on many disks.
    if os.path.lexists(there) and not (here.exists() and here.samefile(there)):
        raise UsageError(
            f'the name "{there.name}" is taken by a file or folder of the store; choose another'
        )
