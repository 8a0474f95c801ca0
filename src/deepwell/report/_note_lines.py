"""Notes and tags of people, as lines and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from deepwell._base._safe_text import safe_text
from deepwell.records import Note, Tag

from ._layout import entry

_LIMIT = 10_000


def notes_lines(notes: Sequence[Note]) -> list[str]:
    """Return each note with its number, time and trial; a sentence where there is none."""
    if not notes:
        return entry("notes", "none")
    return [line for note in notes for line in entry(f"note {note.id}", *_paragraphs(note))]


def tags_lines(tags: Sequence[Tag]) -> list[str]:
    """Return the tags, the study's own in one line, those of a trial in one line each."""
    if not tags:
        return entry("tags", "none")
    return [
        line
        for trial, group in groupby(tags, key=lambda tag: tag.trial)
        for line in entry(
            "tags" if trial is None else f"trial {trial}",
            "  ".join(safe_text(t.name) for t in group),
        )
    ]


def annotation_lines(notes: Sequence[Note], tags: Sequence[Tag]) -> list[str]:
    """Return what `show` tells of both; no lines where there are none."""
    return [*(tags_lines(tags) if tags else []), *(notes_lines(notes) if notes else [])]


def notes_json(notes: Sequence[Note]) -> dict[str, Any]:
    """Return `notes`: objects of `id`, `trial`, `time` (seconds since 1970) and `text`."""
    told = [{"id": n.id, "trial": n.trial, "time": n.time, "text": n.text} for n in notes]
    return {"notes": told}


def tags_json(tags: Sequence[Tag]) -> dict[str, Any]:
    """Return `tags`: objects of `trial`, null for the study's own, and `name`."""
    return {"tags": [{"trial": tag.trial, "name": tag.name} for tag in tags]}


def _paragraphs(note: Note) -> list[str]:
    when = datetime.fromtimestamp(note.time, UTC).strftime("%Y-%m-%d %H:%M")
    about = "" if note.trial is None else f", trial {note.trial}"
    lines = [safe_text(line, _LIMIT) for line in note.text.splitlines()]
    return [f"{when}{about}: {lines[0]}", *lines[1:]]
