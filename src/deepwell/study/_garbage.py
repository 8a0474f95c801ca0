"""What a store holds that nothing needs any more: said, and removed.

Nothing goes that going on with a study, its report, or the vault needs: of a study that is there,
its models, members, file and records stay, and so do checkpoints of one that has not finished.
Sealed test rows stay as long as any study refers to them, deleted ones included, and the ledger
and the hashes of used rows stay for ever.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell.records import Garbage
from deepwell.storage._open import open_store
from deepwell.storage._study_record import REMOVED, StudyRecord

from ._checkpoint import checkpoint_folder
from ._delete import KEPT_DAYS
from ._listing import state_of
from ._recording import VAULT
from ._standing import runner_of

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

_DAY = 86_400.0
_YOUNG = 3_600.0  # seconds; a younger file may belong to a process that is just making it
_SEALED = re.compile(r"[0-9a-f]{64}(-[0-9a-f]{12})?\.parquet")
_HALF_WRITTEN = re.compile(r"\.[0-9a-f]{16}\.tmp")


@dataclass(frozen=True)
class _Waste:
    told: Garbage
    remove: Callable[[], None]


def collect_garbage(
    store: str | Path | None = None, *, dry_run: bool = False, deleted_now: bool = False
) -> tuple[Garbage, ...]:
    """Remove what nothing needs any more, and return what it was.

    These are studies that were deleted more than 30 days ago, checkpoints that a kill left behind
    a finished study, half-written files, copies that were broken off, sealed test rows of no study,
    states of networks to which no study refers, and the room that removed records have left in the
    database: a quarter of its file or more, while nobody runs a study, which would have to wait.

    Args:
        store: folder or URL; None means `./deepwell`.
        dry_run: only say what there is.
        deleted_now: whether deleted studies go at once, however long ago they were deleted.

    Raises:
        UsageError: when there is no such store.
        StudyError: when the store fails.
    """
    before = time.time() - (0.0 if deleted_now else KEPT_DAYS * _DAY)
    with open_store(store, create=False) as opened:
        found = list(_wastes(opened, before))
        if not dry_run:
            for waste in found:
                waste.remove()
        states = opened.states.collect(dry_run=dry_run) if opened.alone() else 0
        free = 0 if _at_work(opened) else opened.removal.free_bytes()
        if free and not dry_run:
            opened.removal.compact()
    inside = {"states of networks to which no study refers": states}
    inside |= {"room inside the database": free}
    rest = (Garbage(what, size, "") for what, size in inside.items() if size)
    return (*(waste.told for waste in found), *rest)


def _at_work(opened: Store) -> bool:
    """Return whether somebody runs a study of the store."""
    return any(runner_of(opened, record) is not None for record in opened.studies(deleted=True))


def _wastes(opened: Store, before: float) -> Iterator[_Waste]:
    studies = [record for record in opened.studies(deleted=True) if record.status != REMOVED]
    old = [r for r in studies if r.deleted is not None and r.deleted <= before]
    gone = [r for r in old if runner_of(opened, r) is None]
    kept = [record for record in studies if record not in gone]
    for record in gone:
        yield _study(opened, record)
    for record in kept:
        folder = checkpoint_folder(opened, record)
        if state_of(opened, record) == "finished" and folder.is_dir() and any(folder.iterdir()):
            yield _files(opened, folder, f"checkpoint of study {record.name}, which is finished")
    if opened.alone():  # else they may be those of another database in the folder
        yield from _sealed_of_none(opened, kept)
    yield from _half_written(opened, kept)
    for draft, size in opened.copies.broken_off():
        told = Garbage("a copy of a study that was broken off", size, "")
        yield _Waste(told, lambda draft=draft: opened.copies.remove(draft))


def _study(opened: Store, record: StudyRecord) -> _Waste:
    folder = opened.folder / record.name
    when = time.strftime("%Y-%m-%d", time.gmtime(record.deleted))
    states = opened.states.of(record.id)
    size = _size(folder) + sum(state.bytes for state in states)

    def remove() -> None:
        # The record goes first: a kill then leaves a half-written file, never a study without
        # its files.
        left = opened.removal.purge(record.id)
        opened.states.drop(record.id, states)
        shutil.rmtree(opened.folder / left, ignore_errors=True)

    told = Garbage(f"study {record.name}, deleted {when}", size, record.name)
    return _Waste(told, remove)


def _sealed_of_none(opened: Store, kept: list[StudyRecord]) -> Iterator[_Waste]:
    """Yield sealed test rows that no study refers to which stays."""
    names = {_sealed_name(record) for record in kept}
    with contextlib.suppress(OSError):
        for file in sorted((opened.folder / VAULT).iterdir()):
            if _SEALED.fullmatch(file.name) and file.name not in names and _old(file):
                yield _Waste(
                    Garbage("sealed test rows of no study", _size(file), f"{VAULT}/{file.name}"),
                    lambda file=file: _remove_sealed(opened, file),
                )


def _remove_sealed(opened: Store, file: Path) -> None:
    """Remove sealed rows unless a study has come to refer to them meanwhile."""
    names = {_sealed_name(record) for record in opened.studies(deleted=True)}
    if file.name not in names and _old(file):
        file.unlink(missing_ok=True)


def _sealed_name(record: StudyRecord) -> str:
    kept: Any = record.config.get("vault")
    return "" if kept is None else str(kept["path"])


def _half_written(opened: Store, kept: list[StudyRecord]) -> Iterator[_Waste]:
    """Yield what killed processes left of files that they were writing."""
    own = [opened.folder, opened.folder / VAULT, *(opened.folder / r.name for r in kept)]
    for folder in own:
        with contextlib.suppress(OSError):
            for file in sorted(folder.iterdir()):
                if _HALF_WRITTEN.fullmatch(file.name) and _old(file):
                    yield _files(opened, file, "a file that a killed process was writing")


def _files(opened: Store, path: Path, what: str) -> _Waste:
    def remove() -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    return _Waste(Garbage(what, _size(path), str(path.relative_to(opened.folder))), remove)


def _old(file: Path) -> bool:
    try:
        return time.time() - file.lstat().st_mtime > _YOUNG
    except OSError:  # renamed or removed meanwhile
        return False


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files below a folder."""
    total = 0
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            return sum(_size(one) for one in path.iterdir())
        total = path.lstat().st_size
    return total
