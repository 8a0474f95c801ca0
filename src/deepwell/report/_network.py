"""A configuration in a few words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from deepwell._base._hyperparameters import HYPERPARAMETERS, Value
from deepwell._base._safe_text import safe_text

_PLACE = {name: place for place, name in enumerate(HYPERPARAMETERS)}
_SHORT = {"learning_rate": "lr", "batch_size": "batch", "initializer": "init"}
_SAID_FIRST = ("hidden_layers", "hidden_units", "activation", "optimizer")
_PENALTIES = ("dropout", "l2", "l1", "weight_decay")
_OPTIONS = ("batch_norm", "residual", "label_smoothing", "mixup", "input_noise", "change")
_OFF: Mapping[str, Value] = {
    **dict.fromkeys(("dropout", "input_dropout", "l2", "l1", "weight_decay", "max_norm"), 0),
    **dict.fromkeys(("clip_value", "clip_norm", "gradient_noise", "decay_rate"), 0),
    **dict.fromkeys(
        ("warmup_epochs", "epsilon_root", "residual", "label_smoothing", "mixup", "input_noise"), 0
    ),
    "batch_norm": "none",
    "change": "none",
    "dropout_kind": "inverted",
    "initializer_scale": 1,
}
_ONLY_FOR: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "momentum": ("optimizer", ("momentum", "velocity", "nesterov")),
    "beta1": ("optimizer", ("adam",)),
    "beta2": ("optimizer", ("adam", "rmsprop")),
    "epsilon": ("optimizer", ("adam", "rmsprop", "adagrad")),
    "epsilon_root": ("optimizer", ("adam", "rmsprop", "adagrad")),
    "rms_start": ("optimizer", ("rmsprop",)),
    "decay_rate": ("decay", ("inverse_time",)),
    "decay_factor": ("decay", ("exponential", "staircase")),
    "decay_scale": ("decay", ("inverse_sqrt_epoch", "inverse_sqrt_step")),
    "decay_every": ("decay", ("staircase",)),
    "leaky_slope": ("activation", ("leaky_relu",)),
    "elu_scale": ("activation", ("elu",)),
    "maxout_pieces": ("activation", ("maxout",)),
    "batch_norm_momentum": ("batch_norm", ("before", "after")),
    "batch_norm_epsilon": ("batch_norm", ("before", "after")),
    "batch_norm_statistics": ("batch_norm", ("before", "after")),
}


def network_words(best: Mapping[str, Value]) -> str:
    """Return what a network is: its layers, then what shapes its training most.

    >>> network_words({"hidden_units": (64, 64), "activation": "relu", "learning_rate": 0.0031,
    ...                "dropout": 0.31})
    '64x64 relu, lr 0.0031, dropout 0.31'
    >>> network_words({"hidden_units": (64,), "activation": "relu", "batch_norm": "before"})
    '64 relu, batch_norm before'
    """
    words = [_layers(best)]
    if "optimizer" in best:
        words.append(value_words(best["optimizer"]))
    words += _named(best, ("learning_rate", "batch_size", *_PENALTIES, *_OPTIONS))
    return ", ".join(words)


def setting_words(values: Mapping[str, Value], names: Iterable[str]) -> str:
    """Return the named values of a configuration, those that have no effect in it left out."""
    wanted = [name for name in names if name in values]
    words = [_layers(values)] if set(wanted) & {"hidden_layers", "hidden_units"} else []
    if not words and "activation" in wanted:
        words.append(value_words(values["activation"]))
    if "optimizer" in wanted:
        words.append(value_words(values["optimizer"]))
    words += _named(values, (name for name in wanted if name not in _SAID_FIRST))
    return ", ".join(words)


def differing_names(configurations: Sequence[Mapping[str, Value]]) -> tuple[str, ...]:
    """Return the names whose values are not the same in all configurations."""
    if not configurations:
        return ()
    first = configurations[0]
    return tuple(
        name for name in first if any(c.get(name) != first[name] for c in configurations[1:])
    )


def effective(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the values that have an effect, in the order of their declaration."""
    names = sorted(values, key=lambda name: (_PLACE.get(name, len(_PLACE)), name))
    return {name: values[name] for name in names if not _off(name, values)}


def value_words(value: Value) -> str:
    """Return one value: three significant digits, or units a layer as `64x32`.

    >>> value_words(0.00314159), value_words(1e6), value_words((64, 32)), value_words("adam")
    ('0.00314', '1e6', '64x32', 'adam')
    """
    if isinstance(value, tuple | list):
        rates = any(isinstance(v, float) for v in value)
        return ("/" if rates else "x").join(str(v) for v in value) if value else "none"
    if isinstance(value, float):
        return f"{value:.3g}".replace("e+0", "e").replace("e-0", "e-")
    return safe_text(value)


def _named(values: Mapping[str, Value], names: Iterable[str]) -> list[str]:
    """Return `lr 0.0031` for each name that is there and has an effect."""
    return [
        f"{_SHORT.get(name, name)} {value_words(values[name])}"
        for name in names
        if name in values and not _off(name, values)
    ]


def _layers(values: Mapping[str, Value]) -> str:
    units = values.get("hidden_units", ())
    shown = (units,) if isinstance(units, int) else units
    channels = values.get("conv_channels", ())
    front = f"conv {value_words(channels)} + " if isinstance(channels, tuple) and channels else ""
    if not shown:
        return f"{front}no hidden layer"
    return f"{front}{value_words(shown)} {value_words(values.get('activation', ''))}".rstrip()


def _off(name: str, values: Mapping[str, Value]) -> bool:
    """Whether a value has no effect on this configuration."""
    if name in _OFF and values.get(name) == _OFF[name]:
        return True
    if name.startswith(("conv_", "pool")) and values.get("conv_layers") == 0:
        return True
    if name not in _ONLY_FOR:
        return False
    switch, choices = _ONLY_FOR[name]
    return switch in values and values[switch] not in choices
