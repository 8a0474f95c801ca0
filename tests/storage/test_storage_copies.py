"""A study's records copied from one kind of database to the other, and back."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from deepwell._base._errors import StudyError
from deepwell.records import ChunkRecord, Estimate, Event, Opening, Request, Status, Tag, TrialSpec
from deepwell.storage import RowReuse, Store, StudyRecord, _copies, _turns, open_store
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._copies import Copied
from deepwell.storage._deed import Deed
from deepwell.storage._schema import METADATA, STUDY


def told(store: Store, study: int) -> list[object]:
    trials = store.trials(study, curves=True)
    return [
        [(t.number, t.spec, t.status, t.score, t.cost, t.epochs) for t in trials],
        [{name: curve.tolist() for name, curve in t.curves.items()} for t in trials],
        [(e.time, e.kind, e.trial, dict(e.details)) for e in store.events(study)],
        [(n.trial, n.time, n.text) for n in store.notes.read(study)],
        store.notes.tags(study),
        store.checkpoint(study),
        store.row_hashes.read(study, "train").tolist(),
    ]


COPIED = Event(11.0, "copy", None, {"study": "churn", "seen": []})


def as_it_is(store: Store, study: StudyRecord, *events: Event) -> Copied:
    entries = store.ledger.entries("f" * 64)
    return Copied(study.config, _named, entries, events, ".0123456789abcdef.tmp", _stay)


def _named(result: Mapping[str, object], name: str) -> dict[str, object]:
    return {**result, "name": name}


def _stay(_: str) -> None:
    """Nothing is left to be done."""


def test_records_go_to_the_other_kind_of_database_and_back(
    store: Store, study: StudyRecord, make_chunk: Callable[..., ChunkRecord], tmp_path: Path
):
    store.create_study("other", {})  # so that keys are not the same by chance
    statuses = {1: Status.PRUNED}
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.25, np.nan, 0.75], statuses=statuses))
    store.save_checkpoint(study.id, CheckpointRecord(1.5, 0, {"files": []}))
    store.record_chunk(study.id, 0, make_chunk(2, [0.125, np.inf], trials=[0, 3]))
    store.append_event(study.id, Event(9.5, "narrow", None, {"ü": 1}))
    store.notes.add(study.id, "ünstable", 2)
    store.notes.tag(study.id, ["keep"], 1)
    store.row_hashes.record(study.id, "train", np.arange(5, dtype=np.uint64))
    store.save_result(study.id, {"name": "churn", "dev": 0.25})
    found = Opening(0.0, "churn", 0, "error", Estimate(0.3, 0.2, np.nan), 0, ("a note",))
    store.ledger.append("f" * 64, found, "0" * 64)
    with open_store(tmp_path / "away") as away:
        away.create_study("first", {})
        there = store.copies.copy_to(away.copies, study.id, as_it_is(store, study))
        assert (there.name, there.created) == ("churn", study.created)
        assert told(away, there.id) == told(store, study.id)
        assert away.result(there.id) == store.result(study.id)
        assert away.ledger.openings("f" * 64) == store.ledger.openings("f" * 64)
        away.ledger.verify()
        back = away.copies.copy_to(store.copies, there.id, as_it_is(away, there))
        assert back.name == "churn-2"
        assert store.result(back.id) == {"name": "churn-2", "dev": 0.25}
        assert told(store, back.id) == told(store, study.id)
        assert store.notes.tags(back.id) == [Tag(1, "keep")]
        assert len(store.ledger.openings("f" * 64)) == 1  # it was known
        away.roll_back(there.id, ["narrow"], Event(10.0, "resume"))
        store.roll_back(study.id, ["narrow"], Event(10.0, "resume"))
        assert told(away, there.id) == told(store, study.id)


def test_a_request_in_a_copy_is_not_answered_by_an_event_of_the_other_store(
    store: Store, study: StudyRecord, tmp_path: Path
):
    def nudge(where: Store, study_id: int) -> Event:
        asked = where.requests.ask(study_id, "nudge", 1, {"changes": {"l2": "x0.5"}})
        assert where.requests.outcome(study_id, asked, ("nudge",)) is None
        done = Event(5.0, "nudge", 1, {"request": asked.id, "epoch": 2})
        where.requests.carry_out(study_id, Deed([done], asked.id))
        assert where.requests.outcome(study_id, asked, ("nudge",)) == done
        return done

    other = store.create_study("other", {})
    for study_id in (other.id, other.id, study.id, study.id):
        nudge(store, study_id)
    store.requests.ask(study.id, "pause", None, {})  # of the run there
    with open_store(tmp_path / "away") as away:
        there = store.copies.copy_to(away.copies, study.id, as_it_is(store, study))
        assert away.requests.waiting(there.id) == []
        told = [event.details["request"] for event in away.events(there.id, "nudge")]
        assert len(set(told)) == 2
        assert all(away.requests.taken(Request(n, 0.0, "nudge"), there.id) for n in told)
        nudge(away, there.id)  # whose number one of those had in the other store


def test_an_older_study_has_seen_rows_though_it_was_copied_later(store: Store, tmp_path: Path):
    seen = np.array([1, 2], np.uint64)
    with open_store(tmp_path / "away") as away:
        older = away.create_study("older", {})
        own = store.create_study("own", {})
        later = away.create_study("later", {})
        for one in (later, older):
            away.row_hashes.record(one.id, "dev", seen)
            away.copies.copy_to(store.copies, one.id, as_it_is(away, one))
    assert store.row_hashes.reuse_of(own.id, seen[1:]) == [RowReuse("older", "dev", 1)]
    newest = store.create_study("newest", {})
    told = store.row_hashes.reuse_of(newest.id, seen)
    assert told == [RowReuse("older", "dev", 2), RowReuse("later", "dev", 2)]


def test_a_copy_has_its_own_events_and_its_folder_from_the_first_moment(
    store: Store, study: StudyRecord, tmp_path: Path
):
    with open_store(tmp_path / "away") as away:
        staged = away.folder / ".0123456789abcdef.tmp"
        staged.mkdir()
        (staged / "report.txt").write_text("all is well\n")
        before = store.events(study.id)
        there = store.copies.copy_to(away.copies, study.id, as_it_is(store, study, COPIED))
        assert away.events(there.id) == [*before, COPIED]
        assert (away.folder / "churn" / "report.txt").read_text() == "all is well\n"
        assert not staged.exists()


def test_what_fails_at_the_end_leaves_no_record(store: Store, study: StudyRecord, tmp_path: Path):
    def fail(_: str) -> None:
        raise OSError("no")

    with open_store(tmp_path / "away") as away:
        copied = replace(as_it_is(store, study, COPIED), last=fail)
        staged = away.folder / copied.staged
        staged.mkdir()
        with pytest.raises(OSError, match="no"):
            store.copies.copy_to(away.copies, study.id, copied)
        assert away.studies() == []
        assert staged.exists()
        with pytest.raises(StudyError, match="no study with the id 99"):
            store.copies.copy_to(away.copies, 99, copied)


def test_numbers_of_openings_never_become_less(store: Store, study: StudyRecord, tmp_path: Path):
    """The second opening here, of which the first is lost, is no first one there."""
    found = Opening(0.0, "churn", 0, "error", Estimate(0.3, 0.2, 0.4), 0)
    for _ in range(2):
        store.ledger.append("f" * 64, found, "0" * 64)
    _, second = store.ledger.entries("f" * 64)
    with open_store(tmp_path / "away") as away:
        copied = replace(as_it_is(store, study), openings=[second])
        store.copies.copy_to(away.copies, study.id, copied)
        assert [o.number for o in away.ledger.openings("f" * 64)] == [2]
        assert away.ledger.append("f" * 64, found, "0" * 64).number == 3
        away.ledger.verify()


def rows_of(store: Store) -> int:
    """Return how many rows all studies of a store have, drafts included."""
    tables = [table for table in METADATA.sorted_tables if "study_id" in table.c]
    count = sa.select(sa.func.count())
    with store._database.reading() as connection:
        return sum(connection.execute(count.select_from(t)).scalar_one() for t in (*tables, STUDY))


@pytest.fixture
def in_small_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two rows a statement, and a turn for each."""
    monkeypatch.setattr(_copies, "_AT_ONCE", 2)
    monkeypatch.setattr(_turns, "TURN_SECONDS", 0.0)


