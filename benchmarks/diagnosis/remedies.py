"""The fixed menu of remedies for studies: what is tried on every faulty case.

Remedies of rows give back what the fault took, one aspect each, as a person would who looked there;
those of settings are what a user types.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from .case import Case, Rows

Remedy = Callable[[Case, Case], Case]
_FEWER = 0.1  # fewer rows than that are lost to rounding, as where rows are dealt out in groups


def nothing(case: Case, healthy: Case) -> Case:
    """Return the case as it is."""
    return case


def _inputs(case: Case, healthy: Case) -> Case:
    """Mend the inputs, where each row still is what it was: its label tells."""
    mended = {}
    for name in ("train", "dev", "deployed"):
        part, whole = getattr(case, name), getattr(healthy, name)
        if part.x.shape == whole.x.shape and np.array_equal(part.y, whole.y):
            mended[name] = Rows(whole.x, part.y)
    return case.with_rows(**mended)


def _labels(case: Case, healthy: Case) -> Case:
    """Mend the labels, where each row still is what it was: its inputs tell."""
    mended = {}
    for name in ("train", "dev"):
        part, whole = getattr(case, name), getattr(healthy, name)
        if np.array_equal(part.x, whole.x, equal_nan=True):
            mended[name] = Rows(part.x, whole.y)
    return case.with_rows(**mended)


def _dev_rows(case: Case, healthy: Case) -> Case:
    """Get dev rows as the world brings them: every second deployed row, never scored again."""
    if case.deployed.x.shape[1] != case.dev.x.shape[1]:
        return case
    half = np.arange(len(case.deployed)) % 2 == 0
    fresh, rest = case.deployed.take(half), case.deployed.take(~half)
    return case.with_rows(dev=fresh.take(np.arange(min(300, len(fresh)))), deployed=rest)


def _without_leak(case: Case, healthy: Case) -> Case:
    """Leave out the column that tells the target by itself."""
    x = np.nan_to_num(case.train.x)
    x, y = x - x.mean(axis=0), case.train.y - case.train.y.mean()
    size = np.sqrt((x**2).sum(axis=0))
    told = np.abs(y @ x) / np.where(size > 0, size, 1.0)  # of a constant column 0
    kept = np.arange(x.shape[1]) != int(told.argmax())
    parts = {"train": case.train, "dev": case.dev, "deployed": case.deployed}
    return case.with_rows(**{k: Rows(p.x[:, kept], p.y, p.group) for k, p in parts.items()})


def _more_rows(case: Case, healthy: Case) -> Case:
    """Gather as many train rows as the healthy case has, where a tenth of them or more lacks."""
    few = len(case.train) <= (1 - _FEWER) * len(healthy.train)
    return case.with_rows(train=healthy.train) if few else case


def _class_weights(case: Case, healthy: Case) -> Case:
    if case.kind != "classification":
        return case
    return replace(case, options={**case.options, "class_weight": "balanced"})


def _settings(**values: object) -> Remedy:
    def changed(case: Case, healthy: Case) -> Case:
        return case.with_settings(**values)

    return changed


def _rate(factor: float) -> Remedy:
    def changed(case: Case, healthy: Case) -> Case:
        rate = case.settings["learning_rate"]
        if isinstance(rate, list):
            return case.with_settings(learning_rate=[r * factor for r in rate])
        return case.with_settings(learning_rate=case.number("learning_rate") * factor)

    return changed


def _width(factor: float, least: int) -> Remedy:
    def changed(case: Case, healthy: Case) -> Case:
        units = case.settings["hidden_units"]
        if not isinstance(units, tuple):
            return case
        return case.with_settings(
            hidden_units=tuple(max(least, min(256, round(u * factor))) for u in units)
        )

    return changed


def _epochs(factor: float) -> Remedy:
    def changed(case: Case, healthy: Case) -> Case:
        epochs = round(case.number("epochs") * factor)
        return case.with_settings(epochs=max(1, min(200, epochs)))

    return changed


def _longer(case: Case, healthy: Case) -> Case:
    """Train four times as long, at least 60 epochs, without patience."""
    epochs = max(60, 4 * int(case.number("epochs")))
    return case.with_settings(epochs=min(240, epochs), patience=0)


MENU: Mapping[str, Remedy] = {
    "inputs": _inputs,
    "labels": _labels,
    "dev rows": _dev_rows,
    "without the leak": _without_leak,
    "more rows": _more_rows,
    "class weights": _class_weights,
    "initializer auto": _settings(initializer="auto", initializer_scale=1.0),
    "activation relu": _settings(activation="relu", initializer="auto"),
    "batch norm": _settings(batch_norm="before"),
    "bigger": _width(4, 16),
    "smaller": _width(0.25, 4),
    "rate x 30": _rate(30),
    "rate x 5": _rate(5),
    "rate / 5": _rate(1 / 5),
    "rate / 30": _rate(1 / 30),
    "optimizer defaults": _settings(
        optimizer="adam", learning_rate=0.003, beta1=0.9, beta2=0.999, epsilon=1e-8
    ),
    "constant rate": _settings(decay="constant"),
    "no clipping": _settings(clip_norm=0.0, clip_value=0.0),
    "no regularizing": _settings(
        l2=0.0, l1=0.0, dropout=0.0, input_noise=0.0, mixup=0.0, label_smoothing=0.0
    ),
    "regularize": _settings(l2=0.003, dropout=0.3),
    "batch of 64": _settings(batch_size=64),
    "longer": _longer,
    "shorter": _epochs(0.25),
    "patience 0": _settings(patience=0),
}
"""Name -> (faulty case, healthy case) -> case with the remedy."""

LEFT: Mapping[str, Remedy] = {"variance": _more_rows, "bias": _inputs}
"""An error -> what `deepwell improve` names against it where no change of the network helps."""

APART = ("advice", "random search", "improve", "random search, as long")
"""What is tried beside the menu, and is no remedy of it."""
