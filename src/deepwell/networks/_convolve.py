"""The convolution in JAX: on a CPU as one matrix product, elsewhere by the device's library.

XLA's CPU compiler has a fast routine for a convolution forward, none for its gradients, which it
computes number by number. A product with what each kernel place sees,

    z[b, y, x] = (a[b, y s + i, x s + j, c] for all i, j, c) K,      (B h w, k k c) times (k k c, o)

has products for gradients: `python -m benchmarks.convolutions` measures both.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

Convolve = Callable[[jax.Array, jax.Array, int], jax.Array]


def convolution() -> Convolve:
    """Return `(a (B, H, W, c), kernel (k, k, c, o), stride) -> z (B, h, w, o)` for this device."""
    return by_product if jax.default_backend() == "cpu" else by_library


def by_product(a: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return the convolution as the product of every place's surroundings with the kernel."""
    seen = surroundings(a, kernel.shape[0], stride)  # (B, h, w, k k c)
    z = seen.reshape(-1, seen.shape[-1]) @ kernel.reshape(-1, kernel.shape[-1])
    return z.reshape(*seen.shape[:3], kernel.shape[-1])


def by_library(a: jax.Array, kernel: jax.Array, stride: int) -> jax.Array:
    """Return the convolution as XLA's own operation."""
    edge = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        a,
        kernel,
        (stride, stride),
        [(edge, edge)] * 2,
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def surroundings(a: jax.Array, size: int, stride: int) -> jax.Array:
    """Return what a kernel of k x k sees at each of its places, (B, h, w, k k c), 0 outside.

    Columns are laid side by side before rows are: 2 k copies in place of k k.
    """
    edge = size // 2
    wide = jnp.pad(a, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
    height, width = (-(-side // stride) for side in a.shape[1:3])
    columns = [wide[:, :, j : j + (width - 1) * stride + 1 : stride] for j in range(size)]
    beside = jnp.concatenate(columns, axis=-1)
    rows = [beside[:, i : i + (height - 1) * stride + 1 : stride] for i in range(size)]
    return jnp.concatenate(rows, axis=-1)
