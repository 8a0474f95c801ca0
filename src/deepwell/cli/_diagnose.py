"""`deepwell diagnose`: what kind of error is left, and how sure that is."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell diagnose churn\ndeepwell diagnose churn --json"


def diagnose(which: Name, place: Place) -> int:
    """Diagnose a finished study, with all that takes longer than a fit should.

    Tells the findings of the fit again, of all levels, and reads train and dev rows again for the
    rest. The sealed test set stays closed.
    """
    from deepwell.report._json import strict

    diagnosis = find_study(which, place).diagnose()
    if place.json:
        print_json(strict(diagnosis.to_plain()))
    else:
        print_lines(str(diagnosis).splitlines())
    return DONE
