"""Findings, a code, a claim, its evidence and the command that acts on it, as lines."""

from __future__ import annotations

from collections.abc import Sequence

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._curve_reading import read_curve
from deepwell.records import Finding

from ._figures import count
from ._layout import GUTTER, entry, table

_TRAINING = "DW4"  # checks of the training: told one by one only where they found something
_DIVERGED = "DW408"  # about all networks, told as other findings are
# Unsure about nothing but short curves, or rates that nobody tried: counted, not told, as what
# was not looked for.
_QUIET = ("DW405", "DW406", "DW412", "DW413", "DW414", "DW415")
# About the rows: where nothing was found the line `checks` says it, or there is nothing to say.
_ROWS = ("DW201", "DW202", "DW204", "DW208")
_OF_ROWS = "DW20"
_MARKS = {"ok": " ok", "unsure": " ?"}
_DETAIL_LIMIT = 500
_COMMAND_LIMIT = 10_000  # a command that is cut short does not run


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Return the findings; `ok` marks a check that was passed, `?` too little evidence to tell.

    Of the checks of the training, which are many, those that passed share a line.
    """
    told = [
        finding for finding in findings if not (_passed_check(finding) or _passed_rows(finding))
    ]
    return [*all_finding_lines(told), *_training_line(findings)]


def all_finding_lines(findings: Sequence[Finding]) -> list[str]:
    """Return the findings, each on lines of its own, passed checks too."""
    lines: list[str] = []
    told: dict[str, str] = {}  # command -> the finding that it stands under
    for finding in findings:
        label = f"{safe_text(finding.code)}{_MARKS.get(finding.level, '')}"
        claim = safe_text(finding.claim, _DETAIL_LIMIT)
        detail = safe_text(finding.detail, _DETAIL_LIMIT)
        lines.extend(entry(label, f"{claim}: {detail}" if detail else claim))
        if finding.command in told:
            lines.append(" " * GUTTER + f"the command of {told[finding.command]} does this as well")
        elif finding.command:
            told[finding.command] = safe_text(finding.code)
            lines.append(" " * GUTTER + safe_text(finding.command, _COMMAND_LIMIT))
        elif remedy := _remedy(finding):
            lines.extend(entry("", f"remedy: {remedy}"))
    return lines


def _remedy(finding: Finding) -> str:
    """Return what to do about rows where it is no command; the other findings say it themselves."""
    acts = finding.code.startswith(_OF_ROWS) and finding.level != "ok"
    return safe_text(finding.evidence.get("change", ""), _DETAIL_LIMIT) if acts else ""


def reading_lines(findings: Sequence[Finding]) -> list[str]:
    """Return what the best network's cost curve shows, in one sentence; nothing without checks."""
    told = read_curve(findings)
    return entry("curve", safe_text(told, _DETAIL_LIMIT)) if told else []


def check_table(findings: Sequence[Finding]) -> list[str]:
    """Return a table of all checks of the training: what was measured, and against what."""
    rows = [
        (
            f"{safe_text(f.code)}{_MARKS.get(f.level, '')}",
            _number(f.evidence.get("measured")),
            _number(f.evidence.get("threshold")),
            _claim(f),
        )
        for f in findings
        if _is_check(f)
    ]
    return table(("check", "measured", "threshold", "what"), rows, 0) if rows else []


def _claim(finding: Finding) -> str:
    source = finding.evidence.get("threshold_source")
    told = f" (threshold: {safe_text(str(source), _DETAIL_LIMIT)})" if source else ""
    return f"{safe_text(finding.claim, _DETAIL_LIMIT)}{told}"


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else "-"


def _training_line(findings: Sequence[Finding]) -> list[str]:
    """Return one line about the checks of the training that found nothing."""
    passed = [f for f in findings if _passed_check(f)]
    if not passed:
        return []
    unsure = sum(f.level == "unsure" for f in passed)
    follow = sum("consequence_of" in f.evidence for f in passed)
    told = f"{count(len(passed) - unsure - follow, 'check')} of the training passed"
    told += f", {unsure} could not tell" if unsure else ""
    told += f", {follow} told as a consequence" if follow else ""
    return entry("trained", f"{told} (--json lists them)")


def _passed_check(finding: Finding) -> bool:
    not_looked = finding.code in _QUIET or finding.evidence.get("measured") is None
    quiet = finding.level == "ok" or (finding.level == "unsure" and not_looked)
    return _is_check(finding) and quiet


def _passed_rows(finding: Finding) -> bool:
    return finding.code in _ROWS and finding.level == "ok"


def _is_check(finding: Finding) -> bool:
    return finding.code.startswith(_TRAINING) and finding.code != _DIVERGED
