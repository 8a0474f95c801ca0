"""A study of Optuna's, found in one of its storages."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._optuna import load_optuna

if TYPE_CHECKING:
    import optuna

_SQLITE, _MAGIC = "sqlite:///", b"SQLite format 3\x00"


def optuna_study(study: optuna.Study | str | None, storage: Any = None) -> optuna.Study:
    """Return a study of Optuna's that has one score a trial.

    Args:
        study: of Optuna's, or its name in `storage`; None for the only one that is there.
        storage: URL such as `sqlite:///FILE`, the path of an SQLite file or of a journal, or an
            Optuna storage; needed with a name.

    Raises:
        UsageError: when Optuna is not installed, the storage cannot be read or has no such study,
            or the study has several objectives.
    """
    optuna = load_optuna("a study of Optuna's")
    read = study
    if read is None or isinstance(read, str):
        try:
            there = _opened(optuna, storage)
            name = _only_one(optuna, there) if read is None else read
            read = optuna.load_study(study_name=name, storage=there)
        except Exception as error:  # SQLAlchemy's and drivers' own, whichever they are
            named = "study" if study is None else f"study {safe_text(study)}"
            raise UsageError(f"cannot read Optuna's {named}: {safe_text(error, 200)}") from None
    if len(read.directions) > 1:
        raise UsageError("a history has one score a trial, and this study of Optuna's has several")
    return read


def _opened(optuna: Any, storage: Any) -> Any:
    """Return a storage by its URL or its file, which must be there: Optuna would make an empty one.

    Raises:
        UsageError: when there is no such file.
    """
    if not isinstance(storage, str | Path):
        return storage
    text = str(storage)
    path = text.removeprefix(_SQLITE).partition("?")[0]
    if "://" in path or path in ("", ":memory:"):  # a server's, which may be there
        return text
    file = Path(path)
    if not file.is_file():
        raise UsageError(f"there is no file {safe_text(path, 200)}")
    if "://" in text:
        return text
    with file.open("rb") as opened:
        if opened.read(len(_MAGIC)) == _MAGIC:
            return f"{_SQLITE}{text}"
    backend = optuna.storages.journal.JournalFileBackend(text)
    return optuna.storages.JournalStorage(backend)


def _only_one(optuna: Any, storage: Any) -> str:
    names: list[str] = optuna.get_all_study_names(storage)
    if len(names) != 1:
        told = ", ".join(safe_text(name) for name in names[:8]) or "none"
        raise UsageError(f"the storage must have one study, or be given its name; it has {told}")
    return names[0]
