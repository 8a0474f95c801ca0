"""Quantiles of activations over training, layer by layer, of a healthy and a saturated network."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np

from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._probe_plan import ProbePlan
from deepwell.lab._figure import LabFigure
from deepwell.lab._style import Style, end_labels
from deepwell.lab._tasks import moons
from deepwell.records import Probe, TrialSpec

EPOCHS, LAYERS = 60, 4
NETWORKS = {"weights as usual": 1.0, "weights 50 times as large": 50.0}


def probed(scale: float) -> list[Probe]:
    """Return the probes of a deep tanh network after every epoch, its first weights scaled."""
    task = moons(train=400, noise=0.2)
    values = {
        "hidden_units": [24] * LAYERS, "activation": "tanh", "initializer": "glorot",
        "initializer_scale": scale, "optimizer": "adam", "learning_rate": 0.002,
        "batch_size": 32, "epochs": EPOCHS, "patience": 0, "dropout": 0.0,
    }  # fmt: skip
    specs = {0: TrialSpec(values, seed=1)}
    plan = ProbePlan(frozenset(specs), every=1)
    with contextlib.closing(LocalEngine(task.rows(), task.shape(), choose_backend(None))) as engine:
        engine.prepare(specs, engine.plan(specs, EPOCHS))
        records = list(engine.train([0], EPOCHS, lambda: False, plan))
    return [probe for record in records for probe in record.probes]


def _measure() -> dict[str, dict[str, np.ndarray]]:
    """Return of each network activations (T, L, 7), saturated (T, L) and update ratios (T, L)."""
    found: dict[str, dict[str, np.ndarray]] = {}
    for name, scale in NETWORKS.items():
        probes = probed(scale)
        found[name] = {
            "epoch": np.array([probe.epoch for probe in probes]),
            "activations": np.array([probe.activations for probe in probes]),
            "saturated": np.array([probe.saturated for probe in probes]),
            "ratio": np.array([probe.update_norm / probe.weight_norm for probe in probes]),
        }
    return found


def _draw(sheet: Any, measured: dict[str, dict[str, np.ndarray]], style: Style) -> None:
    panels = sheet.subplots(2, LAYERS + 1, width_ratios=[1] * LAYERS + [1.5])
    for row, (name, of) in zip(panels, measured.items(), strict=True):
        for layer, axes in enumerate(row[:LAYERS]):
            _ribbons(axes, of["epoch"], of["activations"][:, layer], style.colors[layer])
            share = 100 * of["saturated"][-1, layer]
            axes.set_title(f"hidden {layer + 1}: {share:.0f} % saturated", fontsize=8.5)
            axes.tick_params(labelleft=layer == 0)
        row[0].set_ylabel(name)
        _ratios(row[-1], of["epoch"], of["ratio"], style)
    for axes in panels[-1]:
        axes.set_xlabel("epoch")


def _ribbons(axes: Any, epochs: np.ndarray, quantiles: np.ndarray, color: str) -> None:
    for low, high, alpha in ((0, 6, 0.18), (1, 5, 0.28), (2, 4, 0.45)):
        axes.fill_between(epochs, quantiles[:, low], quantiles[:, high], color=color, alpha=alpha,
                          linewidth=0)  # fmt: skip
    axes.plot(epochs, quantiles[:, 3], color=color, linewidth=1.5)
    axes.set(xlim=(0, EPOCHS), ylim=(-1.05, 1.05), yticks=(-1, 0, 1))


def _ratios(axes: Any, epochs: np.ndarray, ratios: np.ndarray, style: Style) -> None:
    axes.set(xlim=(0, EPOCHS), yscale="log", ylim=(1e-6, 1e-1))
    axes.set_title("update / weights", fontsize=8.5)
    ends = []
    names = [f"hidden {n + 1}" for n in range(LAYERS)] + ["output"]
    for layer, name in enumerate(names):
        axes.plot(epochs, ratios[:, layer], color=style.colors[layer], linewidth=1.2)
        ends.append((EPOCHS, ratios[-1, layer], name, style.colors[layer]))
    end_labels(axes, ends, gap=0.09)


PROBES = LabFigure(
    name="probes",
    shows="Activations over training by layer: weights that are too large leave tanh saturated.",
    techniques=("C5",),
    measure=_measure,
    draw=_draw,
    size=(10.0, 4.2),
)
