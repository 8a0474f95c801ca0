"""`deepwell tag`: words by which studies and trials are found again."""

from __future__ import annotations

from deepwell._base._errors import UsageError

from ._exit_codes import DONE
from ._kept_options import Tagged
from ._note import split_trial
from ._options import Place
from ._output import print_json, print_lines

EXAMPLES = """\
deepwell tag churn keep paper
deepwell tag churn 12 unstable
deepwell tag churn paper --remove\
"""


def tag(about: Tagged, place: Place) -> int:
    """Tag a study or one of its trials; show the tags.

    list --tag TAG shows the studies with it, and query finds the trials.
    """
    from deepwell.report._note_lines import tags_json, tags_lines
    from deepwell.study import _annotate

    trial, tags = split_trial(about.words)
    if tags:
        _annotate.tag(about.name, *tags, trial=trial, remove=about.remove, store=place.store)
    elif about.remove:
        raise UsageError("say which tags to take away, as in deepwell tag churn paper --remove")
    found = _annotate.annotations_of(about.name, place.store)
    shown = found.tags if trial is None else found.of(trial).tags
    if place.json:
        print_json({"name": about.name, **tags_json(shown)})
    else:
        print_lines(tags_lines(shown))
    return DONE
