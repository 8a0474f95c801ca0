"""DeepLocalize and DeepDiagnosis (Wardat et al. 2021, 2022): rules on tensors, restated.

Probes hold quantiles: a mean is taken as exactly zero where all of them are (half of a healthy ReLU
layer is zero, its mean is not), and elsewhere as the median. The rule "unchanged over five batches"
is taken over consecutive probes.
"""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.diagnosed import Measured

_MEDIAN = 3
_ZERO = {"activations": "units dead", "gradients": "gradients vanish", "weights": "init symmetric"}
_DEAD, _SATURATED, _FLAT = 0.7, 0.5, 5.0
_VANISHING, _SPAN = 1e-7, 10.0
_WEIGHTS, _RATES = (1e-5, 10.0), (1e-5, 1e-1)


def deep_localize(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Stop where what a layer hands on, its gradient or weights are not finite, or often zero."""
    if not np.isfinite(run.train_cost).all():
        return True, ("rate too high",)
    zeros: list[str] = []
    for probe in run.probes:
        tables = {cause: getattr(probe, name) for name, cause in _ZERO.items()}
        if not all(np.isfinite(table).all() for table in tables.values()):
            return True, ("rate too high",)
        zeros += [cause for cause, t in tables.items() if (t == 0).all(axis=1).any()][:1]
        if zeros and 2 * len(zeros) >= len(run.probes):
            return True, (zeros[0],)
    return False, ()


def deep_diagnosis(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Find a symptom, then take the first cause of a fixed list: weights, data, rate, the rest."""
    symptom = _symptom(run)
    if symptom is None:
        return False, ()
    last = run.probes[-1] if run.probes else None
    if last is None:
        return True, ("rate too high",)
    spread = float(((last.weights[:, 5] - last.weights[:, 1]).max() / 3.29) ** 2)
    if not _WEIGHTS[0] <= spread <= _WEIGHTS[1]:
        return True, ("init too large" if spread > 1 else "init too small",)
    if np.abs(run.x).max() > 1:
        return True, ("inputs not scaled",)
    rate = float(run.settings["learning_rate"])
    moves = rate * last.gradient_norm / np.maximum(last.weight_norm, 1e-12)
    if moves.max() > _RATES[1]:
        return True, ("rate too high",)
    if moves.max() < _RATES[0]:
        return True, ("rate too low",)
    return True, (symptom,)


def _symptom(run: Measured) -> str | None:
    if not np.isfinite(run.train_cost).all():
        return "rate too high"
    for before, probe in zip([None, *run.probes], run.probes, strict=False):
        hidden = probe.activations[:-1]
        if len(hidden) and (hidden[:, 4] <= 0).any() and (probe.zero[:-1] >= _DEAD).any():
            return "units dead"
        if len(hidden) and (np.abs(hidden[:, _MEDIAN]) > _FLAT).any():
            return "units saturated"
        if (np.abs(probe.gradients).max(axis=1) < _VANISHING).any():
            return "gradients vanish"
        if before is not None and np.array_equal(before.weights, probe.weights):
            return "updates lost"
        out = probe.activations[-1]
        if run.kind == "regression" and np.ptp(out) > _SPAN * max(float(np.ptp(run.y)), 1e-12):
            return "output layer wrong"
    return None
