"""`deepwell curve`: would more data help?"""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import CurveRuns, Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell curve churn\ndeepwell curve churn --runs 16 --json"


def curve(which: Name, wanted: CurveRuns, place: Place) -> int:
    """Tell whether more data would help a finished study.

    Trains the best network on random parts of the train rows, all in one population, and foretells
    its score with twice as many rows, with an interval; says so where that cannot be told. The
    sealed test set stays closed.
    """
    from deepwell.diagnosis._learning_curve_findings import diagnose_learning_curve
    from deepwell.records import to_plain
    from deepwell.report._json import strict
    from deepwell.report._learning_curve_lines import learning_curve_lines

    from ._observer import SilentObserver, TerminalObserver

    observer = SilentObserver() if place.json else TerminalObserver(which.name, place.store)
    try:
        found = find_study(which, place).learning_curve(runs=wanted.runs, observer=observer)
    finally:
        observer.close()
    if place.json:
        finding = diagnose_learning_curve(found)
        print_json(strict({"name": which.name, **to_plain(found), "finding": finding.to_plain()}))
    else:
        print_lines(learning_curve_lines(found))
    return DONE
