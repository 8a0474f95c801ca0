"""A family of implementations by name: the one way to look one up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from ._errors import UnknownNameError, did_you_mean
from ._safe_text import safe_text

T = TypeVar("T")


class Registry(Mapping[str, T], Generic[T]):
    """An immutable name -> implementation table whose misses say what exists.

    Args:
        family: singular noun for messages, as in "activation".
        entries: the implementations by name, in the order in which they are listed.
    """

    def __init__(self, family: str, entries: Mapping[str, T]) -> None:
        self.family = family
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> T:
        try:
            return self._entries[name]
        except KeyError:
            known = ", ".join(self._entries)
            hint = did_you_mean(str(name), self._entries)
            raise UnknownNameError(
                f'unknown {self.family} "{safe_text(name)}"{hint or ";"} choose one of {known}'
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
