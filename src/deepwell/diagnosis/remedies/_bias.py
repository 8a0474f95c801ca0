"""Remedies for high bias: a network that cannot fit its train rows (Ng 2018, chapter 25)."""

from __future__ import annotations

from ._remedy import Change, Patient, Remedy, rounded

_FIRST_UNITS = 64  # of a network that had no hidden layer: the default
_MOST_UNITS = 4_096
_SMALL = 32  # units of a layer up to which four times as many are worth an arm of their own
_LESS = 10.0  # a weaker penalty is a tenth: penalties act by their order of magnitude
_NOTHING = 1e-7  # a penalty below this cannot be seen
_PENALTIES = ("l2", "l1", "weight_decay")
_REGULARIZERS = ("input_dropout", "label_smoothing", "input_noise", "mixup", "max_norm")


def _wider(patient: Patient, factor: int) -> Change | None:
    if not patient.units and not patient.channels:
        return None
    if max((*patient.units, *patient.channels)) * factor > _MOST_UNITS:
        return None
    change: dict[str, object] = {}
    if patient.units:
        change["hidden_units"] = [n * factor for n in patient.units]
    if patient.channels:
        change["conv_channels"] = [n * factor for n in patient.channels]
    return change


def _much_wider(patient: Patient) -> Change | None:
    small = max((*patient.units, *patient.channels), default=0) <= _SMALL
    return _wider(patient, 4) if small else None


def _deeper(patient: Patient) -> Change:
    units = patient.units
    change: dict[str, object] = {"hidden_units": [*units, units[-1] if units else _FIRST_UNITS]}
    if isinstance(patient.values["dropout"], tuple):
        rates = patient.dropout
        change["dropout"] = [*rates, rates[-1] if rates else 0.0]
    return change


def _longer(patient: Patient) -> Change:
    return {"epochs": 3 * patient.whole("epochs"), "patience": 3 * patient.whole("patience")}


def _stop_later(patient: Patient) -> Change | None:
    patience = patient.whole("patience")
    return {"patience": 0} if 0 < patience < patient.whole("epochs") else None


def _no_regularization(patient: Patient) -> Change | None:
    on = [name for name in _PENALTIES if patient.number(name) > _NOTHING]
    on += [name for name in _REGULARIZERS if patient.number(name) > 0]
    on += ["dropout"] if any(patient.dropout) else []
    return dict.fromkeys(on, 0.0) or None


def _less_dropout(patient: Patient) -> Change | None:
    if not any(patient.dropout):
        return None
    halved = [rounded(rate / 2) if rate > 0.1 else 0.0 for rate in patient.dropout]
    return {"dropout": halved if len(set(halved)) > 1 else halved[0]}


def _less_l2(patient: Patient) -> Change | None:
    l2 = patient.number("l2")
    return {"l2": rounded(l2 / _LESS)} if l2 > _NOTHING else None


def _less_weight_decay(patient: Patient) -> Change | None:
    decay = patient.number("weight_decay")
    return {"weight_decay": rounded(decay / _LESS)} if decay > _NOTHING else None


def _no_smoothing(patient: Patient) -> Change | None:
    return {"label_smoothing": 0.0} if patient.number("label_smoothing") > 0 else None


def _less_noise(patient: Patient) -> Change | None:
    noise = patient.number("input_noise")
    return {"input_noise": rounded(noise / 3) if noise > 0.05 else 0.0} if noise > 0 else None


def _no_mixup(patient: Patient) -> Change | None:
    return {"mixup": 0.0} if patient.number("mixup") > 0 else None


def _no_augmentation(patient: Patient) -> Change | None:
    names = ("augment", "flip", "crop", "shift", "rotation", "brightness", "contrast")
    if not any(patient.number(name) > 0 for name in names):
        return None
    return {**dict.fromkeys(names, 0.0), "crop": 0}


BIAS = (
    Remedy(
        "no-regularization",
        "bias",
        "No dropout, penalty, noise or mixing: what it could fit if nothing held it back.",
        _no_regularization,
    ),
    Remedy("bigger", "bias", "Twice the units and channels.", lambda p: _wider(p, 2)),
    Remedy("longer", "bias", "Three times the epochs, and the patience.", _longer),
    Remedy("deeper", "bias", "One more hidden layer, as wide as the last.", _deeper),
    Remedy("much-bigger", "bias", "Four times the units of a small network.", _much_wider),
    Remedy("less-dropout", "bias", "Half of the dropout, none below 0.1.", _less_dropout),
    Remedy("less-l2", "bias", "A tenth of the L2 penalty.", _less_l2),
    Remedy("less-weight-decay", "bias", "A tenth of the weight decay.", _less_weight_decay),
    Remedy("no-label-smoothing", "bias", "Labels as they are.", _no_smoothing),
    Remedy("less-input-noise", "bias", "A third of the noise on inputs.", _less_noise),
    Remedy("no-mixup", "bias", "Rows as they are, not mixed.", _no_mixup),
    Remedy("no-augmentation", "bias", "Images as they are.", _no_augmentation),
    Remedy("stop-later", "bias", "All epochs: no early stopping.", _stop_later),
)
