"""What a hyperparameter allows is what its family has: nothing is declared twice differently."""

from __future__ import annotations

import pytest

from deepwell._base._hyperparameters import ACTIVATIONS, DECAYS, INITIALIZERS, OPTIMIZERS
from deepwell._base._registry import Registry
from deepwell.networks import _activations, _initializers
from deepwell.optimization import _decay, _registry


@pytest.mark.parametrize(
    ("declared", "family"),
    [
        (ACTIVATIONS, _activations.ACTIVATIONS),
        (tuple(name for name in INITIALIZERS if name != "auto"), _initializers.INITIALIZERS),
        (OPTIMIZERS, _registry.OPTIMIZERS),
        (DECAYS, _decay.DECAYS),
    ],
    ids=["activation", "initializer", "optimizer", "decay"],
)
def test_declared_names_are_those_of_the_family(declared: tuple, family: Registry) -> None:
    assert declared == tuple(family)
