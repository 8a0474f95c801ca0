"""Checkpoints in the store: going back leaves the records as they stood, whatever came after."""

import math

import numpy as np
import pytest

from deepwell._base._errors import StudyError
from deepwell.records import Event, Status, TrialSpec
from deepwell.storage import Store, StudyRecord
from deepwell.storage._checkpoint_record import CheckpointRecord, Repeated

KINDS = ("prune", "promote")
RESUME = Event(9.0, "resume", None, {"process": 1})


def everything(store: Store, study: StudyRecord) -> tuple[object, ...]:
    trials = store.trials(study.id, curves=True)
    curves = [{k: c.tobytes() for k, c in t.curves.items()} for t in trials]
    return [(t.status, t.epochs, t.best_epoch, t.score, t.cost, t.message) for t in trials], curves


def keep(store: Store, study: StudyRecord, seconds: float, first: int = 0) -> CheckpointRecord:
    record = CheckpointRecord(seconds, first, {"rung": 1, "files": []})
    store.save_checkpoint(study.id, record)
    return record


def test_going_back_puts_all_as_it_stood(store: Store, study: StudyRecord, make_chunk) -> None:
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4, 0.3, 0.2]), seconds=1.0)
    statuses = {3: Status.DIVERGED}
    chunk = make_chunk(2, [0.5, 0.3, 0.4, 0.1], [1, 1, 1, math.inf], statuses=statuses)
    store.record_chunk(study.id, 0, chunk, {3: "at step 12"}, 2.0)
    decided = Event(2.0, "prune", None, {"trials": [0]})
    store.record_statuses(study.id, {0: Status.PRUNED}, {}, decided)
    before = everything(store, study)
    kept = keep(store, study, 2.0)
    events = store.events(study.id)
    # What comes after it: better scores, another end, decisions, a stop by a person.
    later = make_chunk(3, [0.01, 0.01], trials=[1, 2], statuses={2: Status.EARLY_STOPPED})
    store.record_chunk(study.id, 0, later, seconds=3.5)
    store.record_statuses(study.id, {1: Status.PRUNED}, {}, Event(3.0, "prune"))
    store.leave(study.id, "stopped", 4.0)
    stop = Event(4.0, "stop")
    store.append_event(study.id, stop)
    assert everything(store, study) != before

    assert store.checkpoint(study.id) == kept
    assert store.roll_back(study.id, KINDS, RESUME) == Repeated(2, 1.5)
    assert everything(store, study) == before
    assert store.study("churn").status == "running"
    cost = {"process": 1, "repeated_epochs": 2, "repeated_seconds": 1.5}
    assert store.events(study.id) == [*events, stop, Event(9.0, "resume", None, cost)]

    assert store.roll_back(study.id, KINDS, RESUME) == Repeated(0, 0.0)  # twice is as once
    assert everything(store, study) == before
    assert store.study("churn").seconds == 3.5  # it was spent all the same


def test_going_back_without_a_checkpoint_is_the_start(
    store: Store, study: StudyRecord, make_chunk
) -> None:
    before = everything(store, study)
    statuses = {1: Status.DIVERGED}
    store.record_chunk(
        study.id, 0, make_chunk(1, [0.5, 0.4, 0.3, 0.2], statuses=statuses), {1: "at step 1"}, 1.25
    )
    keep(store, study, 1.0)
    store.delete_checkpoint(study.id)
    assert store.roll_back(study.id, KINDS, RESUME) == Repeated(4, 1.25)
    assert everything(store, study) == before
    assert [t.number for t in store.trials(study.id)] == [0, 1, 2, 3]  # proposals stay


def test_older_trials_and_other_studies_stand_still(
    store: Store, study: StudyRecord, make_chunk
) -> None:
    other = store.create_study("other", {})
    store.propose(other.id, [(0, TrialSpec({}, seed=0))], Event(1.0, "propose"))
    store.record_chunk(study.id, 0, make_chunk(1, [0.5, 0.4], trials=[0, 1]))
    keep(store, study, 1.0, first=2)
    store.record_chunk(study.id, 1, make_chunk(1, [0.3, 0.2], trials=[2, 3]))
    store.propose(study.id, [(4, TrialSpec({}, seed=4))], Event(1.0, "propose"))
    store.record_chunk(study.id, 2, make_chunk(1, [0.1], trials=[4]))
    store.record_chunk(other.id, 0, make_chunk(1, [0.1], trials=[0]))
    keep(store, other, 7.0)
    assert store.roll_back(study.id, KINDS, RESUME).epochs == 3
    assert [t.epochs for t in store.trials(study.id)] == [1, 1, 0, 0, 0]
    assert store.trials(other.id)[0].epochs == 1
    assert store.checkpoint(other.id) is not None
    assert store.events(other.id, "resume") == []


def test_one_checkpoint_is_kept_until_the_study_is_finished(
    store: Store, study: StudyRecord
) -> None:
    assert store.checkpoint(study.id) is None
    keep(store, study, 1.0)
    second = keep(store, study, 2.0)
    assert store.checkpoint(study.id) == second
    store.finish(study.id, {"dev": 1}, "stopped", 5.0, Event(5.0, "stop"))
    assert store.checkpoint(study.id) == second  # it may go on
    store.finish(study.id, {"dev": 2}, "finished", 6.0, Event(6.0, "finish"))
    assert store.checkpoint(study.id) is None
    done = store.study("churn")
    assert (done.status, done.seconds, store.result(study.id)) == ("finished", 6.0, {"dev": 2})
    assert [e.kind for e in store.events(study.id)] == ["propose", "stop", "finish"]


def test_leaving_interrupts_who_is_not_over(store: Store, study: StudyRecord) -> None:
    statuses = {0: Status.RUNNING, 1: Status.PAUSED, 2: Status.DIVERGED}
    store.record_statuses(study.id, statuses, {})
    assert store.unfinished(study.id) == [0, 1, 3]
    store.leave(study.id, "failed", 3.0)
    cut, kept = Status.INTERRUPTED, Status.DIVERGED
    assert [t.status for t in store.trials(study.id)] == [cut, cut, kept, cut]
    assert store.events(study.id, "interrupt") == [
        Event(3.0, "interrupt", None, {"trials": [0, 1, 3]})
    ]
    store.leave(study.id, "stopped", 4.0)
    assert len(store.events(study.id, "interrupt")) == 1
    assert store.unfinished(study.id) == []


def test_a_study_is_made_with_its_rows_or_not_at_all(store: Store) -> None:
    rows = {"train": np.arange(3, dtype=np.uint64), "test": np.arange(2, dtype=np.int64)}
    with pytest.raises(ValueError, match="row hashes"):
        store.create_study("new", {}, rows)
    assert store.studies() == []
    made = store.create_study("new", {}, {"train": rows["train"]})
    assert store.row_hashes.read(made.id, "train").tolist() == [0, 1, 2]


def test_a_checkpoint_needs_its_study(store: Store, study: StudyRecord) -> None:
    with pytest.raises(StudyError, match="refused contradictory records"):
        store.save_checkpoint(99, CheckpointRecord(0.0, 0, {}))
