"""All studies of a store, as lines and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import ListedStudy

from ._figures import count, interval
from ._json import strict
from ._layout import table

_HEADER = ("study", "begun (UTC)", "state", "networks", "dev, tags and notes")


def listing_lines(studies: Sequence[ListedStudy]) -> list[str]:
    """Return a table, one study a row, in the order given."""
    rows = [
        (
            safe_text(study.name),
            datetime.fromtimestamp(study.created, UTC).strftime("%Y-%m-%d %H:%M"),
            study.state,
            f"{study.networks:,}",
            _told(study),
        )
        for study in studies
    ]
    return table(_HEADER, rows, numbers=0)


def listing_json(studies: Sequence[ListedStudy]) -> dict[str, Any]:
    """Return `studies`: a list of objects with what is known of each."""
    return strict({"studies": list(studies)})


def _told(study: ListedStudy) -> str:
    parts: list[str] = []
    if study.dev is not None:
        parts.append(f"{study.label} {interval(study.dev, study.percent)}")
    parts += [f"[{safe_text(tag)}]" for tag in study.tags]
    if study.notes:
        parts.append(count(study.notes, "note").replace(" ", "\N{NO-BREAK SPACE}"))
    return "  ".join(parts) or "no result yet"
