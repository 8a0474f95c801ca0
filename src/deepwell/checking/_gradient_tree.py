"""Arrays in dictionaries, lists and tuples as one vector, without JAX."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._gradient_problem import Block

Path = tuple[Any, ...]


def leaves(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield the leaves of nested dictionaries, lists and tuples with the way to them."""
    if isinstance(tree, Mapping):
        for key, inner in tree.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(tree, list | tuple):
        for number, inner in enumerate(tree):
            yield from leaves(inner, (*path, number))
    else:
        yield path, tree


def is_real(leaf: Any) -> bool:
    """Whether a leaf holds floating-point numbers, which a check can change a little."""
    kind = getattr(leaf, "dtype", None)
    return isinstance(leaf, float) or (isinstance(kind, np.dtype) and kind.kind == "f")


def blocks_of(tree: Any, root: str) -> tuple[tuple[Block, ...], tuple[str, ...]]:
    """Return the blocks of a tree's real leaves, and the names of what is held as it is.

    Raises:
        UsageError: when there is no real leaf, or one that is not finite.
    """
    blocks: list[Block] = []
    held: list[str] = []
    start = 0
    for path, leaf in leaves(tree):
        name = safe_text("/".join(map(str, path)) or root)
        if not is_real(leaf):
            held.append(name)
            continue
        values = np.asarray(leaf)
        if not np.isfinite(values).all():
            raise UsageError(f"`{root}` must be finite, but {name} holds numbers that are not")
        blocks.append(Block(name, values.shape, start))
        start += values.size
    if not start:
        raise UsageError(
            f"`{root}` must hold floating-point numbers in arrays, lists or dictionaries, got "
            f"{safe_text(', '.join(held) or 'none')}; write 1.0 in place of 1"
        )
    return tuple(blocks), tuple(held)


def vector_of(tree: Any) -> np.ndarray:
    """Return the real leaves as one float64 vector."""
    parts = [np.asarray(leaf, np.float64).reshape(-1) for _, leaf in leaves(tree) if is_real(leaf)]
    return np.concatenate(parts) if parts else np.zeros(0)


def filled(tree: Any, vector: np.ndarray) -> Any:
    """Return a tree of the same form with fresh float64 arrays for its real leaves."""
    return _filled(tree, vector, [0])


def _filled(tree: Any, vector: np.ndarray, used: list[int]) -> Any:
    if isinstance(tree, Mapping):
        inner = {key: _filled(value, vector, used) for key, value in tree.items()}
        return inner if type(tree) is dict else _like(tree, inner)
    if isinstance(tree, list | tuple):
        values = [_filled(value, vector, used) for value in tree]
        if hasattr(tree, "_fields"):  # a named tuple takes its fields one by one
            return type(tree)(*values)
        return values if isinstance(tree, list) else tuple(values)
    if not is_real(tree):
        return tree
    size, start = np.size(tree), used[0]
    used[0] += size
    if isinstance(tree, float) and not isinstance(tree, np.generic):
        return float(vector[start])
    return vector[start : start + size].reshape(np.shape(tree)).copy()


def _like(tree: Mapping[Any, Any], inner: dict[Any, Any]) -> Any:
    """Return the entries as the mapping's own kind, where it can be made from a dictionary."""
    try:
        return type(tree)(inner)  # type: ignore[call-arg]
    except TypeError:
        return inner


def follow(tree: Any, path: Path) -> Any:
    """Return the leaf of a gradient that stands where one of the parameters does.

    Raises:
        UsageError: when it is not there.
    """
    for key in path:
        try:
            tree = tree[key]
        except (KeyError, IndexError, TypeError) as error:
            name = safe_text("/".join(map(str, path)))
            raise UsageError(
                f"`gradient` must return the form of `theta`: {name} is not in what it returned"
            ) from error
    return tree
