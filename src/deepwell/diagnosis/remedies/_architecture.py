"""Remedies for either error: another architecture of about the same size."""

from __future__ import annotations

from ._remedy import Change, Patient, Remedy

_RECTIFIERS = ("relu", "leaky_relu", "elu")


def _batch_norm(patient: Patient) -> Change | None:
    if not patient.units and not patient.channels:
        return None
    return {"batch_norm": "before" if patient.text("batch_norm") == "none" else "none"}


def _activation(patient: Patient) -> Change | None:
    if not patient.units and not patient.channels:
        return None
    smooth = patient.text("activation") in _RECTIFIERS
    return {"activation": "gelu" if smooth else "relu", "initializer": "auto"}


def _residual(patient: Patient) -> Change | None:
    if len(patient.units) < 2:
        return None
    return {"residual": 1 if patient.whole("residual") == 0 else 0}


ARCHITECTURE = (
    Remedy("batch-norm", "architecture", "Batch norm, or none where there was.", _batch_norm),
    Remedy(
        "other-activation", "architecture", "GELU for ReLU and its like, else ReLU.", _activation
    ),
    Remedy("residual", "architecture", "Skip connections, or none where there were.", _residual),
)
