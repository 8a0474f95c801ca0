import hashlib
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from deepwell._base._errors import StudyError, UsageError
from deepwell.storage import load_arrays, save_arrays

DTYPES = [
    "?",
    "i1",
    "<i2",
    ">i4",
    "<i8",
    "u1",
    "<u2",
    "<u4",
    ">u8",
    "<f2",
    "<f4",
    ">f4",
    "<f8",
    "<c8",
]
shapes = arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
arrays = st.sampled_from(DTYPES).flatmap(lambda dtype: arrays_of.arrays(dtype, shapes))
names = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda n: n != "__metadata__")
texts = st.text(st.characters(exclude_categories=["Cs"]))


@settings(max_examples=60)
@given(st.dictionaries(names, arrays, max_size=4), st.dictionaries(texts, texts, max_size=4))
def test_arrays_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, given: dict[str, np.ndarray], metadata: dict[str, str]
):
    file = tmp_path_factory.getbasetemp() / "any.safetensors"
    digest = save_arrays(file, given, metadata)
    loaded = load_arrays(file)
    assert loaded.metadata == metadata
    assert loaded.sha256 == digest == hashlib.sha256(file.read_bytes()).hexdigest()
    assert loaded.arrays.keys() == given.keys()
    for name, array in given.items():
        read = loaded.arrays[name]
        assert (read.shape, read.dtype) == (array.shape, array.dtype.newbyteorder("="))
        assert read.tobytes() == array.astype(read.dtype).tobytes()
        assert read.flags.writeable


def test_views_of_any_stride_are_stored_as_they_read(tmp_path: Path):
    base = np.arange(24.0).reshape(4, 6)
    views = {"t": base.T, "step": base[::2, ::-3], "wide": np.broadcast_to(base[0], (3, 6))}
    save_arrays(tmp_path / "x", views)
    for name, read in load_arrays(tmp_path / "x").arrays.items():
        np.testing.assert_array_equal(read, views[name])


def test_equal_contents_give_equal_bytes(tmp_path: Path):
    forward = {f"k{i}": str(i) for i in range(20)}
    backward = dict(reversed(forward.items()))
    weights = {"b": np.ones(3), "a": np.zeros((2, 2), np.float32)}
    hashes = {
        save_arrays(tmp_path / "x", weights, forward),
        save_arrays(tmp_path / "y", dict(reversed(weights.items())), backward),
    }
    assert len(hashes) == 1


def test_other_readers_understand_the_file(tmp_path: Path):
    weights = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "é": np.ones(1, np.int8)}
    save_arrays(tmp_path / "x", weights, {"format": "deepwell", "ünï": "\x1b\u202e"})
    read = safetensors.numpy.load_file(tmp_path / "x")
    np.testing.assert_array_equal(read["w"], weights["w"])
    with safetensors.safe_open(tmp_path / "x", framework="np") as file:
        assert file.metadata() == {"format": "deepwell", "ünï": "\x1b\u202e"}


def test_files_of_other_writers_are_read(tmp_path: Path):
    (tmp_path / "x").write_bytes(safetensors.numpy.save({"w": np.ones(3)}))
    loaded = load_arrays(tmp_path / "x")
    assert loaded.metadata == {}
    np.testing.assert_array_equal(loaded.arrays["w"], np.ones(3))


@pytest.mark.parametrize(
    "array",
    [
        *(np.array(["text"]), np.array([object()]), np.zeros(2, "datetime64[s]")),
        *(np.zeros(2, np.complex128), np.zeros(2, np.longdouble), np.zeros(2, "i4,f4")),
    ],
)
def test_what_the_format_cannot_hold_is_refused(tmp_path: Path, array: np.ndarray):
    with pytest.raises(UsageError, match='array "bad" must hold booleans, integers or floats'):
        save_arrays(tmp_path / "x", {"good": np.ones(2), "bad": array})
    assert list(tmp_path.iterdir()) == []


def test_names_that_the_format_cannot_hold_are_refused(tmp_path: Path):
    with pytest.raises(UsageError, match="the format keeps that name"):
        save_arrays(tmp_path / "x", {"__metadata__": np.ones(2)})
    for names, texts in (({"\udc80": np.ones(1)}, {}), ({}, {"k": "\udc80"}), ({}, {"\udc80": ""})):
        with pytest.raises(UsageError, match="must be valid Unicode"):
            save_arrays(tmp_path / "x", names, texts)
    assert list(tmp_path.iterdir()) == []


def header(text: bytes, body: bytes = b"") -> bytes:
    return len(text).to_bytes(8, "little") + text + body


def tensor(dtype: str, shape: list[int], offsets: list[int]) -> bytes:
    return json.dumps({"w": {"dtype": dtype, "shape": shape, "data_offsets": offsets}}).encode()


@pytest.mark.parametrize(
    "data",
    [
        *(b"", b"abc", b"\xff" * 100, pickle.dumps({"a": 1}), b"PK\x03\x04" * 10, b"\x00" * 8),
        *(header(b"{"), header(b"[]"), header(b"{}", b"left over"), header(b'{"w": 1}')),
        header(tensor("F32", [3], [0, 12]), b"short"),
        header(tensor("F32", [3], [0, 8]), b"x" * 8),
        header(tensor("F32", [2**62, 8], [0, 8]), b"x" * 8),
        header(tensor("F32", [2], [-8, 0]), b"x" * 8),
        header(tensor("BF16", [4], [0, 8]), b"x" * 8),
        header(tensor("PICKLE", [4], [0, 8]), b"x" * 8),
        header(b'{"__metadata__": {"a": 1}}'),
        header(b'{"__metadata__": 3}'),
        header(b'{"a": ' + b"[" * 2000 + b"]" * 2000 + b"}"),
    ],
)
def test_damaged_and_foreign_files_get_one_sentence(tmp_path: Path, data: bytes):
    file = tmp_path / "model.safetensors"
    file.write_bytes(data)
    with pytest.raises(UsageError, match="is damaged or not a safetensors file"):
        load_arrays(file)


def test_every_cut_is_noticed(tmp_path: Path):
    file = tmp_path / "x"
    save_arrays(file, {"w": np.arange(5.0), "b": np.ones(2, np.float32)}, {"k": "v"})
    whole = file.read_bytes()
    for length in range(len(whole)):
        file.write_bytes(whole[:length])
        with pytest.raises(UsageError, match="is damaged"):
            load_arrays(file)


def test_missing_file_and_folder(tmp_path: Path):
    with pytest.raises(UsageError, match="no file"):
        load_arrays(tmp_path / "none")
    with pytest.raises(UsageError, match="it is a folder"):
        load_arrays(tmp_path)
    with pytest.raises(UsageError, match="not a safetensors file"):
        load_arrays(tmp_path / "a\0b")


def test_failing_disk_is_not_the_users_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def fail(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    with pytest.raises(StudyError, match="could not be read: input/output error"):
        load_arrays(tmp_path / "x")
