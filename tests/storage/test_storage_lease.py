"""The lease: one holder at a time, on any machine; nobody else records; no crash keeps it long."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest
import sqlalchemy as sa

from deepwell._base._errors import UsageError
from deepwell.records import ChunkRecord, Estimate, Event, Opening, Status, TrialSpec
from deepwell.storage import Store, StudyRecord, _lease, _leases, _mark
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._claim import LeaseHeldError, LeaseLostError, new_claim
from deepwell.storage._lease import lease_holder, leased
from deepwell.storage._mark import living, marked
from deepwell.storage._schema import LEASE

HOLD = """
import sys
from pathlib import Path
from deepwell.storage import open_store
from deepwell.storage._lease import leased
with open_store(sys.argv[1]) as store:
    record = store.study("churn")
    with leased(store, record):
        print("held", flush=True)
        sys.stdin.read()
"""
BY_TURNS = """
import sys, time
from pathlib import Path
from deepwell.storage import open_store
from deepwell.storage._lease import leased
from deepwell.storage._claim import LeaseHeldError
store, turns = open_store(sys.argv[1]), 0
total = store.folder / "total"
record = store.study("churn")
while turns < 3:
    try:
        with leased(store, record):
            read = int(total.read_text())
            time.sleep(0.001)
            total.write_text(str(read + 1))
            turns += 1
    except LeaseHeldError:
        time.sleep(0.002)
