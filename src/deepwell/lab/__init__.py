"""The laboratory: the figures of the field guide, each from a real run of our own code."""

from deepwell._base._lazy import lazy_names

__getattr__, __dir__ = lazy_names(
    __name__, {"FIGURES": "._registry", "LabFigure": "._figure", "draw": "._render"}
)
