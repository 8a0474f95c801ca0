from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import Event, TrialSpec
from deepwell.storage import Store, StudyRecord, open_store
from deepwell.storage._schema import EVENT, ROW_HASHES, STUDY


def test_study_is_read_back(store: Store):
    config = {"target": "churned", "space": {"l2": [0.0, 1.0]}, "none": None}
    made = store.create_study("churn", config)
    assert made == StudyRecord(made.id, "churn", made.created, config, "running")
    assert made.created > 1.7e9
    assert store.study("churn") == made
    assert store.studies() == [made]


def test_taken_names_get_a_number(store: Store):
    names = [store.create_study(name, {}).name for name in ("churn", "churn", "Churn", "churn-2")]
    assert names == ["churn", "churn-2", "Churn-3", "churn-2-2"]


def test_things_beside_the_store_take_names(store: Store):
    (store.folder / "digits").mkdir()
    (store.folder / "wine").write_text("a file")
    (store.folder / "iris").symlink_to(store.folder / "nowhere")
    names = [store.create_study(name, {}).name for name in ("digits", "wine", "iris")]
    assert names == ["digits-2", "wine-2", "iris-2"]


def test_database_under_another_name_is_beside_the_store(tmp_path: Path):
    with open_store(f"sqlite:///{tmp_path}/team.db") as store:
        assert store.create_study("team.db", {}).name == "team.db-2"


def test_bad_name_makes_nothing(store: Store):
    with pytest.raises(UsageError, match="a study's name must"):
        store.create_study("../x", {})
    assert store.studies() == []


def test_unknown_study_names_the_known_ones(store: Store):
    with pytest.raises(UsageError, match=r'no study "x"; the store .* is empty'):
        store.study("x")
    for name in ("digits", "churn"):
        store.create_study(name, {})
    with pytest.raises(UsageError, match=r'did you mean "churn"\? studies: churn, digits$'):
        store.study("chrun")
    for n in range(20):
        store.create_study(f"more{n}", {})
    with pytest.raises(UsageError, match=r"more10, \.\.\.$"):
        store.study("unheard of")


@pytest.mark.parametrize(
    "name", ["' OR '1'='1", 'x"; DROP TABLE study; --', "%", "\0", "\udc80", "\x1b[2J", ""]
)
def test_hostile_names_find_nothing_and_harm_nothing(store: Store, name: str):
    store.create_study("churn", {})
    with pytest.raises(UsageError, match="no study") as caught:
        store.study(name)
    assert str(caught.value).isprintable()
    assert [s.name for s in store.studies()] == ["churn"]


def test_hostile_config_is_data(store: Store):
    config = {"target": "'); DROP TABLE study; --", "file": "\udcff\0\u202e", "x": float("nan")}
    store.create_study("churn", config)
    assert store.study("churn").config == {**config, "x": "nan"}


def test_status_is_kept(store: Store):
    study = store.create_study("churn", {})
    for status in ("finished", "stopped", "failed", "running"):
        store.set_status(study.id, status)
        assert store.study("churn").status == status
    with pytest.raises(UsageError, match="must be one of running, finished, stopped, failed"):
        store.set_status(study.id, "done")
    with pytest.raises(StudyError, match="no study with the id 99"):
        store.set_status(99, "finished")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=30)
@given(
    config=st.dictionaries(st.text(), json_values), result=st.dictionaries(st.text(), json_values)
)
def test_any_plain_values_come_back(
    shared: Store, config: dict[str, object], result: dict[str, object]
):
    made = shared.create_study("x", config)
    assert shared.study(made.name).config == config
    assert shared.result(made.id) is None
    shared.save_result(made.id, result)
    assert shared.result(made.id) == result


def test_result_is_replaced(store: Store):
    study = store.create_study("churn", {})
    store.save_result(study.id, {"dev": 0.2})
    store.save_result(study.id, {"dev": np.float32(0.5), "n": np.int64(3), "t": (1, 2)})
    assert store.result(study.id) == {"dev": 0.5, "n": 3, "t": [1, 2]}
    with pytest.raises(StudyError, match="no study with the id 99"):
        store.save_result(99, {})
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.save_result(study.id, {"x": object()})


def test_empty_study_leaves_nothing(store: Store):
    study = store.create_study("churn", {})
    store.append_event(study.id, Event(1.0, "create"))
    store.row_hashes.record(study.id, "train", np.arange(5, dtype=np.uint64))
    store.delete_empty(study.id)
    with store._database.reading() as connection:
        for table in (STUDY, EVENT, ROW_HASHES):
            assert connection.execute(table.select()).all() == []
    again = store.create_study("churn", {})
    assert again.name == "churn"
    assert again.id > study.id  # never given twice


def test_study_with_trials_stays(store: Store):
    study = store.create_study("churn", {})
    store.propose(study.id, [(0, TrialSpec({}, seed=0))], Event(1.0, "propose"))
    store.delete_empty(study.id)
    assert store.study("churn") == study
    assert len(store.trials(study.id)) == 1
    assert len(store.events(study.id)) == 1


def test_a_study_that_has_ended_is_not_set_back_by_what_fails_afterwards(
    store: Store, study: StudyRecord
):
    store.finish(study.id, {"name": "churn"}, "finished", 1.0, Event(1.0, "finish"))
    store.leave(study.id, "stopped", 2.0)
    assert store.study(study.name).status == "finished"
