"""Mirrored left to right, each image with a probability of `flip`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._augmentation import Array, Augmentation, each, share


def _apply(images: Array, words: Array, strengths: Sequence[Array], xp: Any) -> Array:
    mirrored = share(words[:, 0], images.dtype) < strengths[0]
    return xp.where(each(mirrored), images[:, :, ::-1], images)


flip = Augmentation("flip", ("flip",), 0, 1, _apply)
