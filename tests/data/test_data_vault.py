import errno
import hashlib
import os
import stat
from pathlib import Path

import polars as pl
import pytest

from deepwell._base._errors import UsageError
from deepwell.data._vault import SealedTest, seal
from deepwell.data._vault_reader import read_sealed

FRAME = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", None], "y": [True, False, True]})
PRINT = "f" * 64


def complaint(sealed: SealedTest) -> str:
    with pytest.raises(UsageError) as caught:
        read_sealed(sealed)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.proves("D8", "formula")
def test_rows_come_back_as_they_went_in(tmp_path: Path) -> None:
    sealed = seal(FRAME, tmp_path / "vault", PRINT)
    assert read_sealed(sealed).equals(FRAME)
    assert sealed.rows == 3
    assert Path(sealed.path) == tmp_path / "vault" / f"{PRINT}.parquet"
    assert sealed.sha256 == hashlib.sha256(Path(sealed.path).read_bytes()).hexdigest()


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    sealed = seal(FRAME, tmp_path / "deepwell" / "vault", PRINT)
    path = Path(sealed.path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) & 0o055 == 0o055 & ~_mask()


def _mask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_sealing_again_finds_the_file_and_makes_it_young(tmp_path: Path) -> None:
    first = seal(FRAME, tmp_path, PRINT)
    os.utime(first.path, (1000.0, 1000.0))
    before = Path(first.path).stat()
    assert seal(FRAME, tmp_path, PRINT) == first
    after = Path(first.path).stat()
    assert before.st_ino == after.st_ino
    assert after.st_mtime > 1000.0  # else `gc` takes it for one that nobody needs
    assert len(list(tmp_path.iterdir())) == 1


def test_a_file_with_other_bytes_is_left_alone(tmp_path: Path) -> None:
    first = seal(FRAME, tmp_path, PRINT)
    Path(first.path).write_bytes(b"changed")
    second = seal(FRAME, tmp_path, PRINT)
    assert second.path != first.path
    assert second.sha256 == first.sha256
    assert Path(first.path).read_bytes() == b"changed"
    assert read_sealed(second).equals(FRAME)
    assert seal(FRAME, tmp_path, PRINT) == second


@pytest.mark.proves("D8", "formula")
def test_tampering_is_noticed(tmp_path: Path) -> None:
    sealed = seal(FRAME, tmp_path, PRINT)
    path = Path(sealed.path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "was changed after it was sealed" in complaint(sealed)
    path.unlink()
    assert "is missing" in complaint(sealed)
    path.mkdir()
    assert "cannot be read" in complaint(sealed)


def test_a_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UsageError, match=r"cannot be sealed in .* \(No space left on device\)"):
        seal(FRAME, tmp_path / "a" / "b" / "vault", PRINT)
    assert list(tmp_path.iterdir()) == []


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(UsageError, match=r"\(Permission denied\); free space there or work"):
        seal(FRAME, tmp_path / "vault", PRINT)
    assert list(tmp_path.iterdir()) == []


def test_a_file_where_the_folder_should_be(tmp_path: Path) -> None:
    (tmp_path / "vault").write_text("mine")
    for folder in (tmp_path / "vault", tmp_path / "vault" / "inner"):
        with pytest.raises(UsageError, match="cannot be sealed"):
            seal(FRAME, folder, PRINT)
    assert (tmp_path / "vault").read_text() == "mine"
