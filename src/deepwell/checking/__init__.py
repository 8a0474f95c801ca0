"""Measurements of a network or a cost: curvature, surfaces, where a NaN came from."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Curvature": "._curvature",
        "NanOrigin": "._nan_origin",
        "Surface": "._surface",
        "curvature": "._curvature",
        "loss_surface": "._surface",
        "nan_origin": "._nan_origin",
        "network_cost": "._network_cost",
    },
)
