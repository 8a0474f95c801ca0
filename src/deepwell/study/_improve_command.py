"""The command that measures the remedies for a finding."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace

from deepwell.data._data import Data
from deepwell.diagnosis._recipe import BY_CODE
from deepwell.records import Finding


def with_improve_commands(findings: Sequence[Finding], name: str, data: Data) -> list[Finding]:
    """Return the findings, problems that there are remedies for with the command to measure them.

    There is none where the rows came from memory, since a command could not read them again.

    Args:
        findings: of a study.
        name: of the study.
        data: its rows.
    """
    return [
        replace(finding, command=f"deepwell improve {shlex.quote(name)} --apply {finding.code}")
        if finding.level == "problem" and finding.code in BY_CODE and data.origin is not None
        else finding
        for finding in findings
    ]
