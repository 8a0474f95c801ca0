"""Holding a study: its lease in the database and, on this machine, a lock of the system.

The lease in the database decides: it holds on every machine, and expires when its holder is not
heard of any more. The lock only shortens the wait: a process that gets it, and finds the token of
the lease in its file, knows that the holder was a process of this machine that has ended, however
it ended. A process whose lock is held lives, so on its own machine a lease never expires.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deepwell._base._errors import DeepwellError

from ._claim import Claim, LeaseLostError, held_by, new_claim, who
from ._lock import local_lock
from ._study_record import StudyRecord

if TYPE_CHECKING:
    from ._leases import Leases  # loads SQLAlchemy
    from ._store import Store

RENEW_SECONDS = 15.0
"""A holder that recorded nothing for so long says that it is alive."""


@contextmanager
def leased(
    store: Store, record: StudyRecord, folder: Path, claim: Claim | None = None
) -> Generator[None, None, None]:
    """Hold the lease of a study while the block runs, and let this store alone record its run.

    Args:
        store: through which the run is recorded.
        record: of the study.
        folder: for the lock file; made when it is not there.
        claim: with which the study was created; None makes one.

    Raises:
        LeaseHeldError: when another process, or this one, holds it.
        UsageError: when the folder cannot be written.
    """
    own = claim or new_claim()
    with local_lock(folder) as lock:
        assert lock is not None  # it is only not there where one asks
        if not lock.taken:
            raise held_by(record.name, store.leases.holder(record.id))
        store.leases.take(record.id, record.name, own, lock.left)
        try:
            lock.write(own.holder, own.token)
            with _heartbeat(store.leases):
                yield
        finally:
            # What cannot be given back now expires.
            with contextlib.suppress(DeepwellError):
                store.leases.give_back(record.id)


def lease_holder(store: Store, record: StudyRecord, folder: Path) -> str | None:
    """Return who runs a study, in words, or None when nobody does.

    Args:
        store: an open store.
        record: of the study.
        folder: of the lock file.
    """
    with local_lock(folder, ask=True) as lock:
        holder = store.leases.holder(record.id)
        if lock is not None and lock.known:
            if not lock.taken:
                return who(holder)
            if holder is not None and lock.left == holder.token:
                return None
    return None if holder is None else who(holder)


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
