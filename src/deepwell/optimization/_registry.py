"""All optimizers by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from ._adam import adam
from ._momentum import momentum
from ._optimizer import Optimizer
from ._rmsprop import rmsprop
from ._sgd import sgd

OPTIMIZERS: Registry[Optimizer] = Registry(
    "optimizer", {o.name: o for o in (sgd, momentum, rmsprop, adam)}
)
