"""Remedies for a network that could fit its rows but is not trained well."""

from __future__ import annotations

from collections.abc import Mapping

from deepwell.diagnosis._setting_findings import odd_settings

from ._remedy import Change, Patient, Remedy, rounded

# The middle of the rates that the default search tries for each rule, on a log scale: what one
# rule's rate is to another's.
_MIDDLES: Mapping[str, float] = {
    "sgd": 0.055,
    "momentum": 0.055,
    "velocity": 0.0055,
    "nesterov": 0.0055,
    "adagrad": 0.03,
    "rmsprop": 0.003,
    "adam": 0.003,
}
_ODD_STARTS = ("zeros", "large", "small", "identity")


def _rate(patient: Patient, factor: float) -> Change | None:
    rate = patient.number("learning_rate") * factor
    return {"learning_rate": rounded(rate)}


def _schedule(patient: Patient) -> Change | None:
    if patient.text("decay") != "constant":
        return {"decay": "constant"}
    # The schedule falls over all epochs: stopped early it would never have come down.
    return {"decay": "cosine", "patience": 0}


def _optimizer(patient: Patient) -> Change | None:
    now = patient.text("optimizer")
    if now not in _MIDDLES:
        return None
    other = "nesterov" if now in ("adam", "rmsprop") else "adam"
    rate = patient.number("learning_rate") * _MIDDLES[other] / _MIDDLES[now]
    change: dict[str, object] = {"optimizer": other, "learning_rate": rounded(rate)}
    if other == "adam":
        change["beta2"] = 0.999
    return change


def _usual(patient: Patient) -> Change | None:
    # How many rows there are is not known here: the weaker bound on penalties, that of few.
    together: dict[str, object] = {}
    for _, change in odd_settings(patient.values, rows=0, faded=1.0):
        together |= {} if together.keys() & change.keys() else change
    return together or None


def _start(patient: Patient) -> Change | None:
    odd = patient.text("initializer") in _ODD_STARTS
    if odd or patient.number("initializer_scale") != 1.0:
        return {"initializer": "auto", "initializer_scale": 1.0}
    return {"initializer": "glorot"} if patient.text("initializer") != "glorot" else None


OPTIMIZATION = (
    Remedy(
        "usual-settings",
        "optimization",
        "Settings far out of their usual ranges set back, as DW416 sees them.",
        _usual,
    ),
    Remedy("higher-rate", "optimization", "Learning rate x 3.", lambda p: _rate(p, 3.0)),
    Remedy("lower-rate", "optimization", "Learning rate / 3.", lambda p: _rate(p, 1 / 3)),
    Remedy(
        "schedule", "optimization", "A cosine schedule, or none where there was one.", _schedule
    ),
    Remedy("other-optimizer", "optimization", "Nesterov momentum for Adam, else Adam.", _optimizer),
    Remedy("other-start", "optimization", "Another initialization.", _start),
    Remedy("much-higher-rate", "optimization", "Learning rate x 30.", lambda p: _rate(p, 30.0)),
    Remedy("much-lower-rate", "optimization", "Learning rate / 30.", lambda p: _rate(p, 1 / 30)),
)
