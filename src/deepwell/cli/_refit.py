"""`deepwell refit`: the best configuration trained on train and dev rows."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell refit churn\ndeepwell predict churn new.csv --model refit"


def refit(which: Name, place: Place) -> int:
    """Train the best configuration once more, on train and dev rows.

    The last step, after all choices: it takes as many update steps as the chosen network had taken
    at its best epoch, and is saved beside it as model-refit. No rows are left to score it; the test
    set can, by deepwell test NAME --model refit.
    """
    from deepwell.report._json import strict
    from deepwell.report._refit_lines import refit_lines

    study = find_study(which, place)
    made = study.refit()
    told = made.model.about["refit"]
    if place.json:
        print_json(strict({"name": which.name, "model": str(made.folder), **told}))
    else:
        print_lines(refit_lines(study.result, told, str(made.folder), place.store))
    return DONE
