"""The section of a diagnosis about more data: the learning curve that was measured last (G5)."""

from __future__ import annotations

from deepwell.diagnosis._learning_curve_findings import diagnose_learning_curve
from deepwell.records import Section, to_plain

from ._learning_curve import recorded_curve
from ._reopened import Reopened


def rows_section(reopened: Reopened) -> Section | None:
    """Return what the learning curve says; None where none was measured."""
    curve = recorded_curve(reopened.study)
    if curve is None:
        return None
    return Section("rows", "More data", (diagnose_learning_curve(curve),), to_plain(curve))
