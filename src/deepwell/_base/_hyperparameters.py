"""Every hyperparameter: its name, constraint, default and meaning.

The command line, search spaces, programs and the docs read this one table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ._changes import SET_ONCE, Changes, changes_text, parsed_changes
from ._constraints import EachOf, IntegerInterval, Interval, OneOf
from ._declarations import ACTIVATIONS as ACTIVATIONS
from ._declarations import DECAYS as DECAYS
from ._declarations import DECLARATIONS
from ._declarations import INITIALIZERS as INITIALIZERS
from ._declarations import OPTAX_PREFIX as OPTAX_PREFIX
from ._declarations import OPTIMIZERS as OPTIMIZERS
from ._declarations import Hyperparameter as Hyperparameter
from ._declarations import Value as Value
from ._errors import UnknownNameError, UsageError, did_you_mean
from ._safe_text import safe_text

HYPERPARAMETERS: Mapping[str, Hyperparameter] = {h.name: h for h in DECLARATIONS}
# Numbers that may change while a network trains.
CHANGEABLE = tuple(
    h.name
    for h in DECLARATIONS
    if not (h.structural or isinstance(h.constraint, OneOf | Changes) or h.name in SET_ONCE)
)
_EPOCHS = IntegerInterval(1, 1_000_000)


def declaration(name: str) -> Hyperparameter:
    """Return the declaration of `name`.

    Raises:
        UsageError: when there is none, with the closest name.
    """
    if name not in HYPERPARAMETERS:
        hint = did_you_mean(name, HYPERPARAMETERS)
        known = ", ".join(HYPERPARAMETERS)
        raise UnknownNameError(
            f'unknown hyperparameter "{safe_text(name)}"{hint or ";"} known: {known}'
        )
    return HYPERPARAMETERS[name]


def validate(name: str, value: object) -> Value:
    """Return `value` in its stored form, or say what is wrong with it.

    Lists become tuples, NumPy's numbers and arrays Python's own, whole numbers floats where the
    hyperparameter is a real number.

    >>> validate("hidden_units", [32, 16])
    (32, 16)

    Raises:
        UsageError: naming the hyperparameter, the allowed values and what came.
    """
    declared = declaration(name)
    constraint = declared.constraint
    value = _python_value(value)
    if isinstance(constraint, Changes):
        value = _changes_as_text(value)
    if not constraint.accepts(value):
        hint = constraint.hint(value) if isinstance(constraint, OneOf) else ""
        tip = f"; {declared.tip}" if declared.tip else ""
        got = safe_text(repr(value))
        raise UsageError(f"`{name}` must be {constraint.describe()}, got {got}{hint}{tip}")
    if isinstance(constraint, Changes):
        return changes_text(changes_of(str(value)))
    item = constraint.item if isinstance(constraint, EachOf) else constraint
    if isinstance(value, list):
        return tuple(float(v) for v in value) if isinstance(item, Interval) else tuple(value)
    return float(value) if isinstance(item, Interval) else value  # type: ignore[arg-type]


def changes_of(text: str) -> dict[int, dict[str, Value]]:
    """Return what changes after which epoch: name -> value, checked.

    >>> changes_of("10: learning_rate=0.001; 20: dropout=0")
    {10: {'learning_rate': 0.001}, 20: {'dropout': 0.0}}

    Raises:
        UsageError: when a value is out of its range, or something cannot change.
    """
    changes: dict[int, dict[str, Value]] = {}
    for epoch, name, value in parsed_changes(text):
        if not _EPOCHS.accepts(epoch):
            raise UsageError(
                f"`change` must come after an epoch from {_EPOCHS.low} to {_EPOCHS.high:,}, got "
                f"{epoch}; what holds from the start is no change"
            )
        if name not in CHANGEABLE:
            told = did_you_mean(name, CHANGEABLE) or f"; what can: {', '.join(CHANGEABLE)}"
            raise UsageError(f"`{safe_text(name)}` cannot change while a network trains{told}")
        if name in changes.get(epoch, {}):
            raise UsageError(f"`change` gives `{name}` twice after epoch {epoch}; give it once")
        try:
            changes.setdefault(epoch, {})[name] = validate(name, value)
        except UsageError as error:
            raise UsageError(f"`change` after epoch {epoch}: {error}") from None
    return dict(sorted(changes.items()))


def _changes_as_text(value: object) -> object:
    """Return a list of changes, or a mapping from epochs to them, as one text."""
    if isinstance(value, Mapping) and all(isinstance(v, Mapping) for v in value.values()):
        return (
            "; ".join(
                f"{epoch}: {name}={list(n) if isinstance(n, tuple) else n}"
                for epoch, numbers in value.items()
                for name, n in numbers.items()
            )
            or "none"
        )
    if isinstance(value, list) and value and all(isinstance(v, str) for v in value):
        return "; ".join(value)
    return value


def _python_value(value: Any) -> object:
    if hasattr(value, "tolist"):  # a NumPy number or array; this floor need not load NumPy for it
        return value.tolist()
    return [_python_value(v) for v in value] if isinstance(value, list | tuple) else value


def complete(given: Mapping[str, object]) -> dict[str, Value]:
    """Return all hyperparameters: the given ones validated, the others at their defaults.

    `hidden_units` becomes one number a layer; `initializer`, `beta2` and `decay_factor` lose
    their dependence on other values, so that the result says all there is to say about a
    configuration.

    >>> complete({"hidden_layers": 2, "hidden_units": 32})["hidden_units"]
    (32, 32)

    Raises:
        UsageError: when a value is wrong or `hidden_units` and `hidden_layers` disagree.
    """
    chosen = {
        name: validate(name, value)
        for name, value in given.items()
        if not _lists_no_layers(name, value, given)
    }
    values: dict[str, Value] = {}
    for name, declared in HYPERPARAMETERS.items():
        value = chosen.get(name, declared.default)
        if value is not None:
            values[name] = value
    values["hidden_units"] = _units_by_layer(chosen, values)
    values["hidden_layers"] = layers = validate("hidden_layers", len(values["hidden_units"]))
    _check_rates(values["dropout"], layers)
    for changed in changes_of(str(values["change"])).values():
        _check_rates(changed.get("dropout", 0.0), layers)
    values["conv_channels"] = _channels_by_layer(chosen, values)
    values["conv_layers"] = len(values["conv_channels"])
    if values["initializer"] == "auto":
        values["initializer"] = default_initializer(str(values["activation"]))
    if "beta2" not in values:
        values["beta2"] = 0.9 if values["optimizer"] == "rmsprop" else 0.999
    if "decay_factor" not in values:
        values["decay_factor"] = 0.5 if values["decay"] == "staircase" else 0.95
    return values


def default_initializer(activation: str) -> str:
    """Return the initializer that keeps the signal's variance through `activation`.

    He for the ReLU family (half of the signal is cut), LeCun for those near the identity at 0.
    """
    return "he" if activation in ("relu", "leaky_relu", "elu", "gelu", "silu") else "lecun"


def _lists_no_layers(name: str, value: object, given: Mapping[str, object]) -> bool:
    """Whether this is the empty list of units or channels of a network without such layers."""
    layers = {"hidden_units": "hidden_layers", "conv_channels": "conv_layers"}.get(name)
    empty = isinstance(value, list | tuple) and not value
    return empty and layers is not None and given.get(layers) == 0


def _check_rates(rates: Value, layers: Value) -> None:
    if isinstance(rates, tuple) and len(rates) != layers:
        raise UsageError(
            f"`dropout` lists {len(rates)} layers but there are {layers} hidden layers; "
            "give one rate for all, or one a layer"
        )


def _channels_by_layer(chosen: Mapping[str, Value], values: Mapping[str, Value]) -> tuple[int, ...]:
    channels, layers = values["conv_channels"], values["conv_layers"]
    assert isinstance(layers, int)
    if isinstance(channels, tuple):
        if "conv_layers" in chosen and layers != len(channels):
            raise UsageError(
                f"`conv_channels` lists {len(channels)} layers but `conv_layers` is {layers}; "
                "give one of them, or make them agree"
            )
        return tuple(int(c) for c in channels)
    return (int(channels),) * layers


def _units_by_layer(chosen: Mapping[str, Value], values: Mapping[str, Value]) -> tuple[int, ...]:
    units, layers = values["hidden_units"], values["hidden_layers"]
    if not isinstance(layers, int):
        raise UsageError(f"`hidden_layers` must be a whole number, got {layers!r}")
    if isinstance(units, tuple):
        if "hidden_layers" in chosen and layers != len(units):
            raise UsageError(
                f"`hidden_units` lists {len(units)} layers but `hidden_layers` is {layers}; "
                "give one of them, or make them agree"
            )
        return tuple(int(n) for n in units)
    return (int(units),) * layers
