"""A study watched from outside while another process trains it: reads the store, asks nothing."""

from __future__ import annotations

import time
from collections.abc import Generator
from pathlib import Path

from deepwell.storage._deed import REFUSE
from deepwell.storage._open import open_store

from ._sight import Sight, sight_of
from ._standing import runner_of
from .acts._race import WON
from .acts._registry import ACTS

POLL_SECONDS = 0.25
_SHARE = 0.1  # of the time, at most, that looking takes
_BY_HAND = (*sorted({act.event for act in ACTS.values()}), WON, REFUSE)


def follow(name: str, store: str | Path | None = None) -> Generator[Sight]:
    """Yield what is seen of a study whenever it has changed, until its run ends.

    The run is left alone, whatever the watcher does.

    Args:
        name: of the study.
        store: folder or URL; None means `./deepwell`.

    Raises:
        UsageError: when there is no such study.
    """
    with open_store(store, create=False) as opened:
        told, known, took = None, opened.requests.events(opened.study(name).id, _BY_HAND), 0.0
        seen = len(known)
        while True:
            record = opened.study(name)
            known = opened.requests.events(record.id, _BY_HAND)
            state = (record.seconds, record.status, runner_of(opened, record), len(known))
            if state != told:
                began = time.perf_counter()
                sight = sight_of(opened, record, tuple(known[seen:]))
                told, seen, took = state, len(known), time.perf_counter() - began
                yield sight
                if sight.over:
                    return
            time.sleep(max(POLL_SECONDS, took / _SHARE))
