import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepwell._base._errors import StudyError, UsageError
from deepwell.storage import write_atomic
from deepwell.storage._files import read_error, write_error


@given(data=st.binary(max_size=200))
def test_bytes_come_back(tmp_path_factory: pytest.TempPathFactory, data: bytes):
    file = tmp_path_factory.getbasetemp() / "bytes.bin"
    write_atomic(file, data)
    assert file.read_bytes() == data


def test_file_is_replaced_and_nothing_else_left(tmp_path: Path):
    file = tmp_path / ("ü ' \" " + "x" * 240)
    write_atomic(str(file), b"old")
    write_atomic(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [file]


def test_permissions_are_those_of_any_new_file(tmp_path: Path):
    (tmp_path / "plain").write_bytes(b"")
    write_atomic(tmp_path / "atomic", b"")
    modes = {stat.S_IMODE(p.stat().st_mode) for p in tmp_path.iterdir()}
    assert len(modes) == 1


def test_all_is_synced_before_and_after_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def log_fsync(descriptor: int) -> None:
        calls.append("folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "file")
        fsync(descriptor)

    def log_replace(self: Path, target: Path) -> Path:
        assert self.parent == target.parent
        calls.append("rename")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", log_fsync)
    monkeypatch.setattr(Path, "replace", log_replace)
    write_atomic(tmp_path / "x", b"data")
    assert calls == ["file", "rename", "folder"]


@pytest.mark.parametrize("where", ["fsync", "replace"])
@pytest.mark.parametrize(
    ("error", "raised", "says"),
    [
        (OSError(errno.ENOSPC, ""), UsageError, r"the disk is full, \"[^\"]*\" was not written"),
        (OSError(errno.EDQUOT, ""), UsageError, "the disk is full"),
        (OSError(errno.EACCES, ""), UsageError, "no permission to write"),
        (OSError(errno.EROFS, ""), UsageError, "no permission to write"),
        (OSError(errno.EIO, "Input/output error"), StudyError, "written: input/output error"),
        (KeyboardInterrupt(), KeyboardInterrupt, "^$"),
    ],
)
def test_failure_leaves_the_old_file_alone(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
    error: BaseException,
    raised: type[BaseException],
    says: str,
):
    file = tmp_path / "model.json"
    file.write_bytes(b"old")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(os if where == "fsync" else Path, where, fail)
    with pytest.raises(raised, match=says):
        write_atomic(file, b"new")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_bytes() == b"old"


def test_wrong_places(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "folder").mkdir()
    wrong = {
        tmp_path / "none" / "x": "the folder of .* does not exist",
        tmp_path / "file" / "x": "a file stands where a folder is needed",
        tmp_path / "folder": "a folder of that name exists",
        tmp_path / ("x" * 300): "too long",
        tmp_path / "a\0b": "not a possible file name",
    }
    for path, says in wrong.items():
        with pytest.raises(UsageError, match=says) as caught:
            write_atomic(path, b"new")
        assert str(caught.value).isprintable()
    assert {p.name for p in tmp_path.iterdir()} == {"file", "folder"}
    assert list((tmp_path / "folder").iterdir()) == []


def test_messages_are_harmless():
    error = OSError(errno.EACCES, "Permission denied")
    for made in (write_error(error, "\x1b[2Jname"), read_error(error, "\x1b[2Jname")):
        assert str(made).isprintable()
        assert "?[2Jname" in str(made)


def test_reading_errors():
    assert isinstance(read_error(OSError(errno.EIO, "Input/output error"), "x"), StudyError)
    assert str(read_error(OSError(errno.ENOENT, ""), "x")) == 'no file "x"'
    assert (
        str(read_error(OSError(errno.EISDIR, ""), "x")) == '"x" must be a file, but it is a folder'
    )
    assert str(read_error(OSError(errno.EACCES, ""), "x")) == 'no permission to read "x"'
