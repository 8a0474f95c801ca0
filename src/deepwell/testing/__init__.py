"""Conformance suites: what every implementation of a family must hold, yours included."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "gradient_difference": "._numerical",
        "numerical_gradient": "._numerical",
    },
)
