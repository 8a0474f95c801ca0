"""Findings, a code, a claim, its evidence and the command that acts on it, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell._base._safe_text import safe_text
from deepwell.records import Finding

from ._layout import GUTTER, entry

_MARKS = {"ok": " ok", "unsure": " ?"}
_DETAIL_LIMIT = 500


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Return the findings; `ok` marks a check that was passed, `?` too little evidence to tell."""
    lines: list[str] = []
    for finding in findings:
        label = f"{safe_text(finding.code)}{_MARKS.get(finding.level, '')}"
        claim = safe_text(finding.claim, _DETAIL_LIMIT)
        detail = safe_text(finding.detail, _DETAIL_LIMIT)
        lines.extend(entry(label, f"{claim}: {detail}" if detail else claim))
        if finding.command:
            lines.append(" " * GUTTER + safe_text(finding.command, _DETAIL_LIMIT))
    return lines
