"""A cost curve in a sentence: what its checks say, the cause that matters most first (G6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deepwell.records import Finding

from ._non_finite import LOWER_RATES

_TOO_HIGH = "DW405"
_PROBLEMS = (
    ("DW416", "a setting out of its usual range holds it back"),
    (_TOO_HIGH, "the learning rate is too high"),
    ("DW415", "too noisy for the batch size"),
    ("DW406", "the learning rate is too low"),
    ("DW410", "a plateau: the cost stands still high up"),
    ("DW413", "past its best from the start"),
    ("DW414", "the dev cost rises while the train cost does not: overfitting"),
    ("DW412", "still falling at the end"),
)
_LENGTH = "DW412"  # which every curve gets


def read_curve(findings: Sequence[Finding]) -> str:
    """Return what the best network's cost curve shows, in one sentence; empty without its checks.

    >>> from deepwell.records import Finding
    >>> place = {"best_epoch": 33, "epochs": 48}
    >>> read_curve([Finding("DW412", "ok", "trained long enough", "", place)])
    'good: it falls, and has levelled off (best at epoch 33 of 48)'

    Args:
        findings: of a study, DW405 to DW416 among them.
    """
    by_code = {finding.code: finding for finding in findings}
    if _LENGTH not in by_code:
        return ""
    length = by_code[_LENGTH]
    if length.level == "unsure" and length.detail == "cost not finite":
        return _out_of_bounds(by_code)
    for code, words in _PROBLEMS:
        if code in by_code and by_code[code].level == "problem":
            return f"{words} ({code})"
    cause = length.evidence.get("consequence_of")
    if cause:
        return f"still falling at the end, a consequence of {cause}"
    if length.level == "unsure":
        return f"too short to read ({length.detail})"
    unsure = [f.code for f in findings if f.level == "unsure" and f.code in dict(_PROBLEMS)]
    told = f"it falls, and has levelled off{_place(length.evidence)}"
    return f"good as far as is known: {told}" if unsure else f"good: {told}"


def _out_of_bounds(by_code: Mapping[str, Finding]) -> str:
    """Return what is known of a cost that left all bounds: rates are only one of its causes."""
    broke = "the cost left all bounds"
    for code, words in _PROBLEMS:
        if code in by_code and by_code[code].level == "problem":
            far = "the learning rate is far too high"
            return f"{broke}: {far if code == _TOO_HIGH else words} ({code})"
    diverged = by_code.get("DW408")
    rates = diverged is not None and str(diverged.evidence.get("change")).startswith(LOWER_RATES)
    return f"{broke}: the learning rate may be far too high (DW408)" if rates else broke


def _place(evidence: Mapping[str, object]) -> str:
    best, epochs = evidence.get("best_epoch"), evidence.get("epochs")
    if not isinstance(best, int) or not isinstance(epochs, int):
        return ""
    return f" (best at epoch {best:,} of {epochs:,})"
