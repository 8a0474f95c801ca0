"""`deepwell show`: a study once more."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell show churn\ndeepwell show churn --json"


def show(which: Name, place: Place) -> int:
    """Show a finished study: data, plan, result, findings."""
    from deepwell.report._box_lines import box_lines, boxes_json
    from deepwell.report._json import fit_json
    from deepwell.report._terminal import study_lines

    study = find_study(which, place)
    result, proposed = study.result, study.notes("propose")
    if place.json:
        print_json(fit_json(result) | boxes_json(proposed))
    else:
        print_lines([*study_lines(result, place.store), *box_lines(proposed)])
    return DONE
