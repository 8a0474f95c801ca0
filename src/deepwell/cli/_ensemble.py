"""`deepwell ensemble`: the average of a study's best networks as a model."""

from __future__ import annotations

from ._exit_codes import DONE
from ._options import Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

EXAMPLES = "deepwell ensemble churn\ndeepwell test churn --model ensemble"


def ensemble(which: Name, place: Place) -> int:
    """Save the average of the best networks as a model of its own.

    The members were chosen when the study ended; how their average compares with the single best
    network was found on rows that had chosen neither. It is saved as model-ensemble, and test and
    predict use it where they are told to.
    """
    from deepwell.records import to_plain
    from deepwell.report._ensemble_lines import ensemble_lines
    from deepwell.report._json import strict

    study = find_study(which, place)
    made = study.ensemble()
    if place.json:
        told = {"name": which.name, "model": str(made.folder), **to_plain(made.facts)}
        print_json(strict(told))
    else:
        print_lines(ensemble_lines(study.result, made.facts, str(made.folder), place.store))
    return DONE
