"""What the checks before training showed, as lines."""

from __future__ import annotations

import math
from collections.abc import Sequence

from deepwell._base._safe_text import safe_text
from deepwell.diagnosis._data_findings import mismatch_level
from deepwell.records import DataChecks, Finding, FirstSteps, Mismatch

from ._figures import count
from ._layout import entry

_WORDS_LIMIT = 300
_JOINT = "\N{NO-BREAK SPACE}"  # a figure stays on one line with its words; shown as a space


def check_lines(
    checks: FirstSteps | None,
    findings: Sequence[Finding] = (),
    rows: DataChecks | None = None,
) -> list[str]:
    """Return the line `checks`: figures that an expert looks at first, and what to do about them.

    Args:
        checks: what was measured; None for no line.
        findings: what follows from it, each told in a line with the one change to try.
        rows: what the rows themselves showed.
    """
    if checks is None:
        return []
    told = [*_start(checks), *_gradient(checks), *_fits(checks), *_others(checks), *_rows(rows)]
    together = "  ".join(part.replace(" ", _JOINT) for part in told)
    left_out = [f"not checked: {safe_text(why, _WORDS_LIMIT)}" for why in checks.left_out]
    return entry("checks", *([together] if told else []), *left_out, *map(_line, findings))


def of_checks(findings: Sequence[Finding]) -> list[Finding]:
    """Return those findings of a study that follow from its checks."""
    return [finding for finding in findings if finding.code.startswith("DW30")]


def check_details(checks: FirstSteps | None) -> list[str]:
    """Return for the report on what network and rows the checks were made."""
    if checks is None:
        return []
    network = f"trial {checks.trial}, {safe_text(checks.network, _WORDS_LIMIT)}"
    rows = f", on {count(checks.rows, 'train row')}" if checks.rows else ""
    return entry("", f"of the network of median size, {network}{rows}")


def _start(checks: FirstSteps) -> list[str]:
    start = checks.start
    if start is None:
        return []
    low, high = _figure(min(start.constant, start.limit)), _figure(start.limit)
    expected = low if low == high else f"{low} to {high}"
    return [f"loss at start {_figure(start.mean)} ({expected} expected)"]


def _gradient(checks: FirstSteps) -> list[str]:
    return [] if checks.gradient is None else [f"gradient {checks.gradient.error:.0e}"]


def _fits(checks: FirstSteps) -> list[str]:
    fitted = [fit.rows for fit in checks.fits if fit.fitted]
    failed = [fit.rows for fit in checks.fits if not fit.fitted]
    if failed and fitted:
        return [f"fits {count(fitted[-1], 'row')}, not {failed[-1]}"]
    if failed:
        return [f"does not fit {count(failed[0], 'row')}"]
    return [f"fits {count(fitted[-1], 'row')}"] if fitted else []


def _others(checks: FirstSteps) -> list[str]:
    said: list[str] = []
    if checks.inputs is not None:
        used = checks.inputs
        said.append("inputs used" if used.p_value < used.certain else "use of inputs not seen")
    if checks.mixed is not None:
        apart = checks.mixed.error <= checks.mixed.threshold
        said.append("rows apart" if apart else "rows mix")
    if checks.alike:
        said.append("units apart" if max(checks.alike) < 1.0 else "units alike")
    return said


def _rows(rows: DataChecks | None) -> list[str]:
    """Return what the rows showed, as in `train/dev alike (AUC 0.51 +- 0.02)`."""
    if rows is None:
        return []
    said = [_mismatch(one) for one in rows.mismatch]
    if rows.copies is not None:
        copies = rows.copies
        again = (0 if copies.by_chance else copies.exact) + (copies.near or 0)
        said.append(f"{count(again, 'copy', 'copies')} across" if again else "no copies across")
    return said


def _mismatch(found: Mismatch) -> str:
    half = max(found.high - found.auc, found.auc - found.low)
    verdict = {"ok": "alike", "problem": "unlike", "unsure": "alike?"}[mismatch_level(found)]
    where = f" in fold {found.fold}" if found.fold else ""
    return f"train/{found.part} {verdict}{where} (AUC {found.auc:.2f} +- {half:.2f})"


def _line(finding: Finding) -> str:
    change = safe_text(finding.evidence.get("change", ""), _WORDS_LIMIT)
    mark = "" if finding.level == "problem" else " ?"
    claim = safe_text(finding.claim, _WORDS_LIMIT)
    return f"{safe_text(finding.code)}{mark} {claim}" + (f": try {change}" if change else "")


def _figure(value: float) -> str:
    if not math.isfinite(value):
        return "infinite"
    return f"{value:.2f}" if 0.01 <= abs(value) < 1000 else f"{value:.3g}"
