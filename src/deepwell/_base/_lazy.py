"""Facades that import nothing until a name is used, so that `--help` loads no JAX."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping


def lazy_names(
    package: str, where: Mapping[str, str]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for a facade.

    Args:
        package: the facade's `__name__`.
        where: public name -> module that holds it, relative to the package (`._adam`).
    """

    def get(name: str) -> object:
        if name not in where:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(importlib.import_module(where[name], package), name)

    def names() -> list[str]:
        return sorted(where)

    return get, names
