"""Remedies for high variance: a network that fits its train rows alone (Ng 2018, chapter 27)."""

from __future__ import annotations

from deepwell._base._image_declarations import AUGMENTED
from deepwell.diagnosis._changes import more_l2

from ._remedy import Change, Patient, Remedy, rounded

_LEAST_UNITS = 2
_MORE = 10.0  # a stronger penalty is ten times: penalties act by their order of magnitude
_MOST_DROPOUT = 0.8


def _more_dropout(patient: Patient) -> Change | None:
    if not patient.units:
        return None
    rates = [rounded(min(_MOST_DROPOUT, rate + 0.2)) for rate in patient.dropout]
    return {"dropout": rates if len(set(rates)) > 1 else rates[0]}


def _more_l2(patient: Patient) -> Change:
    return {"l2": more_l2(patient.number("l2"))}


def _more_weight_decay(patient: Patient) -> Change | None:
    decay = patient.number("weight_decay")  # where there is none, `more-l2` is the like of it
    return {"weight_decay": rounded(_MORE * decay)} if decay > 0 else None


def _more_smoothing(patient: Patient) -> Change | None:
    smoothing = patient.number("label_smoothing")
    if patient.task != "classification" or smoothing >= 0.4:
        return None
    return {"label_smoothing": rounded(max(0.1, 2 * smoothing))}


def _more_noise(patient: Patient) -> Change:
    return {"input_noise": rounded(max(0.1, 3 * patient.number("input_noise")))}


def _more_mixup(patient: Patient) -> Change | None:
    mixup = patient.number("mixup")
    return {"mixup": rounded(max(0.2, 3 * mixup))} if mixup < 2 else None


def _augment(patient: Patient) -> Change | None:
    if not (patient.image and patient.convolves):
        return None
    augment = patient.number("augment")
    stronger = min(1.0, max(0.5, 2 * augment))
    strengths = {name: rounded(most * stronger) for name, most in AUGMENTED.items()}
    return {"augment": stronger, **strengths}


def _smaller(patient: Patient) -> Change | None:
    units, channels = patient.units, patient.channels
    if not units and not channels:
        return None
    if min((*units, *channels)) < 2 * _LEAST_UNITS:
        return None
    change: dict[str, object] = {}
    if units:
        change["hidden_units"] = [n // 2 for n in units]
    if channels:
        change["conv_channels"] = [n // 2 for n in channels]
    return change


def _shallower(patient: Patient) -> Change | None:
    if not patient.units:
        return None
    change: dict[str, object] = {"hidden_units": list(patient.units[:-1])}
    if len(patient.units) == 1:
        change["hidden_layers"] = 0
    if isinstance(patient.values["dropout"], tuple):
        change["dropout"] = list(patient.dropout[:-1]) or 0.0
    return change


def _stop_earlier(patient: Patient) -> Change | None:
    epochs = patient.whole("epochs")
    return {"patience": 15} if patient.whole("patience") == 0 and epochs > 15 else None


VARIANCE = (
    Remedy("more-dropout", "variance", "0.2 more dropout.", _more_dropout),
    Remedy("more-l2", "variance", "Ten times the L2 penalty, at least 0.001.", _more_l2),
    Remedy("augment", "variance", "Images shifted, turned, brighter or darker.", _augment),
    Remedy("more-input-noise", "variance", "More noise on inputs, at least 0.1.", _more_noise),
    Remedy("more-mixup", "variance", "Rows mixed in pairs, more than now.", _more_mixup),
    Remedy("more-label-smoothing", "variance", "Smoother labels, at least 0.1.", _more_smoothing),
    Remedy("more-weight-decay", "variance", "Ten times the decay.", _more_weight_decay),
    Remedy("smaller", "variance", "Half of the units and channels.", _smaller),
    Remedy("shallower", "variance", "One hidden layer less.", _shallower),
    Remedy(
        "stop-earlier", "variance", "Early stopping after 15 epochs without gain.", _stop_earlier
    ),
)
