"""The mismatch test: p-values of like sets, and the AUC as three columns of the dev rows move."""

from __future__ import annotations

from typing import Any

import numpy as np

from deepwell.diagnosis._data_findings import MATERIAL
from deepwell.diagnosis._domain_test import domain_test
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style

INPUTS, MOVED, LIKE_SETS = 20, 3, 300
SHIFTS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
SIZES = ((120, 40), (1200, 400))


def _tested(rows: tuple[int, int], shift: float, seed: int) -> Any:
    draws = np.random.default_rng((seed, *rows))
    train, dev = (draws.normal(size=(n, INPUTS)).astype(np.float32) for n in rows)
    dev[:, :MOVED] += np.float32(shift)
    return domain_test(train, dev, (np.arange(rows[0]), np.arange(rows[1])), seed)


def _measure() -> dict[str, np.ndarray]:
    """Return sorted p-values of like sets, and (shifts, 3) AUC with its interval, by size."""
    like = np.sort([_tested((60, 20), 0.0, seed).p_value for seed in range(LIKE_SETS)])
    found = {"p": like}
    for rows in SIZES:
        tested = [_tested(rows, shift, 7) for shift in SHIFTS]
        found[f"{rows[1]} dev rows"] = np.array([[one.auc, one.low, one.high] for one in tested])
    return found


def _draw(sheet: Any, measured: dict[str, np.ndarray], style: Style) -> None:
    left, right = sheet.subplots(1, 2)
    share = np.arange(1, LIKE_SETS + 1) / LIKE_SETS
    left.plot([0, 1], [0, 1], color=style.quiet, linewidth=1.2, label="uniform")
    left.plot(
        np.r_[0, measured["p"]],
        np.r_[0, share],
        drawstyle="steps-post",
        color=style.colors[0],
        label="measured",
    )
    left.set(xlabel="p-value", ylabel="share of like sets below it",
             title=f"{LIKE_SETS} pairs of 60 and 20 like rows")  # fmt: skip
    left.legend()
    for color, rows, nudge in zip(style.colors, SIZES, (-0.01, 0.01), strict=False):
        name = f"{rows[1]} dev rows"
        auc, low, high = measured[name].T
        right.errorbar(np.array(SHIFTS) + nudge, auc, (auc - low, high - auc), color=color,
                       marker="o", markersize=4, capsize=2, label=name)  # fmt: skip
    right.axhline(MATERIAL, color=style.quiet, linestyle="--", linewidth=1)
    right.text(0.3, MATERIAL - 0.01, "what matters", ha="left", va="top", fontsize=8.5)
    right.set(xlabel=f"shift of {MOVED} of {INPUTS} columns (standard deviations)", ylabel="AUC",
              title="train against dev, 95 % intervals")  # fmt: skip
    right.legend(loc="upper left")


MISMATCH = LabFigure(
    name="mismatch",
    shows="Like sets give every p-value equally often; few rows leave a medium shift open.",
    techniques=("D5",),
    measure=_measure,
    draw=_draw,
)
