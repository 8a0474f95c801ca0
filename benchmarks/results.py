"""A run's results in one JSON file, written again after every measurement, so that it resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_PARTS = ("limits", "references", "gates", "checks", "cells")


class OtherRunError(Exception):
    """The file holds a run of another commit, machine or opening."""


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
                f"{file} holds an unfinished run of another commit, machine or opening; "
                "start anew with --fresh"
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
        header.get("opening"),
    )
