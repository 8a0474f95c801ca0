"""More or less contrast: a' = m + (1 + contrast u) (a - m), with m the mean of each channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._augmentation import Array, Augmentation, each, symmetric


def _apply(images: Array, words: Array, strengths: Sequence[Array], xp: Any) -> Array:
    factor = strengths[0] * each(symmetric(words[:, 0], images.dtype))
    mean = images.mean(axis=(1, 2), keepdims=True)
    return images + factor * (images - mean)


contrast = Augmentation("contrast", ("contrast",), 3, 1, _apply)
