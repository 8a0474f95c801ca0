"""From arguments to an exit code: 0 done, 1 failed, 2 wrong usage or data, 130 stopped.

What a command needs is imported inside, so that Ctrl-C during a slow import ends in one line too.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from ._exit_codes import STOPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

# Of the collector's three generations: a command makes much that stays, its modules above all,
# and looking through that again and again costs it a fifth of a second.
_COLLECTED_AFTER = (10_000, 20, 20)


def main() -> int:
    """Run the command line of this process and return its exit code."""
    import gc

    gc.set_threshold(*_COLLECTED_AFTER)
    try:
        for stream in (sys.stdout, sys.stderr):
            # A terminal that lacks a character of a column name shows its number instead.
            getattr(stream, "reconfigure", lambda **_: None)(errors="backslashreplace")
        code = run(sys.argv[1:])
    except KeyboardInterrupt:  # before `run` could listen
        print("error: stopped by the user", file=sys.stderr)
        code = STOPPED
    import signal

    # All is said and written: Ctrl-C must not make a trace out of the clean-up of threads.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if code == STOPPED:
        # Nor may a thread that was cut short (a compiler, a library's timer) delay the end.
        sys.stderr.flush()
        os._exit(code)
    gc.freeze()  # the interpreter's last look through all modules takes a quarter of a second
    return code


def run(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; errors are told, never raised.

    Args:
        arguments: what follows `deepwell`, as in `["show", "churn", "--json"]`.
    """
    from ._interrupts import Interrupts

    with Interrupts() as interrupts:
        from ._errors import tell_error
        from ._output import flush

        try:
            code = _perform(list(arguments))
            flush()
        except (Exception, KeyboardInterrupt) as error:
            if interrupts.asked and not isinstance(error, KeyboardInterrupt):
                error = KeyboardInterrupt()  # a library turned it into something else
            code = tell_error(error, as_json="--json" in arguments)
        return code


def _perform(arguments: list[str]) -> int:
    from ._app import parse

    action = parse(arguments or ["--help"])
    return action()
