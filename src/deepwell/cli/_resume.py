"""`deepwell resume`: go on with a study that was killed, stopped or crashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepwell._base._errors import StudyError

from ._acts import live, tell
from ._exit_codes import DONE, STOPPED
from ._options import GoOn, Name, Place
from ._output import print_json
from ._space import parsed_space, parsed_tries

if TYPE_CHECKING:
    from ._observer import SilentObserver, TerminalObserver

EXAMPLES = """\
deepwell resume churn
deepwell resume churn --budget 5m
deepwell resume churn --epochs 50
deepwell resume churn --trials 64 --space "learning_rate=log(1e-3,1e-2)"\
"""


def resume(which: Name, more: GoOn, place: Place) -> int:
    """Go on with a study that was killed, stopped or crashed.

    Goes on from the last checkpoint, some seconds before a kill or where Ctrl-C or the time budget
    stopped it, ends where it would have ended, and prints what fit would have printed. Of a
    finished study it prints the result. --trials trains more networks in the same study, from
    another space or by another sampler where one is given. A run that deepwell pause holds goes on
    where it is.
    """
    from deepwell.study._interrupt import BY_USER
    from deepwell.study._resume import resume as go_on

    observer = _observer(which.name, place)
    try:
        finished = go_on(
            which.name,
            store=place.store,
            budget=more.budget,
            **_further(more),
            observer=observer,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{BY_USER} before there was a result") from None
    except StudyError:  # another process runs the study
        paused = live(which.name, place)
        if not paused.paused():
            raise
        return tell(paused.resume(), place)
    finally:
        observer.close()
    result = finished.result
    if place.json:
        from deepwell.report._json import fit_json

        print_json(fit_json(result))
    return STOPPED if result.stopped == BY_USER else DONE


def _further(more: GoOn) -> dict[str, Any]:
    """Return what is asked for beyond the study's end, as far as it was said."""
    asked = {
        "trials": more.trials,
        "epochs": more.epochs,
        "space": parsed_space(more.space),
        "constraints": more.constraint,
        "search": more.search,
        "given": parsed_tries(more.try_),
    }
    return {name: value for name, value in asked.items() if value}


def _observer(name: str, place: Place) -> SilentObserver | TerminalObserver:
    from ._observer import SilentObserver, TerminalObserver

    return SilentObserver() if place.json else TerminalObserver(name, place.store)
