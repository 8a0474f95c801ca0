"""What the vault remembers of openings, outside of the database: one line each, only ever added.

A store that is put back from an older copy, or whose ledger was cut back and made to fit, agrees
with itself. The vault's own record does not: it still names the openings that are gone.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deepwell._base._safe_text import safe_text

_MODE = 0o600


@dataclass(frozen=True)
class Witnessed:
    """An opening as the vault remembers it.

    Attributes:
        link: its place in the ledger, from 1.
        hash: of its entry there.
        fingerprint: of the test set's rows.
        study: that opened it.
        time: seconds since 1970, UTC.
    """

    link: int
    hash: str
    fingerprint: str
    study: str
    time: float


class Witness:
    """The vault's record of the openings of one store.

    Args:
        file: where it lies.
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, entry: Witnessed) -> None:
        """Remember an opening that the ledger has; where the disk refuses, it is not remembered."""
        # A line of its own even after one that a full disk cut.
        line = b"\n" + json.dumps(vars(entry), sort_keys=True).encode() + b"\n"
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
            descriptor = os.open(self._file, flags, _MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(line)
                file.flush()
                os.fsync(file.fileno())

    def add_new(self, entries: Sequence[Witnessed]) -> None:
        """Remember those of these openings that are not remembered yet."""
        known = {(entry.link, entry.hash) for entry in self.read()}
        for entry in entries:
            if (entry.link, entry.hash) not in known:
                self.add(entry)

    def read(self) -> list[Witnessed]:
        """Return all that is remembered, oldest first; a line that a kill cut is none."""
        try:
            lines = self._file.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return []
        return [entry for entry in map(_entry, lines) if entry is not None]


def lost_openings(missing: Sequence[Witnessed]) -> str:
    """Return what it means that openings are missing; an empty string where none are."""
    if not missing:
        return ""
    last = missing[-1]
    when = datetime.fromtimestamp(last.time, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    number = "an opening" if len(missing) == 1 else f"{len(missing):,} openings"
    return (
        f"the vault remembers {number} of test sets that the ledger does not have, the last of "
        f"study {safe_text(last.study)} at {when}: the store, or one that a study was copied from, "
        "was put back from an older copy, or entries were removed; figures of these test sets are "
        "no unbiased estimates"
    )


def _entry(line: str) -> Witnessed | None:
    try:
        told: dict[str, Any] = json.loads(line)
        time = float(told["time"])
        datetime.fromtimestamp(time, UTC)  # which no other number can be shown as
        return Witnessed(
            int(told["link"]), str(told["hash"]), str(told["fingerprint"]), str(told["study"]), time
        )
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return None
