"""Cropped at random to its own size, after `crop` pixels of 0 were laid around it.

    a'[y, x] = a[y + i, x + j], 0 outside;  i and j whole numbers from -crop to crop, all as likely

0 is the mean of an image's channel, since inputs are normalized.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._augmentation import Array, Augmentation


def _apply(images: Array, words: Array, strengths: Sequence[Array], xp: Any) -> Array:
    batch, height, width, channels = images.shape
    padding = xp.asarray(strengths[0]).astype("uint32")
    by = (words % (2 * padding + 1)).astype("int32") - padding.astype("int32")  # (B, 2)
    rows = xp.arange(height, dtype="int32") + by[:, :1]  # (B, H)
    columns = xp.arange(width, dtype="int32") + by[:, 1:]  # (B, W)
    within = _within(rows, height)[:, :, None] & _within(columns, width)[:, None, :]
    rows, columns = xp.clip(rows, 0, height - 1), xp.clip(columns, 0, width - 1)
    places = (rows[:, :, None] * width + columns[:, None, :]).reshape(batch, height * width, 1)
    pixels = images.reshape(batch, height * width, channels)
    seen = xp.take_along_axis(pixels, places, axis=1).reshape(images.shape)
    return xp.where(within[..., None], seen, xp.zeros_like(seen))


def _within(places: Array, side: int) -> Array:
    return (places >= 0) & (places < side)


crop = Augmentation("crop", ("crop",), 2, 2, _apply)
