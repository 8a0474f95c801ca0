"""What a person reads off two loss curves, with the usual rules of thumb."""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.diagnosed import Measured

_GAP = 1.5  # dev cost over train cost, at the end
_RISE = 1.1  # dev cost at the end over its lowest
_LEFT = 0.9  # of the first epoch's cost
_ROUGH = 0.5  # share of epochs in which the train cost rises
_STEEP = 0.02  # fall of dev cost over the last tenth, of its level


def curve_rules(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Read divergence, no learning, overfitting, oscillation and a curve that still falls."""
    train, dev = run.train_cost, run.dev_cost
    if not len(train):  # nothing was trained
        return False, ()
    if not (np.isfinite(train).all() and np.isfinite(dev).all()):
        return True, ("rate too high",)
    said = []
    if train[-1] > _LEFT * train[0]:
        said.append("rate too low")
    if (np.diff(train) > 0).mean() > _ROUGH:
        said.append("rate too high")
    if dev[-1] > _RISE * dev.min() or dev[-1] > _GAP * max(train[-1], 1e-12):
        said.append("regularized too little")
    tail = max(1, len(dev) // 10)
    if dev[-1] < (1 - _STEEP) * dev[-1 - tail] if len(dev) > tail else True:
        said.append("trained too short")
    return bool(said), tuple(said)
