"""A configuration in as few words as say all of it."""

from __future__ import annotations

from collections.abc import Mapping

from deepwell._base._hyperparameters import HYPERPARAMETERS, Value, complete

# What other values take their defaults from.
_LEADING = ("optimizer", "decay", "activation", "augment")


def said(values: Mapping[str, Value]) -> dict[str, Value]:
    """Return the least of a configuration that says all of it: what is not the default."""
    leading = {name: values[name] for name in _LEADING}
    defaults = complete(
        {
            **leading,
            "hidden_units": values["hidden_units"],
            "hidden_layers": values["hidden_layers"],
        }
    )
    differs = {n: values[n] for n in HYPERPARAMETERS if values[n] != defaults[n]}
    shape: dict[str, Value] = {"hidden_layers": values["hidden_layers"]}
    if values["hidden_units"]:
        shape = {"hidden_units": values["hidden_units"]}
    differs.pop("conv_layers", None)
    if not values["conv_channels"]:
        differs.pop("conv_channels", None)
    return {**leading, **shape, **differs}
