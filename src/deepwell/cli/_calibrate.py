"""`deepwell calibrate`: honest probabilities, and a decision threshold, stored with a model."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Calibration, Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = """\
deepwell calibrate churn
deepwell calibrate churn --threshold f1
deepwell calibrate churn --threshold cost=5
deepwell calibrate churn --off"""


def calibrate(which: Name, asked: Calibration, place: Place) -> int:
    """Store honest probabilities or a threshold with a model.

    A temperature makes probabilities honest, --threshold chooses a decision threshold.
    Both are fitted on the dev rows, and what they change is measured on dev rows that did not fit
    them. What does not help is not kept. From then on `predict` and
    `test` use them. What is not asked for is taken away, --off takes both away.
    """
    from deepwell.report._calibrated_lines import calibrated_lines
    from deepwell.report._json import strict

    found = find_study(which, place).calibrate(
        temperature=not asked.off, threshold=None if asked.off else asked.threshold
    )
    if place.json:
        print_json(strict(found.to_plain()))
    else:
        print_lines(calibrated_lines(found.scaling, found.kept, found.threshold, found.positive))
    return DONE
