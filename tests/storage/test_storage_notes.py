"""Notes, tags, other names and deletion, as a store records them."""

import numpy as np
import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.records import Tag
from deepwell.storage import Store, StudyRecord
from deepwell.storage._notes import MAX_NOTE


def test_notes_are_kept_in_their_order_and_removed_by_number(store: Store, study: StudyRecord):
    other = store.create_study("wine", {})
    written = [
        store.notes.add(study.id, "first\0 try ", None),
        store.notes.add(study.id, "ünstable\nfrom 30 on", 2),
        store.notes.add(other.id, "another", None),
    ]
    assert store.notes.read(study.id) == written[:2]
    assert [(n.trial, n.text) for n in written[:2]] == [
        *((None, "first? try"), (2, "ünstable\nfrom 30 on")),
    ]
    assert store.notes.counts() == {study.id: 2, other.id: 1}
    with pytest.raises(UsageError, match="has no note"):
        store.notes.remove(other.id, written[0].id)
    store.notes.remove(study.id, written[0].id)
    assert store.notes.read(study.id) == written[1:2]


def test_what_cannot_be_a_note_is_refused(store: Store, study: StudyRecord):
    for text in ("", " \n ", "x" * (MAX_NOTE + 1)):
        with pytest.raises(UsageError, match="1 to 10,000 characters"):
            store.notes.add(study.id, text)
    with pytest.raises(UsageError, match="the trials 0 to 3, got 4"):
        store.notes.add(study.id, "x", 4)
    with pytest.raises(StudyError, match="no study with the id 99"):
        store.notes.add(99, "x")
    assert store.notes.read(study.id) == []


def test_a_tag_is_there_once_and_goes_as_a_whole(store: Store, study: StudyRecord):
    assert store.notes.tag(study.id, ["keep", "a", "keep"]) == ["keep", "a"]
    assert store.notes.tag(study.id, ["keep", "b"]) == ["b"]
    assert store.notes.tag(study.id, ["keep"], 1) == ["keep"]
    assert store.notes.tags(study.id) == [
        *(Tag(None, "a"), Tag(None, "b"), Tag(None, "keep"), Tag(1, "keep")),
    ]
    assert store.notes.tags_of_studies() == {study.id: ["a", "b", "keep"]}
    with pytest.raises(UsageError, match='no tag "kep"; did you mean "keep"'):
        store.notes.untag(study.id, ["a", "kep"])
    store.notes.untag(study.id, ["a", "keep"])
    assert store.notes.tags(study.id) == [Tag(None, "b"), Tag(1, "keep")]


@pytest.mark.parametrize("name", ["", "a b", "a,b", "12", "x" * 61, "a\x1b", "a\n"])
def test_what_cannot_be_a_tag_is_refused(store: Store, study: StudyRecord, name: str):
    with pytest.raises(UsageError, match="a tag must be one word"):
        store.notes.tag(study.id, ["good", name])
    assert store.notes.tags(study.id) == []


def test_a_name_that_another_study_has_is_refused(store: Store, study: StudyRecord):
    store.create_study("Wine", {})
    with pytest.raises(UsageError, match="taken by another study"):
        store.removal.rename(study, "wine", None)
    assert store.study("churn").id == study.id
    store.removal.rename(study, "Churn", None)
    assert store.study("Churn").id == study.id


def test_a_deleted_study_keeps_its_name_and_all_it_has(store: Store, study: StudyRecord):
    store.notes.add(study.id, "a note")
    before = store.trials(study.id)
    store.removal.delete([study.id])
    assert store.studies() == []
    assert [r.id for r in store.studies(deleted=True)] == [study.id]
    assert store.create_study("churn", {}).name == "churn-2"
    with pytest.raises(UsageError, match=r"deepwell delete --undo churn --store \S+$"):
        store.study("churn")
    assert store.removal.find_deleted("churn").id == study.id
    store.removal.undelete([study.id])
    assert (store.trials(study.id), store.study("churn").deleted) == (before, None)
    with pytest.raises(StudyError, match="no study with the id"):
        store.removal.purge(study.id)  # only what was deleted goes


def test_a_deleted_study_is_found_by_its_name_in_another_encoding(store: Store):
    typed = "e\u0301te\u0301"  # as some keyboards and file systems write it
    made = store.create_study(typed, {})
    store.removal.delete([made.id])
    assert store.removal.find_deleted(typed).id == made.id
    assert store.removal.find_deleted(made.name).id == made.id


def test_a_removed_study_leaves_the_hashes_of_its_rows(store: Store, study: StudyRecord):
    rows = np.arange(3, dtype=np.uint64)
    store.row_hashes.record(study.id, "train", rows)
    later = store.create_study("later", {})
    store.removal.delete([study.id])
    store.removal.purge(study.id)
    assert store.trials(study.id) == []
    assert store.events(study.id) == []
    assert [r.name for r in store.studies(deleted=True)] == [
        f"churn (removed, {study.id})",
        "later",
    ]
    assert store.removal.deleted() == []
    (reuse,) = store.row_hashes.reuse_of(later.id, rows)
    assert (reuse.study, reuse.rows) == (f"churn (removed, {study.id})", 3)
    assert store.create_study("churn", {}).name == "churn"
