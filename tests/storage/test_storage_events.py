from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell._base._errors import StudyError
from deepwell.records import Event
from deepwell.storage import Store, StudyRecord


def test_events_come_in_the_order_of_recording(store: Store, study: StudyRecord):
    later, earlier = Event(9.0, "start"), Event(3.0, "stop", 2, {"why": "asked"})
    store.append_event(study.id, later)
    store.append_event(study.id, earlier)
    assert store.events(study.id) == [Event(1.0, "propose", None, {"count": 4}), later, earlier]
    assert store.events(study.id, "stop") == [earlier]
    assert store.events(study.id, "' OR 1=1 --") == []


def test_studies_do_not_mix(store: Store, study: StudyRecord):
    other = store.create_study("other", {})
    store.append_event(other.id, Event(2.0, "start"))
    assert [e.kind for e in store.events(study.id)] == ["propose"]
    assert [e.kind for e in store.events(other.id)] == ["start"]


def test_threads_write_by_turns(store: Store, study: StudyRecord):
    def write(thread: int) -> None:
        for n in range(20):
            store.append_event(study.id, Event(float(n), f"thread {thread}"))
            assert store.events(study.id, f"thread {thread}")[-1].time == n

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    for thread in range(4):
        times = [e.time for e in store.events(study.id, f"thread {thread}")]
        assert times == list(range(20))


def test_event_of_no_study_is_refused(store: Store):
    with pytest.raises(StudyError, match="refused contradictory records"):
        store.append_event(99, Event(1.0, "start"))


plain = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)
events = st.builds(
    Event,
    time=st.floats(allow_nan=False, allow_infinity=False),
    kind=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    trial=st.none() | st.integers(0, 2**31 - 1),
    details=st.dictionaries(
        st.text(), plain.filter(lambda v: not isinstance(v, float) or abs(v) != float("inf"))
    ),
)


@settings(max_examples=40)
@given(st.lists(events, max_size=5))
def test_any_event_comes_back(shared: Store, recorded: list[Event]):
    study = shared.create_study("x", {})
    for event in recorded:
        shared.append_event(study.id, event)
    assert shared.events(study.id) == recorded