@pytest.mark.usefixtures("in_small_turns")
def test_others_record_while_a_study_is_copied_and_see_nothing_of_it_until_it_is_whole(
    store: Store,
    study: StudyRecord,
    make_chunk: Callable[..., ChunkRecord],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    for epoch in range(1, 6):
        store.record_chunk(study.id, 0, make_chunk(epoch, [0.5, 0.25, 1 / epoch, 0.75]))
    rows = np.arange(7, dtype=np.uint64)
    store.row_hashes.record(study.id, "train", rows)
    with open_store(tmp_path / "away") as away, open_store(tmp_path / "away") as other:
        own, waits, late = other.create_study("own", {}), list[int](), list[StudyRecord]()

        def record() -> None:
            waits.append(rows_of(other))
            if len(waits) == 1:
                other.propose(own.id, [(0, TrialSpec({}, seed=0))])
                late.append(other.create_study("late", {}))
            other.record_chunk(own.id, 0, make_chunk(len(waits), [0.5], trials=[0]))
            assert [one.name for one in other.studies()] == ["own", "late"]
            assert other.query("SELECT DISTINCT study FROM trials", 9).rows == (("own",),)
            assert other.removal.deleted() == []
            assert other.row_hashes.reuse_of(late[0].id, rows) == []

        monkeypatch.setattr(_turns, "pause", record)
        there = store.copies.copy_to(away.copies, study.id, as_it_is(store, study))
        assert len(waits) > 10
        assert waits == sorted(waits)
        assert told(away, there.id) == told(store, study.id)
        (curves,) = (t.curves for t in other.trials(own.id, curves=True))
        assert len(curves["dev_score"]) == len(waits)
        assert other.row_hashes.reuse_of(late[0].id, rows) == [RowReuse("churn", "train", 7)]


@pytest.mark.usefixtures("in_small_turns")
@pytest.mark.parametrize("nth", [1, 3])
def test_a_copy_that_fails_on_its_way_leaves_no_row(
    nth: int, store: Store, study: StudyRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    calls: list[int] = []

    def interrupted() -> None:
        calls.append(1)
        if len(calls) == nth:
            raise KeyboardInterrupt

    monkeypatch.setattr(_turns, "pause", interrupted)
    with open_store(tmp_path / "away") as away:
        with pytest.raises(KeyboardInterrupt):
            store.copies.copy_to(away.copies, study.id, as_it_is(store, study))
        assert rows_of(away) == 0


def test_a_draft_that_was_removed_becomes_no_study(
    store: Store, study: StudyRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with open_store(tmp_path / "away") as away:
        real = away.copies._end

        def late(*given: Any) -> StudyRecord:
            away.copies.remove(given[2])
            return real(*given)

        monkeypatch.setattr(away.copies, "_end", late)
        with pytest.raises(StudyError, match="was removed while it was made; copy the study again"):
            store.copies.copy_to(away.copies, study.id, as_it_is(store, study))
        assert rows_of(away) == 0


def test_no_statement_takes_much_more_than_four_megabytes():
    rows = [{"number": n, "block": bytes(3_000_000)} for n in range(5)]
    assert [len(some) for some in _copies._pieces(rows)] == [2, 2, 1]
    small = [{"number": n} for n in range(1001)]
    assert [len(some) for some in _copies._pieces(small)] == [500, 500, 1]
