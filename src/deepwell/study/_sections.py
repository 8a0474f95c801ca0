"""The sections that `deepwell diagnose NAME` adds to what the fit found.

Adding one: a file with a function of the reopened study, and its line in `PARTS`. A section with
figures to show beside its findings has its lines in `report/_section_lines.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from deepwell.records import Section

from ._analysis import (
    told_columns,
    told_coverage,
    told_labels,
    told_probabilities,
    told_slices,
)
from ._reopened import Reopened
from ._rows_section import rows_section
from ._searched import section_of_search
from ._section_data import data_section
from ._section_error import ERROR_CODES, error_section


class Part(NamedTuple):
    """A section that is made anew from the rows.

    Attributes:
        make: the section; None where there is nothing to say.
        instead_of: codes of the fit's findings that it tells anew.
    """

    make: Callable[[Reopened], Section | None]
    instead_of: tuple[str, ...] = ()


PARTS: tuple[Part, ...] = (
    Part(error_section, ERROR_CODES),
    Part(data_section),
    Part(told_probabilities, instead_of=("DW213",)),
    Part(told_slices),
    Part(told_labels, instead_of=("DW211",)),
    Part(told_columns),
    Part(told_coverage),
    Part(rows_section),
    Part(section_of_search),
)
"""In the order in which they are told."""

GROUPS: dict[str, tuple[str, str]] = {
    "DW1": ("error", "What kind of error is left"),
    "DW2": ("data", "The data"),
    "DW3": ("start", "Before training"),
    "DW4": ("training", "How the training went"),
    "DW5": ("rows", "More data"),
    "DW6": ("remedies", "Remedies"),
    "DW7": ("search", "The search"),
}
"""First characters of a code -> name and title of the section that tells the fit's findings.

A part with the same name gets them after its own.
"""
