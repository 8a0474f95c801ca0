"""The wheel that users install holds the package, its type marker and licence, and nothing else."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import sysconfig
import zipfile
from email import message_from_bytes
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "deepwell"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """Build the wheel from the checkout, in a build folder of its own."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder)]
    command += ["--config-settings", f"build-dir={folder / 'build'}", str(ROOT)]
    if importlib.util.find_spec("scikit_build_core"):
        command.append("--no-build-isolation")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("deepwell-*.whl")
    return zipfile.ZipFile(built)


def _read(wheel: zipfile.ZipFile, end: str) -> bytes:
    (name,) = [name for name in wheel.namelist() if name.endswith(end)]
    return wheel.read(name)


def test_it_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    files = {
        f"deepwell/{path.relative_to(PACKAGE).as_posix()}"
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "deepwell/py.typed" in files
    assert files <= set(wheel.namelist())


def test_it_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"deepwell"}
    assert not [name for name in names if "test_" in name or "conftest" in name]
    assert not [name for name in names if name.endswith((".pyc", ".cpp", ".h", "CMakeLists.txt"))]


def test_it_carries_the_licence(wheel: zipfile.ZipFile) -> None:
    assert _read(wheel, ".dist-info/licenses/LICENSE") == (ROOT / "LICENSE").read_bytes()


def test_its_metadata_says_what_it_is(wheel: zipfile.ZipFile) -> None:
    metadata = message_from_bytes(_read(wheel, ".dist-info/METADATA"))
    assert metadata["Name"] == "deepwell"
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "Deepwell makes deep neural networks better" in str(metadata.get_payload())
    assert b"deepwell = deepwell.cli" in _read(wheel, ".dist-info/entry_points.txt")


def test_the_packed_package_imports_by_itself(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    wheel.extractall(tmp_path)
    program = "import deepwell, deepwell.records; print(deepwell.__file__)"
    # Without `site`, whose hook for the editable install would come first.
    paths = [str(tmp_path), sysconfig.get_path("purelib")]
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {paths!r}; {program}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip().startswith(str(tmp_path)), done.stderr
