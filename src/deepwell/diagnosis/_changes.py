"""The one change that would test a finding, by what the network is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from deepwell._base._hyperparameters import default_initializer

SQUASHING = ("sigmoid", "tanh")
"""Activations that are flat at both ends."""

_ODD_STARTS = ("zeros", "large", "small", "identity")
TWIN_RATES = (3e-4, 1e-3, 3e-3, 1e-2)
"""Rates that healthy twins may have: the default search's range, its ends left out."""

_STRONGER = 10.0  # penalties act by their order of magnitude
_FIRST_L2 = 1e-3
_MORE_DROPOUT, _MOST_DROPOUT = 0.3, 0.5  # the default search goes up to a half

Change = tuple[str, dict[str, object]]


def change_for(code: str, best: Mapping[str, object]) -> Change:
    """Return the change that mends a layer symptom where it is what it looks like.

    An odd start comes first, since it makes all of them; then what passes gradients on; then the
    rate, which alone makes units die or saturate later.

    Args:
        code: DW401 to DW404.
        best: hyperparameters of the network.
    """
    odd = best["initializer"] in _ODD_STARTS or best["initializer_scale"] != 1.0
    if odd:
        start = default_initializer(str(best["activation"]))
        return f"initializer auto ({start})", {"initializer": "auto", "initializer_scale": 1.0}
    squashing = best["activation"] in SQUASHING
    if code in ("DW401", "DW404") and squashing:
        return "activation relu", {"activation": "relu", "initializer": "auto"}
    if code in ("DW401", "DW402") and best["batch_norm"] == "none":
        return "batch norm", {"batch_norm": "before"}
    rate = float(f"{_rate(best) / 10:.3g}")
    return f"learning rate {rate:.3g}", {"learning_rate": rate}


def more_l2(l2: float) -> float:
    """Return a stronger L2 penalty: ten times, and 0.001 where there was next to none.

    >>> more_l2(0.0), more_l2(0.02)
    (0.001, 0.2)
    """
    return float(f"{max(_FIRST_L2, _STRONGER * l2):.3g}")


def against_overfitting(best: Mapping[str, object]) -> tuple[Change, ...]:
    """Return what is tried against overfitting: more l2, dropout, both, a third of the rate.

    Args:
        best: hyperparameters of the network.
    """
    l2 = more_l2(_number(best, "l2"))
    families: list[dict[str, object]] = [{"l2": l2}, {"l2": more_l2(l2)}]
    given = best["dropout"]
    rates = cast(tuple[float, ...], given if isinstance(given, tuple) else (given,))
    more = tuple(round(min(_MOST_DROPOUT, rate + _MORE_DROPOUT), 3) for rate in rates)
    if best["hidden_layers"] and max(rates) < _MOST_DROPOUT:
        dropout: dict[str, object] = {"dropout": more if isinstance(given, tuple) else more[0]}
        families += [dropout, {**dropout, "l2": l2}]
    families.append({"learning_rate": float(f"{_rate(best) / 3:.3g}")})
    return tuple((in_words(family), family) for family in families)


def in_words(values: Mapping[str, object]) -> str:
    """Return hyperparameters as they are told.

    >>> in_words({"dropout": 0.3, "decay": "constant"})
    'dropout 0.3, decay constant'
    >>> in_words({"hidden_units": (32, 64)})
    'hidden_units 32,64'
    """
    return ", ".join(f"{name} {_told(value)}" for name, value in values.items())


def _told(value: object) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_told, cast(tuple[object, ...], value)))
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def healthy(best: Mapping[str, object], rate: float, passes_gradients: bool) -> dict[str, object]:
    """Return the hyperparameters of a healthy twin.

    Widths, batch norm, penalties, dropout and batches are the network's own; it starts as its
    activation asks for and is trained by Adam at a constant rate, nothing clipped or noisy, nothing
    changed by hand.

    Args:
        best: hyperparameters of the network.
        rate: of the twin.
        passes_gradients: whether to take ReLU in place of a sigmoid or tanh, whose gradients
            shrink in any twin of theirs.
    """
    activation = str(best["activation"])
    if passes_gradients and activation in SQUASHING:
        activation = "relu"
    return {
        "activation": activation,
        "initializer": "auto",
        "initializer_scale": 1.0,
        "optimizer": "adam",
        "learning_rate": rate,
        "beta1": 0.9,
        "beta2": 0.999,
        "epsilon": 1e-8,
        "epsilon_root": 0.0,
        "decay": "constant",
        "warmup_epochs": 0.0,
        "clip_value": 0.0,
        "clip_norm": 0.0,
        "gradient_noise": 0.0,
        "change": "none",
    }


def _rate(best: Mapping[str, object]) -> float:
    return _number(best, "learning_rate")


def _number(best: Mapping[str, object], name: str) -> float:
    return float(cast(float, best[name]))
