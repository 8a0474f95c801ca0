"""A rare class in the dev set: by chance, and stratified."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.data._split import DEV, SplitInput
from deepwell.data._split_sizes import split_sizes
from deepwell.data._stratified_split import random_split, stratified_split
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

ROWS, RARE, SEEDS = 500, 25, 300


def _measure() -> dict[str, np.ndarray]:
    """Return how many rows of the rare class dev gets, by kind of split, for many seeds."""
    strata = (np.arange(ROWS) < RARE).astype(np.int64)
    counts = {}
    for name, split in (("random", random_split), ("stratified", stratified_split)):
        drawn = (
            split(SplitInput(split_sizes(ROWS), seed, np.arange(ROWS), strata)).parts == DEV
            for seed in range(SEEDS)
        )
        counts[name] = np.array([int(strata[dev].sum()) for dev in drawn])
    return counts


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    axes = sheet.subplots()
    bins = np.arange(int(max(m.max() for m in measured.values())) + 2)
    for shift, (color, (name, counts)) in enumerate(
        zip(style.colors, measured.items(), strict=False)
    ):
        share = 100 * np.bincount(counts, minlength=len(bins)) / SEEDS
        axes.bar(bins + 0.4 * (shift - 0.5), share, 0.4, color=color, label=name)
    axes.set(xlabel=f"rows of the rare class in dev ({RARE} of {ROWS} rows in all)",
             ylabel="share of splits in %", title=f"{SEEDS} splits of each kind")  # fmt: skip
    axes.set_xticks(bins)
    axes.grid(visible=False, axis="x")
    axes.legend()


SPLITS = LabFigure(
    name="splits",
    shows="By chance dev gets anything from hardly any to twice its share; stratified, the share.",
    techniques=("D2",),
    measure=_measure,
    draw=_draw,
)
