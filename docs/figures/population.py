"""Draw the figure of the README from a real run: a population on digits, curve by curve.

    python docs/figures/population.py        # writes population.svg and population-dark.svg

Needs matplotlib. Each line is a network's dev error by epoch; networks end where the scheduler
stopped them, where they stopped by themselves, or at the last epoch.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

import deepwell as dw
from deepwell.records import StudyResult, Trial

HERE = Path(__file__).parent
THEMES = {
    "population": {"ink": "#1f2933", "quiet": "#9aa5b1", "best": "#c2410c", "back": "#ffffff"},
    "population-dark": {"ink": "#e4e7eb", "quiet": "#616e7c", "best": "#fb923c", "back": "#0d1117"},
}


def main() -> None:
    """Train, then draw in light and dark."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        dw.write_sample("digits", place / "digits.csv")
        data = dw.load(place / "digits.csv", target="label", vault=place / "vault")
        study = dw.Study(data, store=place / "store", seed=0)
        result = study.run(trials=128)
        trials = study.history()
    for name, theme in THEMES.items():
        draw(result, trials, theme, HERE / f"{name}.svg")


def draw(result: StudyResult, trials: list[Trial], theme: dict[str, str], path: Path) -> None:
    """Draw all curves, the best one in colour, with the baseline as a line."""
    plt.rcParams["svg.hashsalt"] = "deepwell"
    figure, axes = plt.subplots(figsize=(8, 3.6), facecolor=theme["back"])
    axes.set_facecolor(theme["back"])
    last = max(trial.epochs for trial in trials) + 2
    for trial in trials:
        _curve(axes, trial, theme["quiet"], 0.6, 0.55)
    best = next(t for t in trials if t.number == result.best_trial)
    _curve(axes, best, theme["best"], 2.0, 1.0)
    linear = result.baselines[-1]
    axes.axhline(100 * linear.estimate.value, color=theme["ink"], linewidth=1, linestyle="--")
    axes.text(
        last - 1, 100 * linear.estimate.value * 1.06, linear.name, color=theme["ink"], ha="right",
        va="bottom", fontsize=9,
    )  # fmt: skip
    label = f"best: {100 * best.score:.1f} % at epoch {best.best_epoch}"
    axes.text(last - 1, 0.62, label, color=theme["best"], ha="right", va="bottom", fontsize=9)
    for rung in result.plan.rungs[:-1]:
        axes.axvline(rung.epochs, color=theme["quiet"], linewidth=0.8, linestyle=":")
        axes.text(
            rung.epochs + 0.7, 80, f"rung at epoch {rung.epochs}", color=theme["quiet"], fontsize=8
        )
    axes.set(yscale="log", ylim=(0.5, 100), xlim=(1, last))
    axes.set_yticks(
        [0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"]
    )
    axes.minorticks_off()
    axes.set_xlabel("epoch", color=theme["ink"])
    axes.set_ylabel("dev error in %", color=theme["ink"])
    axes.tick_params(colors=theme["ink"])
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(theme["quiet"])
    figure.tight_layout()
    figure.savefig(path, facecolor=theme["back"], metadata={"Date": None})
    plt.close(figure)


def _curve(axes: Axes, trial: Trial, color: str, width: float, alpha: float) -> None:
    scores = 100 * trial.curves["dev_score"]
    axes.plot(range(1, len(scores) + 1), scores, color=color, linewidth=width, alpha=alpha)


if __name__ == "__main__":
    main()
