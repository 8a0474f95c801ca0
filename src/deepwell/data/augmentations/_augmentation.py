"""The contract of an augmentation of images, and the numbers that words stand for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Array = Any


@dataclass(frozen=True)
class Augmentation:
    """A random change of images that leaves what they show as it is.

    Attributes:
        name: a noun.
        strengths: the hyperparameters that say how much; at 0 nothing changes.
        number: its own in the key of its draws, never used again for another.
        draws: words that each image takes.
        apply: `(images (B, H, W, c), words (B, draws) uint32, strengths, xp) -> images`, in NumPy
            and JAX alike (`xp` is the array module); shape and type stay, an image does not depend
            on the others, and strengths of 0 give back the same numbers.
    """

    name: str
    strengths: tuple[str, ...]
    number: int
    draws: int
    apply: Callable[[Array, Array, Sequence[Array], Any], Array]


def symmetric(words: Array, kind: Any) -> Array:
    """Return a number in (-1, 1) for each word: one of 2^23, which float32 holds exactly."""
    return ((words >> 9).astype(kind) + 0.5) * 2.0**-22 - 1


def share(words: Array, kind: Any) -> Array:
    """Return a number in [0, 1) for each word: one of 2^24, which float32 holds exactly."""
    return (words >> 8).astype(kind) * 2.0**-24


def each(values: Array) -> Array:
    """Return one number an image, (B,), as it meets images: (B, 1, 1, 1)."""
    return values[:, None, None, None]
