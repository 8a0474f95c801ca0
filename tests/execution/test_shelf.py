import io
import os

import numpy as np
import pytest

from deepwell._base._errors import StudyError
from deepwell.data._mapped import temporary_file
from deepwell.execution._shelf import Shelf, state_bytes


def state(seed, size=10):
    draw = np.random.default_rng(seed)
    return {
        "weights/0": draw.normal(size=(size, 3)).astype(np.float32),
        "biases/0": draw.normal(size=3),
        "step": np.asarray(seed, np.int64),
        "best_score": np.asarray(np.inf),
    }


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].dtype == other[name].dtype
        assert one[name].shape == other[name].shape
        np.testing.assert_array_equal(one[name], other[name])


def test_states_come_back_to_the_bit_from_memory_and_from_the_file(tmp_path):
    each = state_bytes(state(0))
    shelf = Shelf(room=3 * each, folder=tmp_path)
    for number in range(10):
        shelf.put(number, state(number))
    assert shelf.spilled == 7 * each
    assert sorted(shelf) == list(range(10))
    assert len(shelf) == 10
    for number in range(10):
        assert_same(shelf.get(number), state(number))
    assert 10 not in shelf
    assert shelf.get(10) is None
    assert not any(tmp_path.iterdir())  # the file has no name, so that nothing can stay behind
    shelf.close()


def test_the_file_does_not_grow_when_states_are_put_again(tmp_path):
    shelf = Shelf(room=0, folder=tmp_path)
    for number in range(4):
        shelf.put(number, state(number))
    size = shelf._file.seek(0, os.SEEK_END)
    for turn in range(5):
        for number in range(4):
            shelf.put(number, state(100 * turn + number))
    assert shelf._file.seek(0, os.SEEK_END) <= size + state_bytes(state(0))
    for number in range(4):
        assert_same(shelf.get(number), state(400 + number))
    for number in range(4):
        shelf.drop(number)
    shelf.put(9, state(9, size=200))
    assert_same(shelf.get(9), state(9, size=200))
    shelf.close()


def test_free_places_are_few_however_often_states_of_any_size_are_put(tmp_path):
    shelf = Shelf(room=0, folder=tmp_path)
    draw, size = np.random.default_rng(0), {}
    for turn in range(500):
        number = int(draw.integers(8))
        size[number] = int(draw.integers(1, 40))
        shelf.put(number, state(turn, size[number]))
        assert len(shelf._free) <= len(shelf) + 1
    largest = state_bytes(state(0, 40))
    assert shelf._file.seek(0, os.SEEK_END) <= 2 * 8 * largest
    for number in size:
        assert len(shelf.get(number)["weights/0"]) == size[number]
    shelf.close()


def test_a_place_that_was_used_up_is_not_kept(tmp_path):
    shelf = Shelf(room=0, folder=tmp_path)
    for turn in range(5):
        for number in range(3):
            shelf.put(number, state(turn))
    assert shelf._free == []
    shelf.close()


class Sparing(io.FileIO):
    """A raw file that takes and gives at most 100 bytes a call, as Linux does at 2 GiB."""

    def write(self, data):
        return super().write(memoryview(data)[:100])

    def readinto(self, buffer):
        return super().readinto(memoryview(buffer)[:100])


def sparing_shelf(tmp_path, monkeypatch):
    file = Sparing(tmp_path / "states", "w+")
    monkeypatch.setattr("deepwell.execution._shelf.temporary_file", lambda folder: file)
    return Shelf(room=0), file


def test_states_larger_than_one_call_of_the_system_takes_come_back_whole(tmp_path, monkeypatch):
    shelf, _ = sparing_shelf(tmp_path, monkeypatch)
    for number in range(3):
        shelf.put(number, state(number, size=50))
    for number in range(3):
        assert_same(shelf.get(number), state(number, size=50))
    shelf.close()


def test_a_file_that_was_cut_short_is_a_sentence(tmp_path, monkeypatch):
    shelf, file = sparing_shelf(tmp_path, monkeypatch)
    shelf.put(0, state(0, size=50))
    file.truncate(500)
    with pytest.raises(StudyError, match="cut short; run again"):
        shelf.get(0)
    shelf.close()


def test_without_a_bound_nothing_is_written(tmp_path):
    shelf = Shelf(folder=tmp_path)
    shelf.put(1, state(1))
    assert shelf.spilled == 0
    assert shelf._file is None


def test_a_disk_that_is_full_is_a_sentence(tmp_path, monkeypatch):
    def full(folder):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("deepwell.execution._shelf.temporary_file", full)
    with pytest.raises(StudyError, match="No space left on device"):
        Shelf(room=0, folder=tmp_path).put(1, state(1))


def test_a_folder_that_cannot_be_made_leaves_the_systems(tmp_path):
    (tmp_path / "file").write_text("")
    with temporary_file(tmp_path / "file" / "below") as file:
        file.write(b"here")
        assert file.seek(0) == 0
        assert file.read() == b"here"
