"""What may stand for a distribution: a list for a choice, a plain value for itself."""

from __future__ import annotations

from typing import cast

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value

from ._choice import Choice
from ._distribution import Distribution, plain
from ._fixed import Fixed


def distribution_of(entry: object) -> Distribution:
    """Return the distribution that an entry is or stands for: a list a choice, a value itself."""
    if isinstance(entry, Distribution):
        return entry
    if isinstance(entry, list):
        return Choice(tuple(cast(list[Value], entry)))
    return Fixed(cast(Value, plain(entry)))


def has(distribution: Distribution, value: Value) -> bool:
    """Return whether `value` is one of a distribution's."""
    if isinstance(distribution, Choice):
        return value in distribution.values
    if isinstance(distribution, Fixed):
        return value == distribution.value
    try:
        distribution.to_unit(value)
    except UsageError:
        return False
    return True


def values_of(distribution: Distribution, most: int) -> tuple[Value, ...] | None:
    """Return all values of a distribution; None for a continuum, or more than `most`."""
    count = distribution.count()
    if count is None or count > most:
        return None
    return tuple(distribution.from_unit((k + 0.5) / count) for k in range(count))
