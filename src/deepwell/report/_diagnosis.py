"""A diagnosis: findings in sections, which shows itself as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

from deepwell.records import Finding, Section, StudyResult

from ._section_lines import diagnosis_lines


@dataclass(frozen=True, repr=False, eq=False)
class Diagnosis(Sequence[Finding]):
    """The findings, in sections; as a sequence it is its findings, and it prints as text.

    >>> from deepwell.records import Finding, Section
    >>> found = Finding("DW101", "problem", "high variance", "train 1.0 %, dev 11.0 %")
    >>> Diagnosis(None, (Section("error", "What kind of error is left", (found,)),))[0].code
    'DW101'

    Attributes:
        result: of the study; None where predictions alone were diagnosed.
        sections: in the order to tell them.
        notes: what could not be looked at, and why; one sentence each.
    """

    result: StudyResult | None
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All findings of all sections."""
        return tuple(finding for section in self.sections for finding in section.findings)

    def __len__(self) -> int:
        """Return how many findings there are."""
        return len(self.findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        """Return findings by their place."""
        return self.findings[index]

    def __iter__(self) -> Iterator[Finding]:
        """Return an iterator over the findings."""
        return iter(self.findings)

    def __repr__(self) -> str:
        """Return what `deepwell diagnose` prints."""
        return "\n".join(diagnosis_lines(self.result, self.sections, self.notes))

    def to_plain(self) -> dict[str, object]:
        """Return the diagnosis for JSON."""
        result = self.result
        return {
            "name": None if result is None else result.name,
            "metric": None if result is None else result.metric,
            "sections": [section.to_plain() for section in self.sections],
            "findings": [finding.to_plain() for finding in self.findings],
            "notes": list(self.notes),
        }
