"""`deepwell resume`: go on with a study that was killed, stopped or crashed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from deepwell._base._errors import StudyError, UsageError
from deepwell._base._shell import shell_word, store_flag

from ._acts import live, tell
from ._exit_codes import DONE, STOPPED
from ._options import GoOn, Name, Place
from ._output import print_json
from ._space import parsed_space, parsed_tries

if TYPE_CHECKING:
    from ._observer import SilentObserver, TerminalObserver

_OF_A_RUN = {
    **dict.fromkeys(("trials", "epochs", "budget"), "extend"),
    **dict.fromkeys(("space", "constraint", "search"), "narrow"),
    "try_": "",
}
"""Option -> the command that asks a run for it while it trains, where there is one."""

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
    where it is, as it was begun: deepwell extend and deepwell narrow ask it for more.
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
        _refuse_more(which.name, more, place)
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


def _refuse_more(name: str, more: GoOn, place: Place) -> None:
    """Refuse what a run that is there cannot be asked for by this command.

    Raises:
        UsageError: naming the commands that can.
    """
    given = [option for option in _OF_A_RUN if getattr(more, option) not in (None, ())]
    if not given:
        return
    where = f"{shell_word(name)}{store_flag(place.store)}"
    asking = [f"deepwell {c} {where}" for c in dict.fromkeys(map(_OF_A_RUN.get, given)) if c]
    how = [f"ask with {' and '.join(asking)}"] if asking else []
    how += ["give --try when it has ended"] if "try_" in given else []
    flags = ", ".join(f"--{option.rstrip('_')}" for option in given)
    raise UsageError(
        f"a run of this study is paused, and resume only lets it go on, without {flags}; "
        f"{' and '.join(how)}"
    )


def _observer(name: str, place: Place) -> SilentObserver | TerminalObserver:
    from ._observer import SilentObserver, TerminalObserver

    return SilentObserver() if place.json else TerminalObserver(name, place.store)
