"""A finished study diagnosed: what the fit found, told again, and what its rows tell beyond."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell.data._data import Data
from deepwell.diagnosis._dev_to_test import overfitted_to_dev
from deepwell.records import Finding, Section
from deepwell.report._diagnosis import Diagnosis

from ._finished import FinishedStudy
from ._reopened import Reopened, reopen
from ._searched import told_search
from ._sections import GROUPS, PARTS


def diagnose_study(
    study: FinishedStudy, store: str | Path | None = None, data: Data | None = None
) -> Diagnosis:
    """Return all that is known about a finished study.

    Where its rows cannot be read again, what the fit found is told, and a note says why there is
    no more.

    Args:
        study: that has a result.
        store: where it is kept.
        data: its rows; None reads them again from where they came.

    Raises:
        UsageError: when rows are given that are not those the study was begun with.
    """
    result = study.result
    try:
        reopened = reopen(study, store, data)
    except UsageError as error:
        if data is not None:
            raise
        told = told_again((*result.findings, *overfitted_to_dev(result)))
        section = told_search(study, store)
        return Diagnosis(result, (*told, *([section] if section else [])), (str(error),))
    return Diagnosis(result, tuple(_sections(reopened)))


def told_again(findings: Sequence[Finding]) -> list[Section]:
    """Return what a fit found, in sections by code."""
    sections: list[Section] = []
    for start, (name, title) in GROUPS.items():
        those = tuple(finding for finding in findings if finding.code.startswith(start))
        if those:
            sections.append(Section(name, title, those))
    return sections


def _sections(reopened: Reopened) -> list[Section]:
    made = [(part, part.make(reopened)) for part in PARTS]
    anew = {code for part, section in made if section is not None for code in part.instead_of}
    of_fit = (*reopened.result.findings, *overfitted_to_dev(reopened.result))
    kept = [finding for finding in of_fit if finding.code not in anew]
    again = {section.name: section for section in told_again(kept)}
    sections: list[Section] = []
    for _, section in made:
        if section is not None:
            others = again.pop(section.name, section)
            more = () if others is section else others.findings
            sections.append(replace(section, findings=(*section.findings, *more)))
    return [*sections, *again.values()]
