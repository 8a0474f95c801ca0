"""The test score in a model's own description, with all that takes from its worth.

Before the ledger records an opening, a note of it is left beside the description; it goes when the
description has the score. Where it is still there when the model is read, a kill or a full disk
came in between, and the ledger decides: an opening that it has is written into the description.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import DeepwellError
from deepwell.records import Opening
from deepwell.storage._files import write_atomic
from deepwell.storage._open import open_store

from ._model import DESCRIPTION, OPENING

if TYPE_CHECKING:
    from deepwell.storage._store import Store  # loads SQLAlchemy

TEST = "test"
"""Where it stands in `Model.about`."""

_YOUNG = 3_600.0  # seconds; a younger note may be of an opening that is just being recorded


def announce(folder: Path, opened: Store, fingerprint: str, weights: str) -> None:
    """Leave the note that a model is about to be scored on a test set.

    Args:
        folder: of the model.
        opened: its study's store.
        fingerprint: of the test set.
        weights: the sha256 of the model's.

    Raises:
        UsageError: when the folder cannot be written.
    """
    known = len(opened.ledger.openings(fingerprint, weights))
    told = {"database": opened.database, "fingerprint": fingerprint, "model": weights}
    write_atomic(folder / OPENING, json.dumps({**told, "known": known}).encode())


def mark_model(folder: Path, opening: Opening) -> None:
    """Write an opening into the description of the model that was scored.

    Args:
        folder: of the model.
        opening: as the ledger has it.

    Raises:
        UsageError: when the folder cannot be written.
    """
    file = folder / DESCRIPTION
    described: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    described["about"][TEST] = {
        "metric": opening.metric,
        **{name: _finite(value) for name, value in opening.test.to_plain().items()},
        "opened": opening.time,
        "number": opening.number,
        "unbiased": opening.unbiased,
        "notes": list(opening.notes),
    }
    write_atomic(file, json.dumps(described, indent=1, allow_nan=False).encode())
    with contextlib.suppress(OSError):
        (folder / OPENING).unlink(missing_ok=True)


def make_up(folder: Path, store: str | Path | None = None) -> None:
    """Write the opening into a model's description that its note says may be missing there.

    What cannot be done, as where nobody may write, is left to the next reading.

    Args:
        folder: of the model.
        store: of its study, where that is not the file that the note names in the store's folder.
    """
    note = folder / OPENING
    with contextlib.suppress(DeepwellError, OSError, ValueError, KeyError, TypeError):
        told: dict[str, Any] = json.loads(note.read_bytes())
        with _store_of(folder, str(told["database"]), store) as opened:
            openings = opened.ledger.openings(str(told["fingerprint"]), str(told["model"]))
            own = opened.database == told["database"]
        new = openings[int(told["known"]) :]
        described = json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
        if new and described["weights_sha256"] == told["model"]:
            mark_model(folder, new[-1])
        elif own and time.time() - note.stat().st_mtime > _YOUNG:
            note.unlink(missing_ok=True)


def _store_of(folder: Path, database: str, store: str | Path | None) -> Store:
    file = folder.absolute().parent.parent / database
    if file.name == database and file.is_file():
        return open_store(f"sqlite:///{file}", create=False)
    return open_store(store, create=False)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
