"""Measurements of a network or a cost: curvature, surfaces, falling costs, origins of NaN."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "AverageFall": "._cost_falls",
        "Broken": "._diverged",
        "CostFall": "._cost_falls",
        "Curvature": "._curvature",
        "NanOrigin": "._nan_report",
        "Surface": "._surface",
        "Rerun": "._diverged",
        "cost_falls": "._cost_falls",
        "cost_falls_on_average": "._cost_falls",
        "curvature": "._curvature",
        "first_non_finite": "._diverged",
        "loss_surface": "._surface",
        "nan_origin": "._nan_origin",
        "network_cost": "._network_cost",
    },
)
