"""Shifted and turned, with what lies between pixels in proportion (bilinear interpolation).

    t = (shift H u1, shift W u2),  angle = rotation u3,      u uniform in (-1, 1)
    a'[p] = a[R (p - c - t) + c],  R = [[cos, sin], [-sin, cos]]

for each place p = (y, x), with c the image's middle; a place outside is the nearest one inside, so
that edges are drawn out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ._augmentation import Array, Augmentation, symmetric


def _apply(images: Array, words: Array, strengths: Sequence[Array], xp: Any) -> Array:
    shift, rotation = strengths
    height, width = images.shape[1:3]
    u = symmetric(words, images.dtype)
    angle = rotation * u[:, 2] * (math.pi / 180)
    cos, sin = (f(angle)[:, None, None] for f in (xp.cos, xp.sin))
    y = _from_middle(height, images.dtype, xp) - (shift * height * u[:, 0])[:, None]  # (B, H)
    x = _from_middle(width, images.dtype, xp) - (shift * width * u[:, 1])[:, None]  # (B, W)
    y, x = y[:, :, None], x[:, None, :]
    rows = xp.clip(cos * y + sin * x + (height - 1) / 2, 0, height - 1)  # (B, H, W)
    columns = xp.clip(cos * x - sin * y + (width - 1) / 2, 0, width - 1)
    return _between(images, rows, columns, xp)


def _from_middle(side: int, kind: Any, xp: Any) -> Array:
    return xp.arange(side, dtype=kind) - (side - 1) / 2


def _between(images: Array, rows: Array, columns: Array, xp: Any) -> Array:
    """Return the images at real places (B, H, W), a mean of the four pixels around each."""
    batch, height, width, channels = images.shape
    pixels = images.reshape(batch, height * width, channels)
    top, left = xp.floor(rows), xp.floor(columns)
    down, across = (rows - top)[..., None], (columns - left)[..., None]
    top, left = top.astype("int32"), left.astype("int32")
    bottom, right = xp.minimum(top + 1, height - 1), xp.minimum(left + 1, width - 1)

    def at(row: Array, column: Array) -> Array:
        places = (row * width + column).reshape(batch, height * width, 1)
        return xp.take_along_axis(pixels, places, axis=1).reshape(images.shape)

    above = (1 - across) * at(top, left) + across * at(top, right)
    below = (1 - across) * at(bottom, left) + across * at(bottom, right)
    return (1 - down) * above + down * below


move = Augmentation("move", ("shift", "rotation"), 1, 3, _apply)
