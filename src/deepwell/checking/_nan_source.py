"""Where in a person's code an equation of a traced program was written."""

from __future__ import annotations

import linecache
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax

_TRACERS = tuple(
    str(folder) + "/" for folder in (Path(jax.__file__).parent, Path(jax.lib.__file__).parent)
)
_OWN = str(Path(__file__).parent / "_nan_")
_LIBRARIES = ("/site-packages/", "/dist-packages/")
_MADE_UP = "<"  # as in <string>: code that lies in no file


@dataclass(frozen=True)
class Place:
    """A line of a person's code.

    Attributes:
        file: its path; empty where the program says none.
        line: counted from 1, 0 where unknown.
        function: around the line.
        code: the line itself, empty where the file cannot be read.
        called_from: the line of one's own code from which an installed library was called, as
            `train.py:12 in loss`; empty where the place itself is one's own.
    """

    file: str = ""
    line: int = 0
    function: str = ""
    code: str = ""
    called_from: str = ""

    def text(self) -> str:
        """Return the place in words, as in `loss.py:12 in norm`."""
        if not self.file:
            return "an unknown line"
        where = f"{Path(self.file).name}:{self.line} in {self.function}"
        return f"{where}, called from {self.called_from}" if self.called_from else where


def place_of(*sources: Any) -> Place:
    """Return the innermost line outside of JAX that made an equation.

    JAX's own functions hold no line of a caller, so what is around them is asked next.

    Args:
        sources: of the equation and of those around it, innermost first, as JAX keeps them.
    """
    frames = next((found for source in sources if (found := _frames(source))), [])
    if not frames:
        return Place()
    inner = frames[0]
    own = next((frame for frame in frames if not _installed(frame.file_name)), inner)
    called = "" if own is inner or not _installed(inner.file_name) else _short(own)
    return Place(
        inner.file_name,
        inner.line_num,
        inner.function_name,
        linecache.getline(inner.file_name, inner.line_num).strip(),
        called,
    )


def _frames(source: Any) -> list[Any]:
    traceback = getattr(source, "traceback", None)
    return [frame for frame in getattr(traceback, "frames", ()) if _tells(frame.file_name)]


def _short(frame: Any) -> str:
    return f"{Path(frame.file_name).name}:{frame.line_num} in {frame.function_name}"


def _tells(file: str) -> bool:
    """Whether a file is neither JAX's nor the one that traces."""
    return not file.startswith((*_TRACERS, _OWN))


def _installed(file: str) -> bool:
    return file.startswith(_MADE_UP) or any(folder in file for folder in _LIBRARIES)
