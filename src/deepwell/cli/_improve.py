"""`deepwell improve`: measure what would make a study's network better, and do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._exit_codes import DONE, STOPPED
from ._options import Name, Place, RemedyOptions
from ._output import print_json, print_lines
from ._studies import find_study

if TYPE_CHECKING:
    from deepwell.study._finished import FinishedStudy

    from ._observer import SilentObserver, TerminalObserver

EXAMPLES = """\
deepwell improve churn
deepwell improve churn --apply DW101 --budget 5m\
"""


def improve(which: Name, remedies: RemedyOptions, place: Place) -> int:
    """Measure remedies beside the best network; save what helps.

    Trains each remedy of the recipe (bigger, longer, another rate, more and less regularization,
    another architecture) beside the unchanged network with the same seeds, tells what each does to
    the dev score with an interval, goes on from the best as long as it pays, or says that nothing
    helps. The study itself stays as it is; Ctrl-C stops and keeps what was measured.
    """
    study = find_study(which, place)
    if remedies.dry_run:
        return _dry_run(study, remedies, place)
    from deepwell.report._improvement_json import improvement_json
    from deepwell.report._improvement_lines import improvement_lines
    from deepwell.study._interrupt import BY_USER

    observer = _observer(which.name, place)
    try:
        found = study.improve(
            remedies.apply, remedies.budget, remedies.replicates, observer=observer
        )
    finally:
        observer.close()
    if place.json:
        print_json(improvement_json(found))
    else:
        print_lines(improvement_lines(found, place.store))
    return STOPPED if found.stopped == BY_USER else DONE


def _dry_run(study: FinishedStudy, remedies: RemedyOptions, place: Place) -> int:
    from deepwell.report._improvement_json import remedy_plan_json
    from deepwell.report._improvement_lines import remedy_plan_lines
    from deepwell.report._layout import entry
    from deepwell.study._improve import plan_improvement
    from deepwell.study._improve_subject import wanted

    asked = wanted(remedies.apply, remedies.budget, remedies.replicates, save=False)
    plan = plan_improvement(study, place.store, asked)
    if place.json:
        print_json(remedy_plan_json(plan))
    else:
        done = entry("dry run", "nothing was trained or written")
        print_lines([*remedy_plan_lines(plan), *done])
    return DONE


def _observer(name: str, place: Place) -> SilentObserver | TerminalObserver:
    from ._observer import SilentObserver, TerminalObserver

    return SilentObserver() if place.json else TerminalObserver(name, place.store)
