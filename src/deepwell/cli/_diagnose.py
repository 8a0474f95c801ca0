"""`deepwell diagnose`: what kind of error is left, and how sure that is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._exit_codes import DONE
from ._flags import option_name
from ._options import Diagnosed, Name, Place
from ._output import print_json, print_lines
from ._studies import find_study

if TYPE_CHECKING:
    from deepwell.report._diagnosis import Diagnosis

EXAMPLES = """\
deepwell diagnose churn
deepwell diagnose churn --json
deepwell diagnose --predictions predictions.csv --best-possible 0.02"""

_OF_PREDICTIONS = ("metric", "task", "best_possible")


def diagnose(asked: Diagnosed, place: Place) -> int:
    """Diagnose a finished study, or any model by its predictions.

    Of a study it tells the findings of the fit again, of all levels, and reads train and dev rows
    again for the rest. The sealed test set stays closed. With --predictions it tells the gaps of a
    model of any library.
    """
    from deepwell.report._json import strict

    diagnosis = _diagnosis(asked, place)
    if place.json:
        print_json(strict(diagnosis.to_plain()))
    else:
        print_lines(str(diagnosis).splitlines())
    return DONE


def _diagnosis(asked: Diagnosed, place: Place) -> Diagnosis:
    if asked.predictions is not None:
        return _of_predictions(asked.predictions, asked, place)
    if len(asked.names) != 1:
        raise UsageError(
            "diagnose needs the name of one study, or --predictions FILE, got "
            + (", ".join(safe_text(name) for name in asked.names) or "neither")
        )
    for name in _OF_PREDICTIONS:
        if getattr(asked, name) is not None:
            raise UsageError(
                f"`{option_name(name)}` is for --predictions; a study has its own from its fit"
            )
    return find_study(Name(asked.names[0]), place).diagnose()


def _of_predictions(file: str, asked: Diagnosed, place: Place) -> Diagnosis:
    if asked.names or place.store is not None:
        given = f"the study {safe_text(asked.names[0])}" if asked.names else "--store"
        raise UsageError(f"--predictions FILE is diagnosed alone; leave out {given}")
    from deepwell.study._diagnose_predictions import diagnose_predictions

    return diagnose_predictions(
        file, metric=asked.metric, task=asked.task, best_possible=asked.best_possible
    )