"""


@pytest.fixture
def no_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk without locks, as another machine's: only the lease in the database tells."""

    def unknown(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(_mark, "_lock", unknown)


@contextlib.contextmanager
def another(store: Store) -> Iterator[Store]:
    with Store(store.folder, store._database.backend) as opened:
        yield opened


def place(store: Store) -> str:
    """Where another process finds the store."""
    at = getattr(store._database.backend, "_address", None)
    if at is None:
        return str(store.folder)
    return f"postgresql://{at.user}@/{at.database}?host={at.host}&port={at.port}"


@contextlib.contextmanager
def holding(store: Store) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, place(store)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def expire(store: Store) -> None:
    with store._database.reading() as connection:
        assert connection.execute(sa.select(LEASE)).one()
    with another(store) as other, other._database.writing() as connection:
        connection.execute(sa.update(LEASE).values(expires=1.0))


def test_a_lease_is_held_once_and_given_back(store: Store, study: StudyRecord):
    assert lease_holder(store, study) is None
    before = sorted(store.folder.iterdir())
    with leased(store, study), another(store) as other:
        me = f"process {os.getpid()} on "
        for asked in (store, other):
            assert (lease_holder(asked, study) or "").startswith(me)
            with (
                pytest.raises(LeaseHeldError, match=f"study churn is being run by {me}"),
                leased(asked, study),
            ):
                raise AssertionError("taken twice")
    assert lease_holder(store, study) is None
    with pytest.raises(RuntimeError), leased(store, study):
        raise RuntimeError
    with leased(store, study):
        pass
    assert sorted(store.folder.iterdir()) == before  # nothing is left


def test_a_killed_process_of_this_machine_is_known_at_once(store: Store, study: StudyRecord):
    with holding(store) as process:
        them = f"process {process.pid} on "
        assert (lease_holder(store, study) or "").startswith(them)
        with (
            pytest.raises(LeaseHeldError, match=f"{them}.*wait for it, or stop"),
            leased(store, study),
        ):
            raise AssertionError("taken twice")
        process.send_signal(signal.SIGKILL)
        process.communicate()
        left = store.leases.row(study.id)
        assert left is not None
        assert left.seconds > 30  # the lease itself has long to go
        assert lease_holder(store, study) is None
        with leased(store, study):
            assert (lease_holder(store, study) or "").startswith(f"process {os.getpid()} ")


def test_a_stopped_process_of_this_machine_keeps_its_lease(store: Store, study: StudyRecord):
    """It lives: however slow, it is not taken for dead where that can be known."""
    with holding(store) as process:
        process.send_signal(signal.SIGSTOP)
        expire(store)
        assert (lease_holder(store, study) or "").startswith(f"process {process.pid} ")
        with pytest.raises(LeaseHeldError), leased(store, study):
            raise AssertionError("taken from a living process")


def test_a_process_that_died_before_its_first_record_is_known_too(store: Store, study: StudyRecord):
    """Its mark is there before its token is: no kill can come between."""
    claim = new_claim()
    with marked(store.folder, claim):
        store.leases.take(study.id, "churn", claim)
        (mark,) = (store.folder / ".runners").iterdir()
        kept = mark.read_text()
    (store.folder / ".runners").mkdir()
    mark.write_text(kept)  # as a kill leaves it
    with another(store) as other:
        assert lease_holder(other, study) is None
        with leased(other, study):
            assert not mark.exists()


def test_the_mark_of_another_machine_proves_nothing(
    store: Store, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
):
    """Where each machine has locks of its own, a free lock says nothing of the others."""
    claim = new_claim()
    store.leases.take(study.id, "churn", claim)
    (store.folder / ".runners").mkdir()
    mark = store.folder / ".runners" / f"{claim.token}.lock"
    mark.write_text("far 1-2-3\nprocess 7 on far\n")
    with another(store) as other:
        with pytest.raises(LeaseHeldError), leased(other, study):
            raise AssertionError("taken from a process elsewhere")
        monkeypatch.setattr(_mark, "machine", lambda: "far 1-2-3")
        with leased(other, study):  # this is the machine: its process is gone
            pass


def test_who_lives_here_can_be_told_without_the_database(store: Store, study: StudyRecord):
    assert living(store.folder) == []
    with leased(store, study):
        (words,) = living(store.folder)
        assert words.startswith(f"process {os.getpid()} on ")
        (store.folder / ".runners" / "0a.lock").write_text(f"{_mark.machine()}\nprocess 1 on x\n")
        assert living(store.folder) == [words]


def test_whoever_asks_does_not_make_a_dead_process_look_alive(store: Store, study: StudyRecord):
    """However many ask at once, and however slow they are."""
    claim = new_claim()
    store.leases.take(study.id, "churn", claim)
    (store.folder / ".runners").mkdir()
    mark = store.folder / ".runners" / f"{claim.token}.lock"
    mark.write_text(f"{_mark.machine()}\nprocess 1 on x\n")  # as a kill leaves it
    with mark.open("r+", encoding="utf-8") as asks:
        assert _mark._is_free(asks)  # and does not come to close it
        assert lease_holder(store, study) is None
        with another(store) as other, leased(other, study):
            pass


def test_a_process_is_marked_while_others_ask(
    store: Store, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
):
    """Those who list the living may look at a mark that was made just now."""
    asked: list[threading.Timer] = []

    def looked_at(file: Path) -> IO[str]:
        opened = made(file)
        asks = file.open("r+", encoding="utf-8")
        assert _mark._is_free(asks)
        asked.append(threading.Timer(0.05, asks.close))
        asked[-1].start()
        return opened

    made = _mark._made
    monkeypatch.setattr(_mark, "_made", looked_at)
    with leased(store, study):
        assert len(living(store.folder)) == 1
    for one in asked:
        one.join()


def test_without_locks_the_lease_alone_holds(store: Store, study: StudyRecord, no_locks: None):
    with another(store) as other:
        with leased(store, study):
            assert (lease_holder(other, study) or "").startswith("process ")
            with pytest.raises(LeaseHeldError), leased(other, study):
                raise AssertionError("taken twice")
        assert lease_holder(other, study) is None
        with leased(other, study):
            pass


def test_a_lease_that_nobody_renews_expires_by_the_database_s_clock(
    store: Store, study: StudyRecord, no_locks: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_leases, "LEASE_SECONDS", 0.2)
    store.leases.take(study.id, "churn", new_claim())
    began = time.monotonic()
    monkeypatch.setattr(time, "time", lambda: 0.0)  # this machine's clock says nothing
    with another(store) as other:
        while True:
            with contextlib.suppress(LeaseHeldError), leased(other, study):
                break
            assert time.monotonic() - began < 10
    assert time.monotonic() - began >= 0.15


def test_a_long_chunk_keeps_its_lease(
    store: Store, study: StudyRecord, no_locks: None, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(_leases, "LEASE_SECONDS", 1.0)
    monkeypatch.setattr(_lease, "RENEW_SECONDS", 0.05)
    with leased(store, study), another(store) as other:
        ends = time.monotonic() + 1.5
        while time.monotonic() < ends:
            with pytest.raises(LeaseHeldError):
                other.leases.take(study.id, "churn", new_claim())
            time.sleep(0.05)
        store.append_event(study.id, Event(0.0, "alive"))


def chunk_of(trials: int) -> ChunkRecord:
    values = np.full(trials, 0.5, np.float32)
    metrics = {"train_cost": values, "dev_cost": values, "dev_score": values}
    return ChunkRecord(1, np.arange(trials), metrics, {}, np.full(trials, 3))


OPENED = Opening(0.0, "churn", 3, "error", Estimate(0.2, 0.1, 0.3), 0)
RECORDS: dict[str, Callable[[Store, int], object]] = {
    "status": lambda s, i: s.set_status(i, "finished"),
    "propose": lambda s, i: s.propose(i, [(9, TrialSpec({}, seed=9))], Event(0.0, "propose")),
    "chunk": lambda s, i: s.record_chunk(i, 0, chunk_of(4)),
    "statuses": lambda s, i: s.record_statuses(i, {0: Status.PRUNED}, {}, Event(0.0, "prune")),
    "event": lambda s, i: s.append_event(i, Event(0.0, "finish")),
    "result": lambda s, i: s.save_result(i, {"dev": 0.1}),
    "finish": lambda s, i: s.finish(i, {}, "finished", 1.0, Event(0.0, "finish")),
    "leave": lambda s, i: s.leave(i, "stopped", 0.0),
    "checkpoint": lambda s, i: s.save_checkpoint(i, CheckpointRecord(1.0, 0)),
    "roll back": lambda s, i: s.roll_back(i, (), Event(0.0, "resume")),
    "extend": lambda s, i: s.extend(i, {}, CheckpointRecord(1.0, 0)),
    "state": lambda s, i: s.states.keep(i, {(0, 1): {"w": np.zeros(3)}}, "checkpoint"),
    "delete": lambda s, i: s.delete_empty(i),
    "opening": lambda s, i: s.ledger.append("a" * 64, OPENED, "m"),
}


@pytest.mark.parametrize("what", RECORDS)
def test_a_holder_whose_lease_was_taken_over_records_nothing(
    what: str, store: Store, study: StudyRecord, no_locks: None
):
    def everything() -> list[object]:
        with other._database.reading() as connection:
            names = sa.inspect(connection).get_table_names()
            rows = {n: connection.exec_driver_sql(f"SELECT * FROM {n}").all() for n in names}
        return sorted((n, repr(r)) for n, r in rows.items() if n != "lease")

    with another(store) as other, leased(store, study):
        expire(store)
        with leased(other, study):
            before = everything()
            with pytest.raises(
                LeaseLostError,
                match=r"study churn was taken from this process.*: "
                rf"process {os.getpid()} on .* runs it now; what this process",
            ):
                RECORDS[what](store, study.id)
            assert everything() == before
            RECORDS[what](other, study.id)  # while the new holder records as ever
        if what not in ("delete",):
            with pytest.raises(LeaseLostError):  # nor when that one has ended
                RECORDS[what](store, study.id)


def test_a_study_that_was_deleted_under_its_run_is_told(store: Store, study: StudyRecord):
    with leased(store, study), another(store) as other:
        with other._database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM study")
        with pytest.raises(LeaseLostError, match="it was deleted, or its lease ended by hand"):
            store.record_chunk(study.id, 0, chunk_of(4))


def test_a_record_renews_the_lease_in_its_own_transaction(store: Store, study: StudyRecord):
    commits: list[int] = []
    sa.event.listen(store._database._engine, "commit", commits.append)
    with leased(store, study):
        with another(store) as other, other._database.writing() as connection:
            connection.execute(sa.update(LEASE).values(expires=LEASE.c.expires - 50))
        commits.clear()
        store.record_chunk(study.id, 0, chunk_of(4))
        assert len(commits) == 1
        holder = store.leases.row(study.id)
        assert holder is not None
        assert holder.seconds > 55


def test_a_study_is_leased_from_the_moment_that_it_is_there(store: Store):
    claim = new_claim()
    made = store.create_study("new", {}, None, claim)
    with another(store) as other:
        with pytest.raises(LeaseHeldError):
            other.leases.take(made.id, "new", new_claim())
        with marked(store.folder, claim), leased(store, made, claim):
            store.set_status(made.id, "failed")


def test_eight_processes_hold_it_by_turns(store: Store, study: StudyRecord):
    total = store.folder / "total"
    total.write_text("0")
    command = [sys.executable, "-c", BY_TURNS, place(store)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(8)]
    for process in processes:
        _, complaints = process.communicate(timeout=60)
        assert process.returncode == 0, complaints
    assert total.read_text() == "24"


def test_a_place_that_cannot_be_written_is_told(store: Store, study: StudyRecord):
    (store.folder / ".runners").write_text("")
    with (
        pytest.raises(UsageError, match="a file stands where a folder is needed"),
        leased(store, study),
    ):
        raise AssertionError("no place")


def test_a_hostile_holder_is_harmless(store: Store, study: StudyRecord):
    with leased(store, study):
        with store._database.writing() as connection:
            connection.execute(sa.update(LEASE).values(holder="\x1b[2J me"))
        assert lease_holder(store, study) == "?[2J me"


@pytest.mark.parametrize("content", [b"", b"\xff\xfe nonsense", b"\n\n"])
def test_a_mark_that_says_nothing_is_no_evidence(content: bytes, store: Store, study: StudyRecord):
    claim = new_claim()
    store.leases.take(study.id, "churn", claim)
    (store.folder / ".runners").mkdir()
    (store.folder / ".runners" / f"{claim.token}.lock").write_bytes(content)
    with another(store) as other:
        assert (lease_holder(other, study) or "").startswith("process ")


def test_a_token_leads_to_no_other_file(store: Store, study: StudyRecord):
    with store._database.writing() as connection:
        row = {"study_id": study.id, "holder": "me", "token": "../../x", "expires": 1e12}
        connection.execute(sa.insert(LEASE), row)
    (store.folder / "x.lock").write_text(f"{_mark.machine()}\n")
    assert lease_holder(store, study) == "me"
