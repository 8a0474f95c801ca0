"""Lighter or darker: a' = a + brightness u, in standard deviations of the channel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._augmentation import Array, Augmentation, each, symmetric


def _apply(images: Array, words: Array, strengths: Sequence[Array], xp: Any) -> Array:
    return images + strengths[0] * each(symmetric(words[:, 0], images.dtype))


brightness = Augmentation("brightness", ("brightness",), 4, 1, _apply)
