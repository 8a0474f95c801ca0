"""The sealed half is opened on purpose, and each opening is on record.

An opening writes when, of which commit, and the hashes of the rules and of the sealed files, before
the first case is looked at. The rules are all that figures depend on: Deepwell and its core, what
plants, trains and scores. A second opening is possible and says that it is one: its figures are no
longer those of unseen faults.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import commit
from benchmarks.tools import ROOT

from .halves import Half, sealed

RECORD = ROOT / "benchmarks" / "results" / "b7-openings.json"
RULES = ("src", "benchmarks/diagnosis")
HIDDEN = "benchmarks/diagnosis/sealed"
_CODE = (".py", ".cpp", ".hpp")


class NothingSealedError(Exception):
    """The sealed half is empty."""


def rules(root: Path = ROOT) -> str:
    """Return the sha256 of all code that figures depend on, but for the sealed files."""
    return _fingerprint(RULES, root, without=HIDDEN)


def hidden(root: Path = ROOT) -> str:
    """Return the sha256 of the sealed files."""
    return _fingerprint((HIDDEN,), root)


def _fingerprint(places: Sequence[str], root: Path, without: str | None = None) -> str:
    """Return the sha256 of all files of code there, names included."""
    digest = hashlib.sha256()
    for place in places:
        path = root / place
        for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
            left_out = without is not None and file.is_relative_to(root / without)
            if file.suffix in _CODE and not left_out:
                digest.update(str(file.relative_to(root)).encode() + b"\0")
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def openings(record: Path = RECORD) -> list[dict[str, Any]]:
    """Return the openings so far, first to last."""
    return json.loads(record.read_text(encoding="utf-8")) if record.exists() else []


def opened(record: Path = RECORD) -> tuple[Half, dict[str, Any]]:
    """Record an opening of the sealed half and return the half with the record.

    A run that goes on, of the same commit, rules and sealed files, is no new opening.

    Raises:
        NothingSealedError: when there is no fault in it.
    """
    half = sealed()
    if not half.faults:
        raise NothingSealedError(
            "the sealed half must hold faults to be opened, and holds none yet; see "
            "benchmarks/diagnosis/sealed/__init__.py"
        )
    past = openings(record)
    told = {"commit": commit(), "rules": rules(), "sealed": hidden()}
    last = past[-1] if past else {}
    if all(last.get(name) == value for name, value in told.items()):
        return half, last
    opening = {"number": len(past) + 1, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               **told}  # fmt: skip
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps([*past, opening], indent=1) + "\n", encoding="utf-8")
    return half, opening
