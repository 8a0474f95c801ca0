"""Studies deleted, and brought back."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from deepwell.storage._open import open_store

from ._standing import held

KEPT_DAYS = 30
"""How long a deleted study can be brought back; afterwards `gc` removes it for good."""


def delete_study(*names: str, store: str | Path | None = None) -> None:
    """Hide studies: no command sees them, and nothing is removed for 30 days.

    Args:
        names: of the studies; either all are deleted, or none.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study.
        StudyError: when one of them is being run.
    """
    with open_store(store, create=False) as opened, contextlib.ExitStack() as last:
        wanted = {opened.study(name).name for name in names}
        records = [last.enter_context(held(opened, name)) for name in sorted(wanted)]
        opened.removal.delete([record.id for record in records])


def restore_study(*names: str, store: str | Path | None = None) -> None:
    """Bring deleted studies back, as they were.

    Args:
        names: of the studies; either all come back, or none.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when no study of that name was deleted, or it was removed for good.
    """
    with open_store(store, create=False) as opened:
        found: Sequence[int] = [
            opened.removal.find_deleted(name).id for name in dict.fromkeys(names)
        ]
        opened.removal.undelete(found)
