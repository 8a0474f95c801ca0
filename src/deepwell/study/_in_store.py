"""The store in the commands of findings, wherever they are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepwell._base._shell import store_flag
from deepwell.records import Finding

# A new fit belongs beside the study that asks for it.
_KEPT_THERE = tuple(
    f"deepwell {verb} " for verb in ("improve", "test", "ensemble", "calibrate", "fit")
)


def in_store(findings: Sequence[Finding], store: str | Path | None) -> list[Finding]:
    """Return the findings, with the store in the commands that read or make a study.

    They are kept without it: a store can be moved.

    Args:
        findings: of a study, as it keeps them.
        store: where it is kept; None for the usual place.
    """
    if not store:
        return list(findings)
    where = store_flag(store)
    return [
        replace(f, command=f.command + where) if f.command.startswith(_KEPT_THERE) else f
        for f in findings
    ]
