"""All optimizers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from ._adagrad import adagrad
from ._adam import adam
from ._foreign import is_foreign
from ._momentum import momentum
from ._nesterov import nesterov
from ._optimizer import Optimizer
from ._rmsprop import rmsprop
from ._sgd import sgd
from ._velocity import velocity

OPTIMIZERS: Registry[Optimizer] = Registry(
    "optimizer",
    {o.name: o for o in (sgd, momentum, velocity, nesterov, adagrad, rmsprop, adam)},
)


def slots_of(optimizer: str) -> tuple[str, ...]:
    """Return the names of the arrays like the parameters that a rule of ours remembers.

    An Optax transformation has none: what it remembers has names and shapes of its own.
    """
    return () if is_foreign(optimizer) else OPTIMIZERS[optimizer].slots
