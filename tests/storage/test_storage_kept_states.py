"""States that are kept: one file for equal ones, gone with the last that refers to it, verified."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from deepwell._base._errors import StudyError, UsageError
from deepwell.storage import Store, StudyRecord, _kept_state, _kept_states, open_store
from deepwell.storage._kept_state import CHECKPOINT, SNAPSHOT, KeptState


def state(value: float = 0.5) -> dict[str, np.ndarray]:
    return {"weights/0": np.full((3, 2), value, np.float32), "epoch": np.asarray(4, np.int64)}


def files(store: Store) -> list[Path]:
    return sorted(store.folder.rglob("*.safetensors"))


def test_a_state_comes_back_to_the_bit(store: Store, study: StudyRecord, where: str):
    (kept,) = store.states.keep(study.id, {(3, 4): state()}, CHECKPOINT)
    assert (kept.trial, kept.epoch, kept.kind) == (3, 4, CHECKPOINT)
    (file,) = files(store)
    assert (file.stem, file.stat().st_size) == (kept.hash, kept.bytes)
    with open_store(where) as again:
        assert again.states.of(study.id) == [kept]
        read = again.states.read(kept)
    assert {n: a.tobytes() for n, a in read.items()} == {n: a.tobytes() for n, a in state().items()}
    assert store.states.damaged(study.id) == []


def test_what_is_kept_is_told_by_kind_and_replaced_in_its_place(store: Store, study: StudyRecord):
    store.states.keep(study.id, {(1, 4): state(), (0, 4): state()}, CHECKPOINT)
    store.states.keep(study.id, {(1, 4): state(0.1), (1, 2): state(0.2)}, SNAPSHOT)
    (again,) = store.states.keep(study.id, {(1, 4): state(0.3)}, CHECKPOINT)
    assert [(s.trial, s.epoch) for s in store.states.of(study.id, SNAPSHOT)] == [(1, 2), (1, 4)]
    assert [(s.trial, s.epoch) for s in store.states.of(study.id, CHECKPOINT)] == [(0, 4), (1, 4)]
    assert store.states.of(study.id, CHECKPOINT)[1] == again
    assert store.states.keep(study.id, {}, CHECKPOINT) == []


def test_equal_states_are_one_file_that_goes_with_the_last_of_them(
    store: Store, study: StudyRecord
):
    other = store.create_study("other", {})
    first = store.states.keep(study.id, {(0, 4): state(), (1, 4): state()}, CHECKPOINT)
    (second,) = store.states.keep(other.id, {(7, 4): state()}, CHECKPOINT)
    assert len(files(store)) == 1
    assert store.states.drop(study.id, first) == 0
    assert store.states.of(study.id) == []
    assert len(files(store)) == 1
    assert store.states.drop(other.id, [second]) == second.bytes
    assert files(store) == []


def test_files_without_a_row_are_collected(store: Store, study: StudyRecord):
    (kept, gone) = store.states.keep(study.id, {(0, 4): state(), (1, 4): state(0.1)}, CHECKPOINT)
    with store._database.writing() as connection:  # as a study is removed for good
        connection.exec_driver_sql("DELETE FROM blob WHERE trial = 1")
    assert store.states.collect() == 0  # somebody may be about to refer to it
    for file in files(store):
        os.utime(file, (0, 0))
    assert store.states.collect(dry_run=True) == gone.bytes
    assert len(files(store)) == 2
    assert store.states.collect() == gone.bytes
    assert [file.stem for file in files(store)] == [kept.hash]
    draft = store.states.file(kept.hash).parent / ".0123456789abcdef.tmp"
    draft.write_bytes(b"half")
    assert store.states.collect() == 0  # somebody may be writing it
    os.utime(draft, (0, 0))
    assert store.states.collect(dry_run=True) == store.states.collect() == 4
    assert not draft.exists()


def test_a_file_that_went_while_it_was_kept_again_is_written_again(
    store: Store, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
):
    """Another process removes what nobody refers to, just before this one refers to it."""
    (kept,) = store.states.keep(study.id, {(0, 4): state()}, CHECKPOINT)
    real = _kept_states.insert_states

    def late(*given: object) -> None:
        store.states.file(kept.hash).unlink()
        real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(_kept_states, "insert_states", late)
    (again,) = store.states.keep(study.id, {(1, 4): state()}, CHECKPOINT)
    assert store.states.read(again)


@pytest.mark.parametrize("fails", ["write_atomic", "insert_states"])
def test_what_cannot_be_kept_leaves_no_file(
    fails: str, store: Store, study: StudyRecord, monkeypatch: pytest.MonkeyPatch
):
    store.states.keep(study.id, {(0, 4): state()}, CHECKPOINT)
    before, real, calls = files(store), getattr(_kept_states, fails), list[int]()

    def full(*given: object) -> None:
        calls.append(1)
        if fails == "insert_states" or len(calls) > 1:
            raise UsageError("the disk is full")
        real(*given)

    some = {(1, 4): state(), (2, 4): state(0.1), (3, 4): state(0.2)}
    with monkeypatch.context() as patch:
        patch.setattr(_kept_states, fails, full)
        with pytest.raises(UsageError, match="the disk is full"):
            store.states.keep(study.id, some, CHECKPOINT)
    assert files(store) == before
    assert len(store.states.of(study.id)) == 1
    store.states.keep(study.id, some, CHECKPOINT)
    assert len(files(store)) == 3


@pytest.fixture
def kept(store: Store, study: StudyRecord) -> KeptState:
    return store.states.keep(study.id, {(3, 4): state()}, CHECKPOINT)[0]


def test_a_state_that_was_cut_at_any_byte_is_told(
    store: Store, study: StudyRecord, kept: KeptState
):
    file = store.states.file(kept.hash)
    content = file.read_bytes()
    for size in range(len(content)):
        file.write_bytes(content[:size])
        with pytest.raises(StudyError, match="the state that was kept of trial 3 at epoch 4"):
            store.states.read(kept)
    (told,) = store.states.damaged(study.id)
    assert "train the trial again" in told


def test_a_state_of_which_any_byte_was_changed_is_told(store: Store, kept: KeptState):
    file = store.states.file(kept.hash)
    content = bytearray(file.read_bytes())
    for place in range(len(content)):
        content[place] ^= 0x10
        file.write_bytes(content)
        with pytest.raises(StudyError, match=r"cannot be used|was changed"):
            store.states.read(kept)
        content[place] ^= 0x10
    file.write_bytes(content + b"more")
    with pytest.raises(StudyError, match=r"cannot be used|was changed"):
        store.states.read(kept)


def test_a_state_that_is_gone_is_told_and_kept_again_when_it_comes_again(
    store: Store, study: StudyRecord, kept: KeptState
):
    file = store.states.file(kept.hash)
    file.unlink()
    with pytest.raises(StudyError, match="is gone: there is no file"):
        store.states.read(kept)
    file.write_bytes(b"of the wrong content")
    store.states.keep(study.id, {(3, 4): state()}, CHECKPOINT)
    assert store.states.read(kept)


def test_a_place_that_cannot_be_written_is_told_and_nothing_recorded(
    store: Store, study: StudyRecord
):
    (store.folder / _kept_state.FOLDER).write_text("")
    with pytest.raises(UsageError, match="a file stands where a folder is needed"):
        store.states.keep(study.id, {(3, 4): state()}, CHECKPOINT)
    assert store.states.of(study.id) == []
