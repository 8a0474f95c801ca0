"""A study watched while another process trains it: `deepwell show NAME --follow`."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from typing import TYPE_CHECKING, Any

from ._exit_codes import DONE
from ._output import print_json, print_lines, silent_when_closed, write_text

if TYPE_CHECKING:
    from ._options import Place

_CLEAR = "\r\x1b[K"


def follow_run(name: str, place: Place) -> int:
    """Print what is seen of a study until its run ends, or Ctrl-C leaves the run alone."""
    from deepwell.study._follow import follow

    show = _as_json if place.json else _as_line if _on_terminal() else _as_lines
    last: Any = None
    try:
        for sight in follow(name, place.store):
            show(sight, place)
            last = sight
    except KeyboardInterrupt:
        if not place.json:
            from deepwell.report._layout import entry

            told = "not seen yet" if last is None else f"it trains on ({last.runner})"
            print_lines(["", *entry("left", told)] if _on_terminal() else entry("left", told))
    return DONE


def _on_terminal() -> bool:
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def _as_json(sight: Any, place: Place) -> None:
    from deepwell.report._sight_lines import sight_json

    print_json(sight_json(sight))


def _as_lines(sight: Any, place: Place) -> None:
    from deepwell.report._sight_lines import sight_lines

    print_lines(sight_lines(sight, place.store))


def _as_line(sight: Any, place: Place) -> None:
    """Let the last line rewrite itself; changes by hand stay above it."""
    from deepwell.report._layout import fit_to
    from deepwell.report._sight_lines import acts_lines, sight_lines

    acts = acts_lines(sight, place.store)
    *_, line = [""] if sight.over else sight_lines(sight, place.store)
    columns = shutil.get_terminal_size().columns - 1
    above = "".join(f"{text}\n" for text in acts)
    with silent_when_closed(sys.stdout), contextlib.suppress(ValueError):
        write_text(_CLEAR + above + fit_to(line, columns))
    if sight.over:
        print_lines(sight_lines(sight, place.store)[len(acts) :])
