"""A claim about a study, with its evidence and the command that acts on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._plain import NON_FINITE


@dataclass(frozen=True)
class Finding:
    """One line of a diagnosis.

    Attributes:
        code: stable, as in `DW101`; scripts may rely on it.
        level: `problem`, `ok` or `unsure` (too little evidence to tell).
        claim: what is said, in a few words, as in "high variance".
        evidence: the measured values behind it, plain numbers and texts for JSON.
        detail: the evidence in words for people.
        command: what acts on it, or an empty string.
    """

    code: str
    level: str
    claim: str
    detail: str
    evidence: Mapping[str, object] = field(
        default_factory=dict[str, object], metadata={NON_FINITE: True}
    )
    command: str = ""

    def to_plain(self) -> dict[str, object]:
        """Return the finding for JSON."""
        return {
            "code": self.code,
            "level": self.level,
            "claim": self.claim,
            "detail": self.detail,
            "evidence": dict(self.evidence),
            "command": self.command,
        }
