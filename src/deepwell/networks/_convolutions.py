"""Convolutional layers in front of the dense ones, for images (height, width, channels).

    z = sum over (i, j) of a[y s + i, x s + j] K[i, j]  + b     zero padding keeps the size, s = 1
    z = BN(z), a = g(z), a = BN(a)                              as in dense layers, by channel
    a = the largest (or the mean) of each p x p square          squares side by side

The last layer's numbers, row by row with the channels side by side, are the dense layers' inputs.
A layer whose image is smaller than p x p is not pooled. Where p does not divide the image, the
last rows and columns are left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Array = Any


@dataclass(frozen=True)
class Convolutions:
    """The shape of the convolutional layers.

    Attributes:
        image: height, width and channels of a row's image.
        channels: of each layer, first to last.
        kernel: height and width of every kernel, odd.
        stride: s, places from one application of the kernel to the next.
        pool: p, side of the squares; 1 pools nothing.
        pooling: `max` or `average`.
    """

    image: tuple[int, int, int]
    channels: tuple[int, ...]
    kernel: int = 3
    stride: int = 1
    pool: int = 2
    pooling: str = "max"

    @property
    def inputs(self) -> int:
        """Numbers of an image."""
        return math.prod(self.image)

    def sizes(self) -> list[tuple[int, int, int]]:
        """Return height, width and channels of the image, then after each layer.

        >>> Convolutions((28, 28, 1), (8, 16)).sizes()
        [(28, 28, 1), (14, 14, 8), (7, 7, 16)]
        """
        sizes = [self.image]
        for channels in self.channels:
            height, width, _ = self.unpooled(len(sizes) - 1, sizes[-1])
            p = self.pool_of((height, width))
            sizes.append((height // p, width // p, channels))
        return sizes

    def unpooled(self, layer: int, size: tuple[int, int, int]) -> tuple[int, int, int]:
        """Return height, width and channels of a layer's z for the size of its input."""
        height, width = (-(-side // self.stride) for side in size[:2])
        return height, width, self.channels[layer]

    def pool_of(self, size: tuple[int, int]) -> int:
        """Return the side of the squares that an image of this size is pooled by."""
        return self.pool if min(size) >= self.pool else 1

    @property
    def features(self) -> int:
        """Numbers that the dense layers get."""
        return math.prod(self.sizes()[-1])

    def kernel_shapes(self) -> list[tuple[int, int, int, int]]:
        """Return (k, k, channels in, channels out) of each layer."""
        pairs = zip((self.image[2], *self.channels), self.channels, strict=False)
        return [(self.kernel, self.kernel, n_in, n_out) for n_in, n_out in pairs]

    def layer_multiply_adds(self) -> list[int]:
        """Return the multiply-adds of each layer for one image."""
        pairs = zip(self.sizes(), self.kernel_shapes(), strict=False)
        return [
            math.prod(self.unpooled(layer, size)[:2]) * math.prod(kernel)
            for layer, (size, kernel) in enumerate(pairs)
        ]

    def largest(self) -> int:
        """Return the most numbers that a layer makes of one image."""
        sizes = self.sizes()
        return max(math.prod(self.unpooled(i, size)) for i, size in enumerate(sizes[:-1]))

    def most_seen(self) -> int:
        """Return the most numbers that the kernels of a layer see of one image, place by place."""
        pairs = zip(self.layer_multiply_adds(), self.channels, strict=True)
        return max(self.largest(), *(products // channels for products, channels in pairs))


@dataclass(frozen=True)
class Stage:
    """What is done to each layer's numbers, in NumPy or JAX.

    Attributes:
        convolve: `(a (B, h, w, c), kernel, stride) -> z`.
        norm: `(layer, z) -> z`, batch normalization by channel, or as it is.
        activate: `z -> g(z)`.
        norm_last: whether normalization is after g, else before it or not at all.
        biased: whether layers have a bias.
        rising: whether g never falls, so that squares may be pooled by their largest before g,
            which is the same and leaves fewer numbers to g.
    """

    convolve: Callable[[Array, Array, int], Array]
    norm: Callable[[int, Array], Array]
    activate: Callable[[Array], Array]
    norm_last: bool
    biased: bool
    rising: bool


def convolved(
    front: Convolutions, parameters: Mapping[str, Array], x: Array, stage: Stage
) -> Array:
    """Return the dense layers' inputs (B, features) for rows x (B, D), D at least the image's."""
    a = images(front, parameters, x, stage, len(front.channels))
    return a.reshape(len(a), -1)


def images(
    front: Convolutions, parameters: Mapping[str, Array], x: Array, stage: Stage, layers: int
) -> Array:
    """Return what so many layers make of rows x (B, D): (B, h, w, c)."""
    a = x[:, : front.inputs].reshape(len(x), *front.image)
    for layer in range(layers):
        a = stage.norm(layer, before_norm(parameters, a, stage, layer, front.stride))
        if stage.norm_last:
            a = pooled(front, a)
        elif stage.rising and front.pooling == "max":
            a = stage.activate(pooled(front, a))
        else:
            a = pooled(front, stage.activate(a))
    return a


def before_norm(
    parameters: Mapping[str, Array], a: Array, stage: Stage, layer: int, stride: int
) -> Array:
    """Return what a layer hands to normalization: z, or g(z) where it comes after."""
    z = stage.convolve(a, parameters[f"kernels/{layer}"], stride)
    if stage.biased:
        z = z + parameters[f"offsets/{layer}"]
    return stage.activate(z) if stage.norm_last else z


def pooled(front: Convolutions, a: Array) -> Array:
    """Return (B, h // p, w // p, c): the largest or the mean of each square."""
    p = front.pool_of(a.shape[1:3])
    if p == 1:
        return a
    rows, columns = a.shape[1] // p, a.shape[2] // p
    squares = a[:, : rows * p, : columns * p].reshape(len(a), rows, p, columns, p, a.shape[3])
    return squares.max(axis=(2, 4)) if front.pooling == "max" else squares.mean(axis=(2, 4))


def sum_of_products(a: Array, kernel: Array, stride: int) -> Array:
    """Return the convolution in NumPy, one product for each place of the kernel."""
    import numpy as np

    k, _, _, channels = kernel.shape
    edge = k // 2
    size = tuple(-(-side // stride) for side in a.shape[1:3])
    wide = np.pad(a, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    z = np.zeros((len(a), *size, channels), a.dtype)
    for i in range(k):
        for j in range(k):
            rows = slice(i, i + (size[0] - 1) * stride + 1, stride)
            columns = slice(j, j + (size[1] - 1) * stride + 1, stride)
            z += wide[:, rows, columns] @ kernel[i, j]
    return z
