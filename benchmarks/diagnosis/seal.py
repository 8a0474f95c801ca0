"""The sealed half is opened on purpose, and each opening is on record.

An opening writes when, of which commit, and the hashes of the rules with their thresholds and of
the sealed files, before the first case is looked at. A second opening is possible and says that it
is one: its figures are no longer those of unseen faults.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from benchmarks.machine import commit
from benchmarks.tools import ROOT

from .halves import Half, sealed

RECORD = ROOT / "benchmarks" / "results" / "b7-openings.json"
RULES = ("src/deepwell/diagnosis", "src/deepwell/checking", "src/deepwell/study",
         "benchmarks/diagnosis/labels.py")  # fmt: skip
HIDDEN = ("benchmarks/diagnosis/sealed",)


class NothingSealedError(Exception):
    """The sealed half is empty."""


def fingerprint(places: tuple[str, ...], root: Path = ROOT) -> str:
    """Return the sha256 of all Python files there, names included."""
    digest = hashlib.sha256()
    for place in places:
        path = root / place
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
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
    told = {"commit": commit(), "rules": fingerprint(RULES), "sealed": fingerprint(HIDDEN)}
    last = past[-1] if past else {}
    if all(last.get(name) == value for name, value in told.items()):
        return half, last
    opening = {"number": len(past) + 1, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
               **told}  # fmt: skip
    record.parent.mkdir(parents=True, exist_ok=True)
    record.write_text(json.dumps([*past, opening], indent=1) + "\n", encoding="utf-8")
    return half, opening
