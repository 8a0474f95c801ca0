"""One part of a diagnosis: what was looked at, what was found, and the figures to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ._finding import Finding


@dataclass(frozen=True)
class Section:
    """Findings that belong together, with figures that are no verdict.

    Attributes:
        name: stable, for scripts, as in `gaps`.
        title: heading for people, in a few words.
        findings: in the order to tell them.
        facts: plain values for JSON and for the section's own lines, as tables and curves are.
    """

    name: str
    title: str
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, object] = field(default_factory=dict[str, object])

    def to_plain(self) -> dict[str, object]:
        """Return the section for JSON."""
        return {
            "name": self.name,
            "title": self.title,
            "findings": [finding.to_plain() for finding in self.findings],
            "facts": dict(self.facts),
        }
