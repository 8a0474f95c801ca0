"""Measurements of a network or a cost: gradients, curvature, falling costs, origins of NaN."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AverageFall": "._cost_falls",
        "BlockCheck": "._gradient_check",
        "Broken": "._diverged",
        "Cause": "._gradient_causes",
        "CostFall": "._cost_falls",
        "Curvature": "._curvature",
        "GradientCheck": "._gradient_check",
        "NanOrigin": "._nan_report",
        "PointCheck": "._gradient_check",
        "Rerun": "._diverged",
        "Surface": "._surface",
        "WrongEntry": "._gradient_check",
        "check_gradients": "._check_gradients",
        "check_gradients_of": "._check_gradients_of",
        "cost_falls": "._cost_falls",
        "cost_falls_on_average": "._cost_falls",
        "curvature": "._curvature",
        "first_non_finite": "._diverged",
        "loss_surface": "._surface",
        "nan_origin": "._nan_origin",
        "network_cost": "._network_cost",
        "one_sided_derivative": "._derivative",
        "two_sided_derivative": "._derivative",
    },
)
