"""Holding a study: its lease in the database and, on this machine, a mark of the process.

The lease in the database decides: it holds on every machine, and expires when its holder is not
heard of any more. The mark shortens the wait: it tells a process of the same machine at once that
the holder has ended, however it ended. A process whose mark is locked lives, so on its own machine
a lease never expires.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from deepwell._base._errors import DeepwellError

from ._claim import Claim, LeaseLostError, held_by, new_claim, who
from ._mark import Fate, fate_of, forget, marked
from ._study_record import StudyRecord

if TYPE_CHECKING:
    from ._leases import Leases  # loads SQLAlchemy
    from ._store import Store

RENEW_SECONDS = 15.0
"""A holder that recorded nothing for so long says that it is alive."""


@contextmanager
def leased(
    store: Store, record: StudyRecord, claim: Claim | None = None
) -> Generator[None, None, None]:
    """Hold the lease of a study while the block runs, and let this store alone record its run.

    Args:
        store: through which the run is recorded.
        record: of the study.
        claim: with which the study was created, and which is marked; None makes one.

    Raises:
        LeaseHeldError: when another process, or this one, holds it.
        UsageError: when the store's folder cannot be written.
    """
    with contextlib.ExitStack() as last:
        if claim is None:
            claim = new_claim()
            last.enter_context(marked(store.folder, claim))
        row = store.leases.row(record.id)
        fate = Fate.UNKNOWN if row is None else fate_of(store.folder, row.token)
        own = row is not None and row.token == claim.token
        if fate is Fate.ALIVE and not own:
            raise held_by(record.name, row)
        dead = row.token if row is not None and fate is Fate.DEAD else ""
        store.leases.take(record.id, record.name, claim, dead)
        last.callback(_give_back, store, record.id)
        if dead:
            forget(store.folder, dead)
        last.enter_context(_heartbeat(store.leases))
        yield


def lease_holder(store: Store, record: StudyRecord) -> str | None:
    """Return who runs a study, in words, or None when nobody does."""
    row = store.leases.row(record.id)
    if row is None:
        return None
    fate = fate_of(store.folder, row.token)
    lives = row.seconds > 0 if fate is Fate.UNKNOWN else fate is Fate.ALIVE
    return who(row) if lives else None


def _give_back(store: Store, study_id: int) -> None:
    with contextlib.suppress(DeepwellError):  # what cannot be given back now expires
        store.leases.give_back(study_id)


@contextmanager
def _heartbeat(leases: Leases) -> Generator[None, None, None]:
    """Renew leases while the block runs whenever no record did it for long."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(max(0.01, RENEW_SECONDS - leases.idle_seconds())):
            if leases.idle_seconds() < RENEW_SECONDS:
                continue
            try:
                leases.renew()
            except LeaseLostError:  # which the next record will tell
                return
            except DeepwellError:  # a store that is busy, or out of reach: again, a little later
                ended.wait(RENEW_SECONDS / 3)

    thread = threading.Thread(target=beat, name="deepwell-lease", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
