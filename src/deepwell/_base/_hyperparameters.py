"""Every hyperparameter: its name, constraint, default and meaning.

The command line, search spaces, programs and the docs read this one table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from ._constraints import Constraint, EachOf, IntegerInterval, Interval, OneOf
from ._errors import UnknownNameError, UsageError, did_you_mean
from ._safe_text import safe_text

Value: TypeAlias = float | int | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """One declaration.

    Attributes:
        name: the field's standard term, as in `learning_rate`.
        constraint: the values that are allowed.
        default: what a trial gets when nothing is said; None where it depends on another
            value (see `complete`).
        doc: one sentence for help texts and docs.
        structural: True when the value shapes the program; False when it is a number that may
            differ between the members of one program.
        tip: what to do about a wrong value, for the error message.
    """

    name: str
    constraint: Constraint
    default: Value | None
    doc: str
    structural: bool = False
    tip: str = ""


ACTIVATIONS = (
    "sigmoid",
    "tanh",
    "relu",
    "leaky_relu",
    "elu",
    "gelu",
    "silu",
    "identity",
    "maxout",
)
INITIALIZERS = ("auto", "zeros", "large", "small", "lecun", "glorot", "he", "identity")
BATCH_NORMS = ("none", "before", "after")
STATISTICS = ("averages", "exact")
DROPOUTS = ("inverted", "classic")
OPTIMIZERS = ("sgd", "momentum", "rmsprop", "adam")
DECAYS = ("constant", "inverse_time")

_DECLARATIONS = (
    Hyperparameter(
        "learning_rate",
        Interval(0.0, math.inf, low_closed=False),
        0.001,
        "Step size of the optimizer.",
        tip="start at 0.001",
    ),
    Hyperparameter(
        "decay",
        OneOf(DECAYS),
        "constant",
        "How the learning rate falls: constant, or inverse_time = rate / (1 + decay_rate * epoch).",
    ),
    Hyperparameter(
        "decay_rate", Interval(0.0, math.inf), 0.0, "Strength of the learning-rate decay per epoch."
    ),
    Hyperparameter(
        "optimizer", OneOf(OPTIMIZERS), "adam", "Rule that turns gradients into changes.", True
    ),
    Hyperparameter(
        "momentum",
        Interval(0.0, 1.0, high_closed=False),
        0.9,
        "Weight of the past in the averaged gradient of `momentum`.",
        tip="0.9 averages about 10 steps",
    ),
    Hyperparameter(
        "beta1",
        Interval(0.0, 1.0, high_closed=False),
        0.9,
        "Weight of the past in Adam's average of gradients.",
        tip="0.9 averages about 10 steps",
    ),
    Hyperparameter(
        "beta2",
        Interval(0.0, 1.0, high_closed=False),
        None,
        "Weight of the past in the average of squared gradients (Adam 0.999, RMSprop 0.9).",
        tip="0.999 averages about 1,000 steps",
    ),
    Hyperparameter(
        "epsilon",
        Interval(1e-30, 1.0),
        1e-8,
        "Small number that keeps the division by the root mean square finite.",
    ),
    Hyperparameter(
        "batch_size",
        IntegerInterval(1, 1_000_000),
        64,
        "Rows of one mini-batch; the train rows or more mean batch descent, 1 stochastic descent.",
        True,
    ),
    Hyperparameter("epochs", IntegerInterval(1, 1_000_000), 50, "Passes over the train rows."),
    Hyperparameter(
        "patience",
        IntegerInterval(0, 1_000_000),
        15,
        "Epochs without a better dev score before a network stops early; 0 never stops early.",
    ),
    Hyperparameter(
        "hidden_layers",
        IntegerInterval(0, 64),
        2,
        "Hidden layers; 0 is logistic, softmax or linear regression.",
        True,
    ),
    Hyperparameter(
        "hidden_units",
        EachOf(IntegerInterval(1, 65_536)),
        64,
        "Units of a hidden layer: one number for all, or one a layer.",
        True,
    ),
    Hyperparameter(
        "activation", OneOf(ACTIVATIONS), "relu", "Non-linearity of the hidden layers.", True
    ),
    Hyperparameter(
        "leaky_slope",
        Interval(0.0, 1.0, high_closed=False),
        0.01,
        "Slope of leaky_relu below zero.",
    ),
    Hyperparameter(
        "elu_scale",
        Interval(0.0, math.inf),
        1.0,
        "Height a of elu's lower plateau, a (e^z - 1).",
    ),
    Hyperparameter(
        "maxout_pieces",
        IntegerInterval(2, 16),
        2,
        "Linear pieces k of which a maxout unit takes the largest.",
        True,
    ),
    Hyperparameter(
        "residual",
        IntegerInterval(0, 64),
        0,
        "Hidden layers that a skip connection spans, from the first hidden layer on; 0 is none.",
        True,
    ),
    Hyperparameter(
        "batch_norm",
        OneOf(BATCH_NORMS),
        "none",
        "Batch normalization of each hidden layer, before or after its activation.",
        True,
    ),
    Hyperparameter(
        "batch_norm_momentum",
        Interval(0.0, 1.0, high_closed=False),
        0.9,
        "Weight of the past in the averages of batch means and variances.",
        tip="0.9 averages about 10 batches",
    ),
    Hyperparameter(
        "batch_norm_epsilon",
        Interval(1e-12, 1.0),
        1e-5,
        "Added to the variance before its root is divided by.",
    ),
    Hyperparameter(
        "batch_norm_statistics",
        OneOf(STATISTICS),
        "averages",
        "What the saved network normalizes with: averages over the last batches, or the exact "
        "mean and variance over all train rows.",
    ),
    Hyperparameter(
        "initializer",
        OneOf(INITIALIZERS),
        "auto",
        "How weights start; auto follows the activation: he for the ReLU family, lecun else.",
    ),
    Hyperparameter(
        "initializer_scale",
        Interval(0.0, math.inf),
        1.0,
        "Factor on the initial weights: 1.5 with identity makes hidden layers start as 1.5 I.",
    ),
    Hyperparameter(
        "dropout",
        EachOf(Interval(0.0, 1.0, high_closed=False)),
        0.0,
        "Share of hidden units dropped in each training step: one number for all layers, or one "
        "a layer.",
        tip="use 0.2 to drop one unit in five",
    ),
    Hyperparameter(
        "input_dropout",
        Interval(0.0, 1.0, high_closed=False),
        0.0,
        "Share of input features dropped in each training step.",
        tip="use 0.1 to drop one feature in ten",
    ),
    Hyperparameter(
        "dropout_kind",
        OneOf(DROPOUTS),
        "inverted",
        "How dropout keeps the mean: inverted divides what is kept by 1 - p in training, classic "
        "multiplies the weights by 1 - p at prediction.",
    ),
    Hyperparameter(
        "label_smoothing",
        Interval(0.0, 1.0, high_closed=False),
        0.0,
        "Share of each label's weight that is spread evenly over all classes in training.",
        tip="0.1 is usual",
    ),
    Hyperparameter(
        "l2",
        Interval(0.0, math.inf),
        0.0,
        "Factor of the weight in the gradient, lambda/m; biases are left out.",
    ),
)

HYPERPARAMETERS: Mapping[str, Hyperparameter] = {h.name: h for h in _DECLARATIONS}


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
    if not constraint.accepts(value):
        hint = constraint.hint(value) if isinstance(constraint, OneOf) else ""
        tip = f"; {declared.tip}" if declared.tip else ""
        got = safe_text(repr(value))
        raise UsageError(f"`{name}` must be {constraint.describe()}, got {got}{hint}{tip}")
    item = constraint.item if isinstance(constraint, EachOf) else constraint
    if isinstance(value, list):
        return tuple(float(v) for v in value) if isinstance(item, Interval) else tuple(value)
    return float(value) if isinstance(item, Interval) else value  # type: ignore[arg-type]


def _python_value(value: Any) -> object:
    if hasattr(value, "tolist"):  # a NumPy number or array; this floor need not load NumPy for it
        return value.tolist()
    return [_python_value(v) for v in value] if isinstance(value, list | tuple) else value


def complete(given: Mapping[str, object]) -> dict[str, Value]:
    """Return all hyperparameters: the given ones validated, the others at their defaults.

    `hidden_units` becomes one number a layer, `initializer` and `beta2` lose their dependence on
    other values, so that the result says all there is to say about a configuration.

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
    if values["initializer"] == "auto":
        values["initializer"] = default_initializer(str(values["activation"]))
    if "beta2" not in values:
        values["beta2"] = 0.9 if values["optimizer"] == "rmsprop" else 0.999
    return values


def default_initializer(activation: str) -> str:
    """Return the initializer that keeps the signal's variance through `activation`.

    He for the ReLU family (half of the signal is cut), LeCun for those near the identity at 0.
    """
    return "he" if activation in ("relu", "leaky_relu", "elu", "gelu", "silu") else "lecun"


def _lists_no_layers(name: str, value: object, given: Mapping[str, object]) -> bool:
    """Whether this is the empty list of units that belongs to a network without hidden layers."""
    empty = isinstance(value, list | tuple) and not value
    return name == "hidden_units" and empty and given.get("hidden_layers") == 0


def _check_rates(rates: Value, layers: Value) -> None:
    if isinstance(rates, tuple) and len(rates) != layers:
        raise UsageError(
            f"`dropout` lists {len(rates)} layers but there are {layers} hidden layers; "
            "give one rate for all, or one a layer"
        )


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
