"""A worker: waits for a study's lease, and goes on with the study where its holder came to an end.

Any number of workers may wait for one study, on any machine that sees the store and the data. One
of them runs it at a time; what they end with is what one undisturbed run ends with.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from deepwell.data._data import Data
from deepwell.storage._claim import LeaseHeldError, LeaseLostError
from deepwell.storage._open import open_store

from ._finished import FinishedStudy, open_study
from ._observer import Observer
from ._resume import Wanted, concluded, take_up
from ._standing import runner_of

POLL_SECONDS = 0.5
"""From one look at the lease to the next: two short reads of the store."""

_STOPPED = "stopped"
_TAKEN_UP = ("running", "failed")


def work(
    name: str,
    data: Data | None = None,
    *,
    store: str | Path | None = None,
    once: bool = False,
    stopped: bool = False,
    observer: Observer | None = None,
    tell: Callable[[str], None] | None = None,
) -> FinishedStudy | None:
    """Wait until nobody runs a study, and go on with it unless it has come to its end.

    A study whose runner was killed, crashed or lost its machine is gone on with from its last
    checkpoint, and ends bit for bit where it would have ended. One that a person or its time budget
    stopped is left as it is. Returns when the study is finished, or stopped.

    >>> import deepwell as dw                        # doctest: +SKIP
    >>> dw.work("churn").result.dev                  # doctest: +SKIP
    Estimate(value=0.186, low=0.167, high=0.207)

    Args:
        name: of the study.
        data: as for `resume`; needed when the study's data came from memory.
        store: folder or URL; None means `./deepwell`.
        once: do not wait where another process runs the study.
        stopped: also go on with a study that a person or its time budget stopped.
        observer: hears what happens while this process runs the study.
        tell: is told in words what is waited for, whenever that changes.

    Returns:
        The study with its outcome; None where another process runs it and `once` was asked for.

    Raises:
        UsageError: when there is no such store or study, its data are gone or not the same, or it
            was stopped before it had an outcome.
        StudyError: when this process ran the study, and the run failed.
        KeyboardInterrupt: when a person stopped this process.
    """
    watcher, say = observer or Observer(), _Changes(tell or _nothing)
    wanted = Wanted(statuses=(*_TAKEN_UP, _STOPPED) if stopped else _TAKEN_UP)
    while True:
        status, holder = _look(name, store)
        if status == "finished":
            return concluded(name, store, watcher, ran=False)
        if holder is not None:
            say(f"study {name} is being run by {holder}; waiting for it to end")
            if once:
                return None
            time.sleep(POLL_SECONDS)
        elif status not in wanted.statuses:
            say(f"study {name} was stopped, and is left as it is")
            return open_study(name, store)
        elif _ran_it(name, data, store, wanted, watcher, say):
            return concluded(name, store, watcher, ran=True)


def _ran_it(
    name: str,
    data: Data | None,
    store: str | Path | None,
    wanted: Wanted,
    observer: Observer,
    say: _Changes,
) -> bool:
    """Go on with a study that nobody runs; return whether this process came to its end."""
    try:
        return take_up(name, data, store, wanted, observer)
    except LeaseHeldError:  # another worker was quicker
        return False
    except LeaseLostError as lost:
        say(str(lost))
        return False


class _Changes:
    """Tells what is said when it is not what was said before."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._said = ""

    def __call__(self, words: str) -> None:
        if words != self._said:
            self._tell(words)
        self._said = words


def _nothing(words: str) -> None:
    """Tell nobody."""


def _look(name: str, store: str | Path | None) -> tuple[str, str | None]:
    """Return a study's status, and who runs it."""
    with open_store(store, create=False) as opened:
        record = opened.study(name)
        holder = runner_of(opened, record)
        # Asked after the lease: one that ended it in between has given both.
        return opened.study(name).status, holder
