"""`deepwell work`: wait for a study, and go on with it where its runner came to an end."""

from __future__ import annotations

from ._exit_codes import DONE, STOPPED
from ._options import Name, Place, Working
from ._output import complain, print_json, print_lines

EXAMPLES = "deepwell work churn\ndeepwell work churn --once\ndeepwell work churn --stopped"


def work(which: Name, working: Working, place: Place) -> int:
    """Go on with a study where its runner died, once nobody runs it.

    Start it on as many machines as you like: one at a time runs the study. It ends as an
    undisturbed run ends. Leaves when the study is finished. A study that a person or its time
    budget stopped is left as it is, unless --stopped is given.
    """
    from deepwell.study._interrupt import BY_USER
    from deepwell.study._worker import work as go_on

    from ._observer import SilentObserver, TerminalObserver

    observer = SilentObserver() if place.json else TerminalObserver(which.name, place.store)
    try:
        finished = go_on(
            which.name,
            store=place.store,
            once=working.once,
            stopped=working.stopped,
            observer=observer,
            tell=complain if place.json else _tell,
        )
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"{BY_USER} before there was a result") from None
    finally:
        observer.close()
    result = None if finished is None else finished.result
    if place.json:
        from deepwell.report._json import fit_json

        print_json({"name": which.name, "waits": True} if result is None else fit_json(result))
    return STOPPED if result is not None and result.stopped == BY_USER else DONE


def _tell(words: str) -> None:
    from deepwell.report._layout import entry

    print_lines(entry("waiting", words))
