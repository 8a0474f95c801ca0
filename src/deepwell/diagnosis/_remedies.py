"""The remedies of the recipe (G3): each one a small change of a configuration, with a reason.

A remedy says for which kind of error it is and what it changes; whether it helps is measured.
Adding one is one entry in the file of its kind.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value, complete

from .remedies._architecture import ARCHITECTURE
from .remedies._bias import BIAS
from .remedies._optimization import OPTIMIZATION
from .remedies._remedy import Patient as Patient
from .remedies._remedy import Remedy as Remedy
from .remedies._variance import VARIANCE

REMEDIES: Mapping[str, Remedy] = {
    remedy.name: remedy for remedy in (*BIAS, *OPTIMIZATION, *VARIANCE, *ARCHITECTURE)
}


@dataclass(frozen=True)
class Treatment:
    """A remedy for one configuration.

    Attributes:
        name, kind: of the remedy.
        change: hyperparameter -> new value, all that differ.
        words: the change in words, as in `dropout 0 -> 0.2`.
    """

    name: str
    kind: str
    change: Mapping[str, Value]
    words: str


def treatment(name: str, kind: str, patient: Patient, change: Mapping[str, object]) -> Treatment:
    """Return a change of a configuration with the values that it comes to.

    Raises:
        UsageError: when a value is out of its range, or they do not go together.
    """
    before = patient.values
    wanted: dict[str, object] = {**before, **change}
    if change.get("hidden_units"):
        wanted.pop("hidden_layers")
    if change.get("conv_channels"):
        wanted.pop("conv_layers")
    after = complete(wanted)
    differs = {n: v for n, v in after.items() if v != before[n]}
    return Treatment(name, kind, differs, _words(before, differs))


def treatments(patient: Patient, names: tuple[str, ...]) -> list[Treatment]:
    """Return the remedies of these names that apply to a configuration, in their order.

    One that would change nothing, lead out of a range, or do what an earlier one does is left out.
    """
    found: list[Treatment] = []
    for name in names:
        remedy = REMEDIES[name]
        change = remedy.change(patient)
        if change is None:
            continue
        try:
            one = treatment(name, remedy.kind, patient, change)
        except UsageError:  # at the end of a range there is nothing further to try
            continue
        if one.change and all(one.change != other.change for other in found):
            found.append(one)
    return found


def _words(before: Mapping[str, Value], change: Mapping[str, Value]) -> str:
    layers = {"hidden_layers": "hidden_units", "conv_layers": "conv_channels"}
    told = {n: v for n, v in change.items() if layers.get(n) not in change}
    return ", ".join(f"{n} {_text(before[n])} -> {_text(v)}" for n, v in told.items())


def _text(value: Value) -> str:
    if isinstance(value, tuple):
        if len(value) > 1 and len(set(value)) == 1:
            return f"{len(value)} x {_text(value[0])}"
        return " + ".join(_text(v) for v in value) or "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)
