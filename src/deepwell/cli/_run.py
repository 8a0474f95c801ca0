"""`deepwell run`: a study from its file."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from ._exit_codes import DONE, STOPPED
from ._kept_options import StudyToml
from ._options import Place
from ._output import print_json, print_lines

if TYPE_CHECKING:
    from deepwell.study._run_file import Changes, ReadyStudy

    from ._observer import SilentObserver, TerminalObserver

EXAMPLES = """\
deepwell run deepwell/churn/study.toml
deepwell run study.toml --name churn-wider --dry-run\
"""


def run(what: StudyToml, place: Place) -> int:
    """Train what a study's file says, as a new study.

    fit leaves the file study.toml in the folder of each study: all that it was asked to do. What a
    changed file says otherwise than the study of that name is told first; the new study gets the
    next free name.
    """
    from deepwell.study._interrupt import BY_USER
    from deepwell.study._run_file import ready

    observer = _observer(what.name, place)
    try:
        # The study moves the sealed rows into its store; when it never starts, they leave no trace.
        with tempfile.TemporaryDirectory(prefix="deepwell-") as vault:
            seal = None if what.dry_run else vault
            made = ready(
                what.file, name=what.name, store=place.store, observer=observer, vault=seal
            )
            if what.dry_run:
                return _dry_run(made, place)
            if not place.json:
                print_lines(_change_lines(made.changes))
            result = made.run()
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{BY_USER} before there was a result") from None
    finally:
        observer.close()
    if place.json:
        from deepwell.report._json import fit_json

        print_json(fit_json(result) | _changes_json(made.changes))
    return STOPPED if result.stopped == BY_USER else DONE


def _dry_run(made: ReadyStudy, place: Place) -> int:
    from deepwell.report._data_lines import data_lines
    from deepwell.report._json import dry_run_json
    from deepwell.report._layout import entry
    from deepwell.report._plan_lines import plan_lines

    plan, facts = made.study.plan(**made.sizes), made.study.data.facts
    if place.json:
        print_json(dry_run_json(facts, plan) | _changes_json(made.changes))
        return DONE
    done = entry("dry run", "nothing was checked, trained or written")
    print_lines([*_change_lines(made.changes), *data_lines(facts), *plan_lines(plan), *done])
    return DONE


def _change_lines(changes: Changes | None) -> list[str]:
    from deepwell.report._layout import entry

    if changes is None:
        return []
    if not changes.lines:
        return entry("changed", f"nothing against study {changes.study}")
    return entry("changed", f"against study {changes.study}:", *changes.lines)


def _changes_json(changes: Changes | None) -> dict[str, object]:
    if changes is None:
        return {"changes": None}
    return {"changes": {"study": changes.study, "lines": list(changes.lines)}}


def _observer(name: str | None, place: Place) -> SilentObserver | TerminalObserver:
    from ._observer import SilentObserver, TerminalObserver

    return SilentObserver() if place.json else TerminalObserver(name, place.store)
