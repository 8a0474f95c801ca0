"""Faults of a network's settings: what `deepwell fit` can be told wrongly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.fault import ESTIMATE, Fault

ALL = ("gauss", "spiral", "teacher", "digits")
CURVED = ("spiral", "teacher", "digits")


def set_to(case: Case, values: dict[str, object], seed: int) -> Case:
    """Change settings and nothing else."""
    return case.with_settings(**values)


def rate_times(case: Case, factor: float, seed: int) -> Case:
    """Multiply the learning rate."""
    return case.with_settings(learning_rate=case.number("learning_rate") * factor)


def epochs_of(case: Case, share: float, seed: int) -> Case:
    """Train for a share of the epochs."""
    return case.with_settings(epochs=max(1, round(share * case.number("epochs"))))


def fades(case: Case, share: float, seed: int) -> Case:
    """Let the rate fall to a hundredth within a share of the epochs."""
    epochs = max(1.0, share * case.number("epochs"))
    return case.with_settings(decay="exponential", decay_factor=0.01 ** (1 / epochs))


def few_rows(case: Case, rows: int, seed: int) -> Case:
    """A network of 2 x 256 units, nothing that regularizes, on a few rows."""
    few = case.with_rows(train=case.train.take(np.arange(rows)))
    big = {"hidden_units": (256, 256), "dropout": 0.0, "l2": 0.0, "patience": 0, "epochs": 80}
    return few.with_settings(**big)


def hundred_rows(case: Case, rows: int, seed: int) -> Case:
    """A usual network on a few rows, with neither penalty nor dropout nor patience."""
    few = case.with_rows(train=case.train.take(np.arange(rows)))
    return few.with_settings(dropout=0.0, l2=0.0, patience=0, epochs=120)


def overtuned(case: Case, trials: int, seed: int) -> Case:
    """The best of many networks on few dev rows, reported by that score."""
    space = {
        "learning_rate": [0.001, 0.002, 0.003, 0.005, 0.008, 0.012],
        "hidden_units": [8, 12, 16, 24, 32, 48],
        "dropout": [0.0, 0.1, 0.2, 0.3],
        "epochs": 15,
    }
    dev = case.dev.take(np.arange(50))
    return replace(case.with_rows(dev=dev).with_settings(**space), trials=trials)


def _deep(layers: int) -> dict[str, object]:
    return {"hidden_units": (24,) * layers, "activation": "sigmoid"}


def _start(scale: float) -> dict[str, object]:
    return {"initializer_scale": scale, "hidden_units": (32,) * 4}


_MOMENTUM = {"optimizer": "velocity"}
_CLIPPED = {"optimizer": "sgd", "learning_rate": 0.1}

INIT = (
    Fault("weights of zero", "init symmetric", set_to,
          tuple({"initializer": "zeros", "hidden_units": (32,) * n} for n in (1, 2, 3)), ALL,
          "initializer auto", "1, 2, 3 hidden layers"),
    Fault("initial weights too large", "init too large", set_to,
          tuple({"initializer_scale": s} for s in (4.0, 10.0, 30.0)), ALL, "initializer auto",
          "4, 10, 30 times"),
    Fault("initial weights too small", "init too small", set_to,
          tuple(_start(s) for s in (0.2, 0.05, 0.01)), ALL, "initializer auto",
          "1/5, 1/20, 1/100, in 4 hidden layers"),
)  # fmt: skip

NETWORK = (
    Fault("no nonlinearity", "no nonlinearity", set_to,
          tuple({"activation": "identity", "hidden_units": (32,) * n} for n in (1, 2, 4)), CURVED,
          "activation relu", "1, 2, 4 linear layers"),
    Fault("stack of sigmoids", "gradients vanish", set_to, (_deep(3), _deep(5), _deep(10)), ALL,
          "activation relu", "3, 5, 10 hidden layers"),
    Fault("tanh saturated", "units saturated", set_to,
          tuple({"activation": "tanh", "initializer_scale": s} for s in (5.0, 12.0, 40.0)), ALL,
          "initializer auto", "initial weights 5, 12, 40 times too large"),
    Fault("too few units", "network too small", set_to,
          tuple({"hidden_units": units} for units in ((4,), (2,), (1,))), CURVED, "bigger",
          "4, 2, 1 hidden units"),
    Fault("too large for the rows", "network too large", few_rows, (200, 100, 50), ALL,
          "more rows", "2 x 256 units on 200, 100, 50 rows"),
)  # fmt: skip

OPTIMIZER = (
    Fault("rate too high", "rate too high", rate_times, (10.0, 30.0, 100.0), ALL, "rate / 30",
          "times 10, 30, 100"),
    Fault("rate too low", "rate too low", rate_times, (0.1, 0.03, 0.001), ALL, "rate x 30",
          "1/10, 3/100, 1/1000"),
    Fault("epsilon of Adam", "rule misconfigured", set_to,
          tuple({"epsilon": e} for e in (0.01, 0.1, 1.0)), ALL, "optimizer defaults",
          "0.01, 0.1, 1"),
    Fault("betas of Adam", "rule misconfigured", set_to,
          ({"beta1": 0.99, "beta2": 0.99}, {"beta1": 0.997, "beta2": 0.9},
           {"beta1": 0.999, "beta2": 0.5}), ALL,
          "optimizer defaults", "(0.99, 0.99), (0.997, 0.9), (0.999, 0.5)"),
    Fault("momentum of 0.999", "rule misconfigured", set_to,
          tuple({**_MOMENTUM, "learning_rate": 0.05, "momentum": m} for m in (0.98, 0.995, 0.999)),
          ALL, "optimizer defaults", "0.98, 0.995, 0.999"),
    Fault("rate falls too early", "rate falls too early", fades, (0.4, 0.15, 0.03), ALL,
          "constant rate", "to 1/100 within 40, 15, 3 % of the run"),
    Fault("clipped at 0.0001", "clipped too hard", set_to,
          tuple({**_CLIPPED, "clip_norm": c} for c in (0.03, 0.003, 0.0001)), ALL, "no clipping",
          "plain descent, norms of at most 0.03, 0.003, 0.0001"),
)  # fmt: skip

REGULARIZING = (
    Fault("penalty times 1000", "regularized too much", set_to,
          tuple({"l2": v} for v in (0.05, 0.2, 1.0)), ALL, "no regularizing", "l2 0.05, 0.2, 1"),
    Fault("dropout of 0.9", "regularized too much", set_to,
          tuple({"dropout": v} for v in (0.6, 0.8, 0.95)), ALL, "no regularizing",
          "0.6, 0.8, 0.95"),
    Fault("nothing against 100 rows", "regularized too little", hundred_rows, (200, 100, 60), ALL,
          "regularize", "200, 100, 60 rows, no penalty, no patience"),
    Fault("noise on the inputs", "regularized too much", set_to,
          tuple({"input_noise": v} for v in (0.7, 1.5, 4.0)), ALL, "no regularizing",
          "normal, of 0.7, 1.5, 4 deviations"),
    Fault("mixup of everything", "regularized too much", set_to,
          tuple({"mixup": v, "label_smoothing": s} for v, s in ((2, 0.0), (8, 0.3), (50, 0.6))),
          CURVED[:1] + CURVED[2:], "no regularizing", "mixup 2, 8, 50, labels smoothed"),
    Fault("batch norm on tiny batches", "batch too small", set_to,
          tuple({"batch_norm": "before", "batch_size": b} for b in (8, 4, 2)), ALL,
          "batch of 64", "8, 4, 2 rows"),
)  # fmt: skip

DURATION = (
    Fault("too few epochs", "trained too short", epochs_of, (0.2, 0.1, 0.02), ALL, "longer",
          "20, 10, 2 % of what it needs"),
    Fault("patience of 1", "trained too short", set_to,
          tuple({"patience": 1, "learning_rate": r} for r in (0.001, 0.0003, 0.0001)), ALL,
          "patience 0", "stopped at the first worse epoch, at rates 0.001, 0.0003, 0.0001"),
)  # fmt: skip

REGIME = (
    Fault("dev overfitted by tuning", "dev overfitted", overtuned, (30, 100, 300),
          ("gauss", "spiral", "teacher"), "dev rows", "30, 100, 300 networks on 50 dev rows",
          harms=ESTIMATE),
)  # fmt: skip
