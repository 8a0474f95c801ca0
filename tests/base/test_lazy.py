"""A lazy facade imports a module when one of its names is used, not before."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

FACADE = """
from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(__name__, {"heavy": "._heavy", "gone": "._heavy"})
"""


@pytest.fixture
def facade(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "lazy_example"
    folder.mkdir()
    (folder / "__init__.py").write_text(FACADE)
    (folder / "_heavy.py").write_text("heavy = object()\n")
    monkeypatch.syspath_prepend(tmp_path)
    import lazy_example  # pyright: ignore[reportMissingImports]

    yield lazy_example
    for name in [name for name in sys.modules if name.split(".")[0] == "lazy_example"]:
        del sys.modules[name]


def test_a_name_loads_its_module_on_first_use(facade) -> None:
    assert "lazy_example._heavy" not in sys.modules
    heavy = facade.heavy
    assert heavy is sys.modules["lazy_example._heavy"].heavy
    assert facade.heavy is heavy


def test_dir_lists_the_names_without_loading(facade) -> None:
    assert dir(facade) == ["gone", "heavy"]
    assert "lazy_example._heavy" not in sys.modules


def test_from_import_works(facade) -> None:
    from lazy_example import heavy  # pyright: ignore[reportMissingImports]

    assert heavy is facade.heavy


def test_an_unknown_name_is_an_attribute_error(facade) -> None:
    with pytest.raises(AttributeError, match="module 'lazy_example' has no attribute 'heavi'"):
        _ = facade.heavi
    with pytest.raises(AttributeError):
        _ = facade.gone
    assert not hasattr(facade, "heavi")
