"""`deepwell note`: what people write down about a study or a trial."""

from __future__ import annotations

from deepwell._base._errors import UsageError

from ._exit_codes import DONE
from ._kept_options import Annotated
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = """\
deepwell note churn "the first with the new column"
deepwell note churn 12 "unstable from epoch 30 on"
deepwell note churn\
"""


def note(about: Annotated, place: Place) -> int:
    """Write a note on a study or a trial, or show them.

    show and list tell of them. Each has a number, by which --remove takes it away.
    """
    from deepwell.report._note_lines import notes_json, notes_lines
    from deepwell.study import _annotate

    trial, words = split_trial(about.words)
    if len(words) > 1 or (words and about.remove is not None):
        raise UsageError(
            "a note is one text; put it in quotes, as in deepwell note churn 12 'a text'"
        )
    if about.remove is not None:
        _annotate.remove_note(about.name, about.remove, store=place.store)
    elif words:
        _annotate.note(about.name, words[0], trial, store=place.store)
    found = _annotate.annotations_of(about.name, place.store)
    notes = found.notes if trial is None else found.of(trial).notes
    if place.json:
        print_json({"name": about.name, **notes_json(notes)})
    else:
        print_lines(notes_lines(notes))
    return DONE


def split_trial(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """Return the trial that the first word names, if it is a number, and the other words."""
    if words and words[0].isascii() and words[0].isdigit():
        return int(words[0]), words[1:]
    return None, words
