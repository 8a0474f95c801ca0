"""Requests: taken once, with all that came of them, or not at all."""

from __future__ import annotations

import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import Event, Status
from deepwell.storage._checkpoint_record import CheckpointRecord
from deepwell.storage._deed import Deed


def test_a_request_waits_until_it_is_taken(store, study, make_chunk) -> None:
    other = store.create_study("other", {})
    assert not store.record_chunk(study.id, 0, make_chunk(1, [0.4, 0.3, 0.2, 0.1]))
    request = store.requests.ask(study.id, "nudge", 2, {"changes": {"l2": "x0.5"}})
    assert (request.kind, request.trial, request.taken) == ("nudge", 2, None)
    assert store.requests.waiting(study.id) == [request]
    assert store.requests.waiting(other.id) == []
    assert store.record_chunk(study.id, 0, make_chunk(2, [0.4, 0.3, 0.2, 0.1]))
    assert store.requests.outcome(study.id, request, ("nudge",)) is None
    event = Event(5.0, "nudge", 2, {"request": request.id, "epoch": 2})
    store.requests.carry_out(study.id, Deed([event], request.id))
    assert store.requests.waiting(study.id) == []
    assert store.requests.outcome(study.id, request, ("nudge",)) == event
    assert store.requests.outcome(study.id, request, ("refuse",)) is None
    assert store.requests.events(study.id, ("nudge", "propose"))[-1] == event
    assert not store.record_chunk(study.id, 0, make_chunk(3, [0.4, 0.3, 0.2, 0.1]))


def test_an_end_answers_what_waits_and_nothing_can_be_asked_any_more(store, study) -> None:
    request = store.requests.ask(study.id, "nudge", 2, {})
    store.finish(study.id, {}, "stopped", 1.0, Event(1.0, "stop"))
    assert store.requests.waiting(study.id) == [request]  # until it is gone on with
    store.finish(study.id, {}, "finished", 1.0, Event(1.0, "finish"))
    assert store.requests.waiting(study.id) == []
    event = store.requests.outcome(study.id, request, ("refuse",))
    assert (event.trial, event.details["kind"]) == (2, "nudge")
    assert event.details["why"] == "the run ended before it could be done"
    with pytest.raises(UsageError, match=r"study churn has ended meanwhile, .* nothing to pause"):
        store.requests.ask(study.id, "pause", None, {})
    with pytest.raises(StudyError, match="no study with the id 99"):
        store.requests.ask(99, "pause", None, {})


def test_a_deed_is_recorded_whole_or_not_at_all(store, study, make_chunk) -> None:
    store.record_chunk(study.id, 0, make_chunk(1, [0.4, 0.3, 0.2, 0.1]))
    request = store.requests.ask(study.id, "fork", 1, {})
    before = store.trials(study.id)
    changed = before[2].spec
    deed = Deed(
        events=[Event(5.0, "race", 1, {"request": request.id})],
        request=request.id,
        specs={0: changed},
        copies=[(4, changed)],
        past=[make_chunk(1, [0.3], trials=[4])],
        statuses={1: Status.PRUNED},
        messages={1: "forked"},
        config={"target": "another"},
        checkpoint=CheckpointRecord(3.0, 0, {"rung": 0}),
    )
    for wrong in ({"statuses": {9: Status.PRUNED}}, {"specs": {9: changed}}):
        with pytest.raises(StudyError):
            store.requests.carry_out(study.id, Deed(**{**vars(deed), **wrong}))
    assert store.trials(study.id) == before
    assert store.requests.waiting(study.id) == [request]
    assert store.checkpoint(study.id) is None
    store.requests.carry_out(study.id, deed)
    after = store.trials(study.id)
    assert [t.number for t in after] == [0, 1, 2, 3, 4]
    assert after[0].spec == after[4].spec == changed
    assert (after[1].status, after[1].message) == (Status.PRUNED, "forked")
    assert (after[4].epochs, after[4].score) == (1, pytest.approx(0.3))
    assert store.study("churn").config == {"target": "another"}
    assert store.checkpoint(study.id).details == {"rung": 0}
    # The checkpoint holds the copies: going back to it leaves them as they are.
    store.roll_back(study.id, ("fork", "prune"), Event(6.0, "resume"))
    assert store.trials(study.id) == after
    with pytest.raises(StudyError, match="was taken up already"):
        store.requests.carry_out(study.id, Deed([], request.id))


def test_the_epoch_that_was_recorded_last(store, study, make_chunk) -> None:
    assert store.last_epoch(study.id) == {}
    store.record_chunk(study.id, 0, make_chunk(1, [0.4, 0.3, 0.2, 0.1]))
    store.record_chunk(study.id, 0, make_chunk(2, [0.3, 0.25], trials=[0, 3]))
    told = store.last_epoch(study.id)
    assert told["dev_score"].tolist() == pytest.approx([0.3, 0.25])
    assert set(told) == {"train_cost", "dev_cost", "dev_score"}
