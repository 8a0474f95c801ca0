"""`deepwell fit`: from a table to a tested network."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from deepwell._base._errors import UsageError

from ._exit_codes import DONE, STOPPED
from ._fit_options import DataOptions, Fixed, RunOptions, Source, StudyOptions
from ._options import Place
from ._output import print_json, print_lines
from ._space import parsed_space, parsed_tries

if TYPE_CHECKING:
    from deepwell.search.spaces._space import Space

    from ._observer import SilentObserver, TerminalObserver

EXAMPLES = """\
deepwell fit churn.csv --target churned
deepwell fit churn.csv --target churned --budget 5m --name second --json
deepwell fit churn.csv --target churned --space "learning_rate=log(1e-4,1)"\
"""


def fit(
    source: Source,
    data: DataOptions,
    study: StudyOptions,
    fixed: Fixed,
    run: RunOptions,
    place: Place,
) -> int:
    """Train a population of networks on a table and keep the best.

    Splits the rows, seals a test set, says what simple models reach, trains networks side by side,
    and tells how good the best is, with intervals, and what kind of error is left. Ctrl-C stops
    and keeps the best.
    """
    arguments: dict[str, Any] = {
        "space": _space(study, fixed),
        "constraints": study.constraint,
        "warm_start": study.warm_start,
        "fixed": fixed.given(),
        "name": study.name,
        "seed": study.seed,
        "search": study.search,
        "scheduler": study.scheduler,
        "program": study.program,
        "metric": study.metric,
        "best_possible": study.best_possible,
        "folds": study.folds,
        "probe": study.probe,
        "probe_every": study.probe_every,
        "checkpoints": study.checkpoints,
        "store": place.store,
    }
    tries = parsed_tries(study.try_)
    if run.dry_run:
        return _dry_run(source, data, arguments, tries, run, place)
    return _run(source, data, arguments, tries, run, place)


def _run(
    source: Source,
    data: DataOptions,
    arguments: dict[str, Any],
    tries: Sequence[Mapping[str, object]],
    run: RunOptions,
    place: Place,
) -> int:
    from deepwell.data._load import load
    from deepwell.study._interrupt import BY_USER
    from deepwell.study._study import Study

    observer = _observer(arguments["name"], place)
    try:
        # The study moves the sealed rows into its store; when it never starts, they leave no trace.
        with tempfile.TemporaryDirectory(prefix="deepwell-") as vault:
            loaded = load(source.source, **data.for_load(), memory=run.memory, vault=vault)
            study = Study(loaded, **arguments, observer=observer)
            for values in tries:
                study.enqueue(values)
            result = study.run(**_amounts(run))
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{BY_USER} before there was a result") from None
    finally:
        observer.close()
    if place.json:
        from deepwell.report._json import fit_json

        print_json(fit_json(result))
    return STOPPED if result.stopped == BY_USER else DONE


def _dry_run(
    source: Source,
    data: DataOptions,
    arguments: dict[str, Any],
    tries: Sequence[Mapping[str, object]],
    run: RunOptions,
    place: Place,
) -> int:
    from deepwell.data._load import load
    from deepwell.report._data_lines import data_lines
    from deepwell.report._json import dry_run_json
    from deepwell.report._layout import entry
    from deepwell.report._plan_lines import plan_lines
    from deepwell.study._study import Study

    loaded = load(source.source, **data.for_load(), memory=run.memory, vault=None)
    study = Study(loaded, **arguments)
    for values in tries:
        study.enqueue(values)
    plan = study.plan(**_amounts(run))
    if place.json:
        print_json(dry_run_json(loaded.facts, plan))
    else:
        done = entry("dry run", "nothing was checked, trained or written")
        print_lines([*data_lines(loaded.facts), *plan_lines(plan), *done])
    return DONE


def _amounts(run: RunOptions) -> dict[str, Any]:
    """Return how much is to be trained, as `Study.run` takes it."""
    return {
        "trials": run.trials,
        "epochs": run.epochs,
        "budget": run.budget,
        "until_settled": run.until_settled,
    }


def _space(study: StudyOptions, fixed: Fixed) -> Space | None:
    """Return the space that the user gave, or None for the default of the data."""
    parsed = parsed_space(study.space)
    for name in parsed:
        if name in fixed.given():
            raise UsageError(f"`{name}` is both searched by --space and fixed; give one of them")
    if study.constraint:
        from deepwell.search.spaces._allowed import constraints_of

        constraints_of(study.constraint)  # what cannot be read is refused before the data are
    if not parsed:
        return None
    from deepwell.search.spaces._space import with_fixed

    return with_fixed(parsed, fixed.given())


def _observer(name: str | None, place: Place) -> SilentObserver | TerminalObserver:
    from ._observer import SilentObserver, TerminalObserver

    return SilentObserver() if place.json else TerminalObserver(name, place.store)
