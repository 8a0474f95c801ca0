"""Notes and tags of people on studies and their trials."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from deepwell._base._errors import UsageError
from deepwell.records import Note, Tag
from deepwell.storage._open import open_store


@dataclass(frozen=True)
class Annotations:
    """What people wrote down about a study and its trials.

    Attributes:
        notes: oldest first.
        tags: the study's own, then those of its trials.
    """

    notes: tuple[Note, ...]
    tags: tuple[Tag, ...]

    def of(self, trial: int | None) -> Annotations:
        """Return those of one trial, or None for the study's own."""
        return Annotations(
            tuple(note for note in self.notes if note.trial == trial),
            tuple(tag for tag in self.tags if tag.trial == trial),
        )


def annotations_of(name: str, store: str | Path | None = None) -> Annotations:
    """Return the notes and tags of a study and its trials.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study.
    """
    with open_store(store, create=False) as opened:
        study = opened.study(name)
        notes, tags = opened.notes.read(study.id), opened.notes.tags(study.id)
    return Annotations(tuple(notes), tuple(tags))


def note(
    name: str, text: str, trial: int | None = None, *, store: str | Path | None = None
) -> Note:
    """Write a note on a study, or on one of its trials; show and list tell of it.

    >>> import deepwell as dw                                    # doctest: +SKIP
    >>> dw.note("churn", "the first with the new column")        # doctest: +SKIP

    Args:
        name: of the study.
        text: 1 to 10,000 characters.
        trial: its number, None for the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study or trial, or the text is too long.
    """
    with open_store(store, create=False) as opened:
        return opened.notes.add(opened.study(name).id, text, trial)


def remove_note(name: str, number: int, *, store: str | Path | None = None) -> None:
    """Remove a note of a study by its number, which `annotations_of` tells.

    Raises:
        UsageError: when there is no such study or note.
    """
    with open_store(store, create=False) as opened:
        opened.notes.remove(opened.study(name).id, number)


def tag(
    name: str,
    *tags: str,
    trial: int | None = None,
    remove: bool = False,
    store: str | Path | None = None,
) -> tuple[str, ...]:
    """Tag a study or one of its trials, and return all the tags that it has then.

    >>> import deepwell as dw                                    # doctest: +SKIP
    >>> dw.tag("churn", "keep", "paper")                         # doctest: +SKIP
    ('keep', 'paper')

    Args:
        name: of the study.
        tags: words without commas; one that is there already stays.
        trial: its number, None for the study.
        remove: whether they are taken away instead.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study or trial, a tag cannot be one, or one that is to be
            taken away is not there.
    """
    if not tags:
        raise UsageError("name at least one tag, as in keep")
    with open_store(store, create=False) as opened:
        study = opened.study(name)
        if remove:
            opened.notes.untag(study.id, tags, trial)
        else:
            opened.notes.tag(study.id, tags, trial)
        return tuple(t.name for t in opened.notes.tags(study.id) if t.trial == trial)
