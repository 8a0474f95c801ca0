"""`deepwell rates`: which learning rates are worth trying?"""

from __future__ import annotations

from typing import Any

from deepwell._base._errors import UsageError

from ._exit_codes import DONE
from ._fit_options import DataOptions, Fixed, Source
from ._options import Form, RangeFlags
from ._output import print_json, print_lines

EXAMPLES = """\
deepwell rates churn.csv --target churned
deepwell rates churn.csv --target churned --optimizer sgd --hidden-units 64\
"""


def rates(source: Source, data: DataOptions, wanted: RangeFlags, fixed: Fixed, form: Form) -> int:
    """Try many learning rates for a short time, side by side.

    Tells the rate to train with, with its interval over seeds, and from which rate on training
    diverges. The network is the one in the middle of the default search, or what is fixed. Nothing
    is saved, and no test row is looked at.
    """
    from deepwell.data._load import load
    from deepwell.records import to_plain
    from deepwell.report._json import strict
    from deepwell.report._rate_range_lines import rate_range_lines
    from deepwell.study._study import Study

    from ._observer import SilentObserver, TerminalObserver

    if "learning_rate" in fixed.given():
        raise UsageError("`--learning-rate` is what is tried here; give --low and --high instead")
    observer = SilentObserver() if form.json else TerminalObserver()
    try:
        loaded = load(source.source, **data.for_load(), memory=wanted.memory, vault=None)
        study = Study(
            loaded,
            fixed=fixed.given(),
            program=wanted.program,
            seed=wanted.seed,
            observer=observer,
        )
        given: dict[str, Any] = {
            name: value
            for name in ("low", "high", "rates", "runs", "epochs")
            if (value := getattr(wanted, name)) is not None
        }
        found = study.rate_range(**given)
    finally:
        observer.close()
    if form.json:
        print_json(strict({"name": loaded.name, **to_plain(found)}))
    else:
        print_lines(rate_range_lines(found))
    return DONE
