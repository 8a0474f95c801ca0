"""A run's results in one JSON file, written again after every measurement, so that it resumes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

_PARTS = ("limits", "references", "gates", "checks", "cells")


class OtherRunError(Exception):
    """The file holds a run of another commit, machine, plan or opening, or of other peers."""


class OutOfTimeError(Exception):
    """The limit of this call is reached; the next call goes on."""


class Results:
    """What has been measured so far; every single measurement is kept.

    Attributes:
        header: benchmark, title, machine, versions, cases.
        limits, references, gates, checks, cells: key -> what was measured.
    """

    def __init__(self, file: Path, header: dict[str, Any], fresh: bool) -> None:
        if fresh:
            file.unlink(missing_ok=True)
        self._file = file
        kept = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        if kept and _identity(kept["header"]) != _identity(header):
            raise OtherRunError(
                f"{file} holds an unfinished run of another commit, machine, plan or opening, or "
                "of other versions of peers; start anew with --fresh"
            )
        self.header: dict[str, Any] = kept.get("header", header)
        self.limits: dict[str, Any] = kept.get("limits", {})
        self.references: dict[str, Any] = kept.get("references", {})
        self.gates: dict[str, Any] = kept.get("gates", {})
        self.checks: dict[str, Any] = kept.get("checks", {})
        self.cells: dict[str, Any] = kept.get("cells", {})

    def plain(self) -> dict[str, Any]:
        """Return everything as it is written."""
        return {"header": self.header, **{part: getattr(self, part) for part in _PARTS}}

    def put(self, part: str, key: str, value: dict[str, Any]) -> None:
        """Keep one result and write the file."""
        getattr(self, part)[key] = value
        self._file.parent.mkdir(parents=True, exist_ok=True)
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps(self.plain(), indent=1) + "\n", encoding="utf-8")
        new.replace(self._file)

    def measure(
        self,
        part: str,
        key: str,
        deadline: float,
        make: Callable[[], dict[str, Any]],
        shown: Callable[[dict[str, Any]], str],
    ) -> None:
        """Measure one thing and keep it, unless it is there.

        Args:
            part: of the results that it belongs to.
            key: its name.
            deadline: of `time.monotonic()`; nothing is begun after it.
            make: measures it.
            shown: says what came, in words.

        Raises:
            OutOfTimeError: when the deadline is over.
        """
        if key in getattr(self, part):
            return
        if time.monotonic() > deadline:
            raise OutOfTimeError(f"time is over before {part} {key}; the same command goes on")
        began = time.monotonic()
        value = make()
        self.put(part, key, value)
        print(f"{part} {key}: {shown(value)} ({time.monotonic() - began:.0f} s)", flush=True)

    def move(self, target: Path) -> None:
        """Put the finished file in its place; the next run starts anew."""
        target.parent.mkdir(parents=True, exist_ok=True)
        self._file.replace(target)


def _identity(header: dict[str, Any]) -> tuple[Any, ...]:
    machine = header["machine"]
    return (
        header["benchmark"],
        header.get("resumes_across_commits") or header["versions"]["deepwell"]["commit"],
        machine["cpu"],
        machine["cores"],
        header["series"],
        header.get("thresholds"),
        header["versions"].get("peers"),
        header.get("opening"),
    )
