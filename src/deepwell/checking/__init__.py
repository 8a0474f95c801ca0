"""Measurements of a network or a cost: curvature, and the surface around a path."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Curvature": "._curvature",
        "Surface": "._surface",
        "curvature": "._curvature",
        "loss_surface": "._surface",
        "network_cost": "._network_cost",
    },
)
