"""The one style of all figures: readable, safe for the colour-blind, in light and dark.

The series colours are those of Okabe and Ito (2008), brightened where the ground is dark; ordered
values take `ramp`, which rises in lightness as well as in hue.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Style:
    """Colours of a figure on one ground.

    Attributes:
        name: `light` or `dark`.
        back: ground; ink: text and axes; quiet: secondary lines; faint: grid.
        colors: of unordered series, in the order of use.
        ramp: name of the colour map of ordered values.
        span: part of the ramp that stands out from the ground.
    """

    name: str
    back: str
    ink: str
    quiet: str
    faint: str
    colors: tuple[str, ...]
    ramp: str
    span: tuple[float, float]

    def ordered(self, count: int) -> list[Any]:
        """Return `count` colours of the ramp, from the first to the last value."""
        from matplotlib import colormaps

        low, high = self.span
        steps = [low + (high - low) * i / max(count - 1, 1) for i in range(count)]
        return [colormaps[self.ramp](step) for step in steps]

    def settings(self) -> dict[str, Any]:
        """Return Matplotlib's settings for everything that is not drawn by hand."""
        from cycler import cycler

        return {
            "figure.facecolor": self.back,
            "savefig.facecolor": self.back,
            "axes.facecolor": self.back,
            "text.color": self.ink,
            "axes.labelcolor": self.ink,
            "axes.titlecolor": self.ink,
            "axes.edgecolor": self.quiet,
            "xtick.color": self.quiet,
            "ytick.color": self.quiet,
            "xtick.labelcolor": self.ink,
            "ytick.labelcolor": self.ink,
            "axes.prop_cycle": cycler(color=self.colors),
            "grid.color": self.faint,
            **_SHARED,
        }


_SHARED: Mapping[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.5,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 9.5,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 8.5,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.formatter.useoffset": False,
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.8,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 150,
    "svg.hashsalt": "deepwell",
}

LIGHT = Style(
    name="light",
    back="#ffffff",
    ink="#1f2933",
    quiet="#7b8794",
    faint="#e4e7eb",
    colors=("#0072b2", "#d55e00", "#009e73", "#b8508f", "#c98a00", "#3f9fd8", "#4b5563"),
    ramp="viridis",
    span=(0.0, 0.88),
)
DARK = Style(
    name="dark",
    back="#0d1117",
    ink="#e4e7eb",
    quiet="#8894a3",
    faint="#242b35",
    colors=("#4ea8f0", "#ff8f45", "#2fc99b", "#e58cc4", "#f2c14e", "#8fd3ff", "#b8c0cc"),
    ramp="viridis",
    span=(0.25, 1.0),
)
STYLES = {style.name: style for style in (LIGHT, DARK)}


def end_labels(
    axes: Any, ends: Sequence[tuple[float, float, str, Any]], gap: float = 0.055
) -> None:
    """Write a name at the end of each line, moved apart where two would overlap.

    Args:
        axes: the axes; its limits must be final.
        ends: x, y, name and colour of each line.
        gap: least distance between two names, as a share of the axes' height.
    """
    to_share = axes.transData + axes.transAxes.inverted()
    heights = [min(max(to_share.transform((x, y))[1], 0.02), 0.98) for x, y, _, _ in ends]
    order = sorted(range(len(ends)), key=lambda i: heights[i])
    places = dict.fromkeys(order, 0.0)
    floor = -1.0
    for i in order:
        floor = places[i] = max(heights[i], floor + gap)
    over = floor - 1.0
    if over > 0:  # too many at the top: push down
        ceiling = 1.0
        for i in reversed(order):
            ceiling = places[i] = min(places[i], ceiling)
            ceiling -= gap
    for i, (_, _, name, color) in enumerate(ends):
        axes.annotate(
            name, (1.0, places[i]), xycoords="axes fraction", xytext=(5, 0),
            textcoords="offset points", color=color, va="center", fontsize=8.5,
            annotation_clip=False,
        )  # fmt: skip
