"""The coordinate hash of `_base/_hash.py` in JAX: the same words, inside compiled programs.

`coordinate_key(seed)` is a normal JAX key whose draws are hashed by coordinates, so all of
`jax.random` works with it and gives the same numbers at any padding. Programs call `fold` and
`words` directly. Tests hold both modules to the same numbers.
"""

from __future__ import annotations

import functools
import operator
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from deepwell._base._hash import FOLD_FACTOR, FOLD_OFFSET, GOLDEN, MIX_FIRST, MIX_SECOND
from deepwell._base._hash import key as host_key

_SPLIT = 0x51


class Words(NamedTuple):
    """A key: two uint32 arrays of one shape."""

    first: jax.Array
    second: jax.Array


def _u32(value) -> jax.Array:
    return jnp.asarray(value, dtype=jnp.uint32)


def _shifted(x: jax.Array, by: int) -> jax.Array:
    return x ^ jax.lax.shift_right_logical(x, jnp.full_like(x, by))


def _mix(x: jax.Array) -> jax.Array:
    x = _shifted(x, 16) * _u32(MIX_FIRST)
    x = _shifted(x, 15) * _u32(MIX_SECOND)
    return _shifted(x, 16)


def fold(parent: Words, word) -> Words:
    """Return the child key for a 32-bit word, or the children for an array of words."""
    w = _u32(word)
    a = _mix(parent.first + w * _u32(GOLDEN) + _u32(FOLD_OFFSET))
    b = _mix(parent.second ^ a)
    return Words(_mix(a + b * _u32(GOLDEN)), _mix(b ^ (a * _u32(FOLD_FACTOR))))


def words(parent: Words, shape: tuple[int, ...]) -> jax.Array:
    """Return the words at all coordinates of `shape`, as uint32."""
    if not shape:
        return words(parent, (1,))[..., 0]
    row = parent
    for size in shape[:-1]:
        row = Words(row.first[..., None], row.second[..., None])
        row = fold(row, jnp.arange(size, dtype=jnp.uint32))
    if len(shape) == 1:
        row = fold(row, 0)
    along = jnp.arange(shape[-1], dtype=jnp.uint32) * _u32(GOLDEN)
    x = row.first[..., None] + along
    x = _shifted(x, 16) * _u32(MIX_FIRST)
    x = _shifted(x, 15) + row.second[..., None]
    return _shifted(x * _u32(MIX_SECOND), 16)


def _seed(seed: jax.Array) -> jax.Array:
    low = seed.astype(jnp.uint32)
    wide = seed.dtype.itemsize > 4
    high = jax.lax.shift_right_logical(seed, jnp.full_like(seed, 32)) if wide else low * 0
    first = _mix(low + _u32(GOLDEN))
    second = _mix(_mix(high.astype(jnp.uint32) + _u32(GOLDEN)) ^ low)
    return jnp.stack(fold(Words(first, second), 0))


def _fold_in(key: jax.Array, data: int) -> jax.Array:
    return jnp.stack(fold(Words(key[0], key[1]), data))


def _split(key: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    parent = fold(Words(key[0], key[1]), _SPLIT)
    for size in shape:
        parent = Words(parent.first[..., None], parent.second[..., None])
        parent = fold(parent, jnp.arange(size, dtype=jnp.uint32))
    return jnp.stack(parent, axis=-1)


def _random_bits(key: jax.Array, bit_width: int, shape: tuple[int, ...]) -> jax.Array:
    base = Words(key[0], key[1])
    if bit_width == 64:
        high = words(base, shape).astype(jnp.uint64)
        low = words(fold(base, _SPLIT), shape).astype(jnp.uint64)
        return (high << 32) | low
    drawn = words(base, shape)
    if bit_width == 32:
        return drawn
    narrow = {8: jnp.uint8, 16: jnp.uint16}[bit_width]
    return (drawn >> (32 - bit_width)).astype(narrow)


@functools.cache
def implementation():
    """Return the JAX PRNG implementation, registered on first use under the name `deepwell`."""
    from jax.extend.random import define_prng_impl

    return define_prng_impl(
        key_shape=(2,),
        seed=_seed,
        split=_split,
        random_bits=_random_bits,
        fold_in=_fold_in,
        name="deepwell",
        tag="dw",
    )


def coordinate_key(seed: int) -> jax.Array:
    """Return a typed JAX key that draws by the coordinate hash.

    Args:
        seed: any integer, taken modulo 2^64 as by the host's hash; JAX alone would cut it to 32
            bits where 64-bit types are off.

    >>> import jax
    >>> wide = jax.random.uniform(coordinate_key(3), (4, 64))
    >>> bool((jax.random.uniform(coordinate_key(3), (4, 53)) == wide[:, :53]).all())
    True
    """
    folded = jnp.asarray(np.array(host_key(operator.index(seed)), np.uint32))
    return jax.random.wrap_key_data(folded, impl=implementation())
