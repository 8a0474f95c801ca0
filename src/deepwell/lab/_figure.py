"""The contract of a figure of the field guide: what it measures, and how that is drawn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ._style import Style


@dataclass(frozen=True)
class LabFigure:
    """One figure.

    Attributes:
        name: as on the command line, words joined by hyphens.
        shows: one sentence: what a reader should see.
        techniques: ids of the techniques it illustrates, as in docs/techniques.md.
        measure: runs our own code and returns plain numbers; takes under a minute on 2 cores.
        draw: `(figure, measured, style)` draws them on a Matplotlib figure.
        size: width and height in inches.
    """

    name: str
    shows: str
    techniques: tuple[str, ...]
    measure: Callable[[], Any]
    draw: Callable[[Any, Any, Style], None]
    size: tuple[float, float] = (8.0, 3.6)
