"""UMLAUT (Schoop, Huang and Hartmann 2021): heuristics with fixed ranges, restated.

Its softmax rule went by a layer's name and accused right programs; here the output is read off the
program, which is kinder. Left out: image shape and type of the input array.
"""

from __future__ import annotations

import numpy as np

from benchmarks.diagnosis.diagnosed import Measured

_HIGH, _LOW = 0.01, 1e-7
_DROPOUT, _GOOD, _BETTER, _FIRST = 0.5, 0.95, 0.05, 3


def umlaut(run: Measured) -> tuple[bool, tuple[str, ...]]:
    """Look at inputs, rate, one-epoch moves of the losses, accuracy and dropout."""
    said = []
    if not np.isfinite(run.x).all():
        said.append("inputs corrupt")
    elif np.abs(run.x).max() > 1:
        said.append("inputs not scaled")
    rate = float(run.settings["learning_rate"])
    if rate > _HIGH:
        said.append("rate too high")
    if rate < _LOW:
        said.append("rate too low")
    train, dev = np.diff(run.train_cost), np.diff(run.dev_cost)
    if ((dev > 0) & (train < 0)).any():
        said.append("regularized too little")
    if run.kind == "classification" and len(run.dev_score) > _FIRST:
        accuracy = 1 - run.dev_score[_FIRST:]
        if accuracy.max() > _GOOD or accuracy[-1] > 1 - run.train_score + _BETTER:
            said.append("duplicates across parts")
    dropout = run.settings["dropout"]
    rates = dropout if isinstance(dropout, tuple) else (dropout,)
    if any(p > _DROPOUT for p in rates):
        said.append("regularized too much")
    if run.settings["activation"] == "identity":
        said.append("no nonlinearity")
    return bool(said), tuple(said)
