"""AUTOTRAINER (Zhang et al. 2021): symptoms of training, restated from its published numbers.

Left out: exactly zero gradient entries are taken as dead units (Deepwell's probes hold quantiles of
gradients, not the count of zeros); its check that the loss fits the output layer needs layer names.
"""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.diagnosed import Measured

_VANISHING, _SMALL, _EXPLODING = 1e-3, 1e-4, 70.0
_DYING, _SWING, _SWINGS = 0.7, 0.03, 0.2
_LEARNT, _JUMP = 0.6, 0.01
_LOSS, _INPUT = 1e3, 10.0


def autotrainer(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Judge accuracy after 30 % of the epochs; gradients count where accuracy stays low."""
    cost = run.train_cost
    if len(cost) and (not np.isfinite(cost).all() or cost[-1] >= _LOSS):
        return True, ("init too large",)
    said = _training(run) if len(cost) else []
    if float(np.abs(run.x).mean()) >= _INPUT:
        said.append("inputs not scaled")
    causes = tuple(dict.fromkeys(said))
    return bool(causes), causes


def _training(run: Measured) -> list[str]:
    accuracy = 1 - run.dev_score if run.kind == "classification" else 1 - run.dev_score / _unit(run)
    late = accuracy[int(0.3 * len(accuracy)) :]
    poor = len(late) == 0 or late.max() < _LEARNT
    still = len(accuracy) < 2 or np.diff(accuracy).max() < _JUMP
    said = []
    for probe in run.probes if poor or still else ():
        first, last = float(probe.gradient_norm[0]), float(probe.gradient_norm[-1])
        ratio = first / last if last > 0 else 0.0
        if ratio < _VANISHING and first < _SMALL:
            said.append("gradients vanish")
        if ratio > _EXPLODING:
            said.append("init too large")
        if len(probe.dead) > 1 and np.nanmax(probe.dead[:-1]) >= _DYING:
            said.append("units dead")
    if len(late) > 2:
        turns = np.abs(np.diff(late))
        if (turns >= _SWING).mean() >= _SWINGS:
            said.append("rate too high")
    if poor and still:
        said.append("rate too low")
    return said


def _unit(run: Measured) -> float:
    return run.constant if run.constant > 0 else 1.0
