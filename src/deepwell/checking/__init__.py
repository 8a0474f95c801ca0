"""Measurements of a network or a cost: gradients, curvature, the surface around a path."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BlockCheck": "._gradient_check",
        "Cause": "._gradient_causes",
        "Curvature": "._curvature",
        "GradientCheck": "._gradient_check",
        "PointCheck": "._gradient_check",
        "Surface": "._surface",
        "WrongEntry": "._gradient_check",
        "check_gradients": "._check_gradients",
        "check_gradients_of": "._check_gradients_of",
        "curvature": "._curvature",
        "loss_surface": "._surface",
        "network_cost": "._network_cost",
        "one_sided_derivative": "._derivative",
        "two_sided_derivative": "._derivative",
    },
)
