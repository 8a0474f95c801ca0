"""TheDeepChecker (Ben Braiek and Khomh 2023): the richest rule set, restated in part.

Left out, since the measurements do not hold them: fitting 16 rows, its gradient check (off by
default there), doubling the batch, CKA of modes and of augmentation, correlation of loss and
metric. Its test of He's variance is taken at the first probe.
"""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.diagnosed import Measured

_PERPLEXITY = 0.5
_DEAD_AT, _DEAD_SHARE, _SATURATED = 1e-5, 0.5, 0.5
_SMALL, _LARGE = 1e-6, 1e6
_FAST, _SLOW = -1.0, -4.0
_STAGNANT, _DIVERGING, _FLUCTUATING, _WINDOW = 0.05, 2.0, 0.5, 5
_SPREAD = (0.5, 2.0)


def deep_checker(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Go through data, start, activations, gradients, updates and loss."""
    said = [*_data(run), *_start(run), *_inside(run), *_loss(run)]
    causes = tuple(dict.fromkeys(said))
    return bool(causes), causes


def _data(run: Measured) -> list[str]:
    said = []
    mean, spread = run.x.mean(axis=0), run.x.std(axis=0)
    ranged = run.x.min() >= -1 and run.x.max() <= 1
    if not ranged and (np.abs(mean).max() > 0.1 or np.abs(spread - 1).max() > 0.1):
        said.append("inputs not scaled")
    if (spread == 0).any():
        said.append("inputs without signal")
    if run.classes > 1:
        share = np.bincount(np.asarray(run.y, int), minlength=run.classes) / len(run.y)
        share = share[share > 0]
        perplexity = np.exp(-(share * np.log(share)).sum())
        if (perplexity - 1) / (run.classes - 1) < _PERPLEXITY:
            said.append("classes imbalanced")
    return said


def _start(run: Measured) -> list[str]:
    said = []
    if run.probes and (np.ptp(run.probes[0].weights, axis=1) == 0).any():
        said.append("init symmetric")
    if run.classes > 1 and np.isfinite(run.start_cost):
        expected = np.log(run.classes)
        if abs(run.start_cost - expected) >= expected:
            said.append("init too large")
    return said


def _inside(run: Measured) -> list[str]:
    said = []
    for probe in run.probes:
        hidden = probe.activations[:-1]
        if len(hidden) and (probe.dead[:-1] > _DEAD_SHARE).any():
            said.append("units dead")
        flat = probe.saturated[:-1]
        if len(flat) and (np.nan_to_num(flat) > _SATURATED).any():
            said.append("units saturated")
        deviation = (hidden[:, 5] - hidden[:, 1]) / 3.29
        if len(hidden) and ((deviation < _SPREAD[0]) | (deviation > _SPREAD[1])).any():
            said.append("init too small" if (deviation < _SPREAD[0]).any() else "init too large")
        size = np.abs(probe.gradients).mean(axis=1)
        if (size < _SMALL).any():
            said.append("gradients vanish")
        if (size > _LARGE).any():
            said.append("init too large")
        with np.errstate(divide="ignore"):
            moves = np.log10(probe.update_norm / np.maximum(probe.weight_norm, 1e-12))
        if (moves > _FAST).any():
            said.append("rate too high")
        if np.isneginf(moves).any():
            said.append("updates lost")
        elif (moves < _SLOW).any():
            said.append("rate too low")
    return said


def _loss(run: Measured) -> list[str]:
    cost = run.train_cost
    if not np.isfinite(cost).all():
        return ["rate too high"]
    if len(cost) <= _WINDOW:
        return []
    falls = 1 - cost[1:] / np.maximum(cost[:-1], 1e-12)
    windows = np.lib.stride_tricks.sliding_window_view(falls, _WINDOW)
    said = []
    if (windows < _STAGNANT).all(axis=1).any():
        said.append("rate too low")
    if (windows <= 1 - _DIVERGING).all(axis=1).any():
        said.append("rate too high")
    if (np.diff(np.sign(falls)) != 0).mean() > _FLUCTUATING:
        said.append("rate too high")
    return said
