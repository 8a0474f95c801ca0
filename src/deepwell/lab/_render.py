"""From a figure's name to files: measured once, drawn in every style, written whole."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from deepwell._base._atomic_file import write_file
from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._figure import LabFigure
from ._registry import FIGURES
from ._style import STYLES, Style

FORMATS = ("png", "svg")


def draw(name: str, folder: str | Path = ".") -> list[Path]:
    """Measure one figure of the field guide and write it as PNG and SVG, light and dark.

    >>> from deepwell import lab
    >>> lab.draw("activations", "figures")                              # doctest: +SKIP

    Args:
        name: of the figure, one of `FIGURES`.
        folder: where `NAME-light.png`, `NAME-dark.png` and the same as `.svg` go; made if needed.

    Returns:
        The four files.

    Raises:
        UsageError: when there is no such figure, Matplotlib is not installed, or the folder is
            no folder.
    """
    figure = FIGURES[name]
    require_matplotlib()
    place = Path(folder)
    if place.exists() and not place.is_dir():
        raise UsageError(f'"{safe_text(place, 200)}" is no folder; name one for the figures')
    measured = figure.measure()
    place.mkdir(parents=True, exist_ok=True)
    files = []
    for style in STYLES.values():
        for form, content in rendered(figure, measured, style, FORMATS).items():
            files.append(place / f"{name}-{style.name}.{form}")
            write_file(files[-1], content)
    return files


def rendered(
    figure: LabFigure, measured: Any, style: Style, formats: Sequence[str]
) -> dict[str, bytes]:
    """Return the drawing in each file format."""
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    settings: Any = style.settings()
    with rc_context(settings):
        sheet = Figure(figsize=figure.size)
        figure.draw(sheet, measured, style)
        files = {}
        for form in formats:
            stream = io.BytesIO()
            sheet.savefig(stream, format=form, metadata=_NO_DATE if form == "svg" else {})
            files[form] = stream.getvalue()
        return files


_NO_DATE = {"Date": None, "Creator": "Deepwell"}


def require_matplotlib() -> None:
    """Raise `UsageError` unless Matplotlib can be imported."""
    try:
        import matplotlib as _  # noqa: F401
    except ImportError as error:
        raise UsageError(
            "figures are drawn by Matplotlib, which is not installed; pip install 'deepwell[lab]'"
        ) from error
