"""Conformance suites: what every implementation of a family must hold, yours included.

Each raises `AssertionError` with a sentence, so that it can be a test of your own:

>>> import deepwell.testing
>>> from deepwell.optimization import OPTIMIZERS
>>> deepwell.testing.check_optimizer(OPTIMIZERS["momentum"])
"""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "check_activation": "._activations",
        "check_augmentation": "._augmentations",
        "check_initializer": "._initializers",
        "check_layer": "._layers",
        "check_loss": "._losses",
        "check_optimizer": "._optimizers",
        "check_schedule": "._schedules",
        "gradient_difference": "._numerical",
        "numerical_gradient": "._numerical",
    },
)
