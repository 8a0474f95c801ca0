"""What may be a value: numbers, words, and tuples of them, which files and samplers can keep."""

from __future__ import annotations

from typing import cast

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._choice import Choice
from ._distribution import Distribution, plain
from ._fixed import Fixed
from ._per_layer import PerLayer
from ._when import When


def check_values(name: str, entry: Distribution) -> None:
    """Refuse an entry with a listed value that is none.

    Raises:
        UsageError: naming the entry and the value.
    """
    item = entry
    while isinstance(item, When | PerLayer):
        item = item.item
    values: tuple[object, ...] = ()
    if isinstance(item, Choice):
        values = item.values
    elif isinstance(item, Fixed):
        values = (item.value,)
    for value in values:
        parts = cast(tuple[object, ...], value) if isinstance(value, tuple) else (value,)
        if not all(isinstance(plain(part), int | float | str) for part in parts):
            raise UsageError(
                f"`{safe_text(name)}` must be numbers, words or tuples of them, got "
                f"{safe_text(repr(value))}; give what it stands for a name"
            )
