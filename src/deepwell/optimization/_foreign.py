"""Optax transformations as optimizers of a study: `optax:NAME`.

A specification holds the name alone. It means `optax.NAME(learning_rate)` with Optax's own
defaults, or what this process registered under it.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from deepwell._base._declarations import OPTAX_PREFIX
from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import HYPERPARAMETERS
from deepwell._base._safe_text import safe_text

Make = Callable[..., Any]
_REGISTERED: dict[str, Make] = {}


def is_foreign(optimizer: str) -> bool:
    """Return whether this is the name of an Optax transformation."""
    return optimizer.startswith(OPTAX_PREFIX)


def register_optimizer(name: str, make: Make) -> str:
    """Make an Optax transformation known to this process, and return its name for spaces.

    A study keeps the name only: to resume it in another process, register it there again.

    >>> import optax
    >>> def lion(learning_rate, beta1):
    ...     return optax.lion(learning_rate, b1=beta1)
    >>> register_optimizer("slow_lion", lion)
    'optax:slow_lion'

    Args:
        name: a Python name that Optax does not use.
        make: returns the transformation; called with those hyperparameters of a network that it
            has arguments for, by their names. `learning_rate` is that of the step.

    Raises:
        UsageError: when the name is taken or none, or an argument is no numeric hyperparameter.
    """
    import optax

    if not (isinstance(name, str) and name.isidentifier() and name.isascii()):
        raise UsageError(
            f"the name of an optimizer must be a Python name, got {safe_text(repr(name))}"
        )
    if hasattr(optax, name):
        raise UsageError(f"optax has a {name} already, which optax:{name} means; take another name")
    _arguments(name, make)
    _REGISTERED[name] = make
    return OPTAX_PREFIX + name


def transformation(optimizer: str, numbers: Mapping[str, Any]) -> Any:
    """Return the Optax transformation of that name with these hyperparameters.

    Args:
        optimizer: `optax:NAME`.
        numbers: numeric hyperparameters, which may be traced.

    Raises:
        UsageError: when Optax has no such optimizer and none is registered in this process.
    """
    name = optimizer.removeprefix(OPTAX_PREFIX)
    if name in _REGISTERED:
        make = _REGISTERED[name]
        return make(**{argument: numbers[argument] for argument in _arguments(name, make)})
    return _optaxs_own(name)(learning_rate=numbers["learning_rate"])


def check_foreign(optimizer: str) -> None:
    """Raise `UsageError` unless programs can train with it; tried on a small tree, as traced."""
    import jax
    import jax.numpy as jnp
    import optax

    defaults = {n: h.default for n, h in HYPERPARAMETERS.items()}
    rates = {n: float(v) for n, v in defaults.items() if isinstance(v, int | float)}
    rates |= {"beta2": 0.999, "decay_factor": 0.95}
    tree = {"weights/0": jnp.ones((2, 3)), "biases/0": jnp.ones(3)}

    def step(numbers, tree):
        rule = optax.with_extra_args_support(transformation(optimizer, numbers))
        changes, _ = rule.update(tree, rule.init(tree), tree)
        return changes

    try:
        changes = jax.eval_shape(step, rates, tree)
    except UsageError:
        raise
    except Exception as error:
        first = safe_text(str(error).partition("\n")[0])
        raise UsageError(
            f"{optimizer} cannot train networks here ({first}); choose one that needs gradients "
            "and parameters alone"
        ) from error
    if jax.tree.map(jnp.shape, changes) != jax.tree.map(jnp.shape, tree):
        raise UsageError(f"{optimizer} must change each parameter by an array of its shape")


def _optaxs_own(name: str) -> Make:
    import optax

    make = getattr(optax, name, None)
    if make is None or not callable(make) or "learning_rate" not in _signature(make):
        raise UsageError(
            f"optax:{safe_text(name)} is no optimizer of Optax that takes a learning rate, and "
            "none is registered under that name in this process; call "
            f'deepwell.register_optimizer("{safe_text(name)}", ...) first'
        )
    return make


def _arguments(name: str, make: Make) -> tuple[str, ...]:
    """Return the hyperparameters that a factory takes."""
    taken = _signature(make)
    for argument, parameter in taken.items():
        declared = HYPERPARAMETERS.get(argument)
        numeric = declared is not None and not isinstance(declared.default, str)
        if not numeric and parameter.default is inspect.Parameter.empty:
            raise UsageError(
                f"the optimizer {name} asks for {safe_text(argument)}, which is no numeric "
                "hyperparameter; give that argument a default"
            )
    return tuple(argument for argument in taken if argument in HYPERPARAMETERS)


def _signature(make: Make) -> Mapping[str, inspect.Parameter]:
    try:
        return inspect.signature(make).parameters
    except (TypeError, ValueError):
        return {}
