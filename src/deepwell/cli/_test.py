"""`deepwell test`: open the sealed test set."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Name, Place, WhichModel
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell test churn\ndeepwell test churn --model refit"


def test(which: Name, scored: WhichModel, place: Place) -> int:
    """Open the sealed test set and score the best network.

    The first opening gives an unbiased figure. Each one is written down with the model that was
    scored; from the second on, every report says so.
    """
    from deepwell.report._json import opening_json
    from deepwell.report._opening_lines import opening_lines

    study = find_study(which, place)
    openings = study.open_test(scored.model)
    if place.json:
        print_json(opening_json(study.result, openings))
    else:
        print_lines(opening_lines(study.result, openings))
    return DONE
