"""`deepwell show`: a study once more."""

from __future__ import annotations

from ._exit_codes import DONE
from ._follow import follow_run
from ._options import Name, Place, Shown
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = """\
deepwell show churn
deepwell show churn --follow
deepwell show churn --pareto
deepwell show churn --json\
"""


def show(which: Name, shown: Shown, place: Place) -> int:
    """Show a finished study again, and what its search showed.

    Data, plan, result and findings, and which hyperparameters made the difference.
    With --pareto also the networks that no other one beats in score, size and prediction time.
    With --follow a study is watched that trains in another process, line by line, with what is
    changed by hand on the way.
    """
    if shown.follow:
        return follow_run(which.name, place)
    from deepwell.report._box_lines import box_lines, boxes_json
    from deepwell.report._importance_lines import front_lines
    from deepwell.report._json import fit_json, strict
    from deepwell.report._note_lines import annotation_lines, notes_json, tags_json
    from deepwell.report._section_lines import section_lines
    from deepwell.report._terminal import study_lines
    from deepwell.study._annotate import annotations_of
    from deepwell.study._searched import told_search

    study = find_study(which, place)
    result, section = study.result, told_search(study, place.store)
    proposed = study.notes("propose")
    written = annotations_of(which.name, place.store)
    front = study.pareto().to_dicts() if shown.pareto else []
    if place.json:
        search = {"search": None if section is None else strict(section.to_plain())}
        pareto = {"pareto": strict(front)} if shown.pareto else {}
        people = notes_json(written.notes) | tags_json(written.tags)
        print_json(fit_json(result) | boxes_json(proposed) | search | pareto | people)
        return DONE
    lines = [*study_lines(result, place.store), *box_lines(proposed)]
    lines += [] if section is None else section_lines(section)
    lines += front_lines(front, result) if shown.pareto else []
    print_lines(lines + annotation_lines(written.notes, written.tags))
    return DONE
