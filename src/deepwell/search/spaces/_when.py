"""An entry that exists only where others have certain values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from deepwell._base._errors import UsageError
from deepwell._base._hyperparameters import Value
from deepwell._base._safe_text import safe_text

from ._distribution import Distribution
from ._entry import distribution_of, has


@dataclass(frozen=True)
class When:
    """A distribution that is there only where all of `given` is so.

    As a distribution it is `item`; the domain leaves its name out where it does not exist.

    Attributes:
        item: what is drawn from.
        given: (name, the values that it must have one of).
    """

    item: Distribution
    given: tuple[tuple[str, Distribution], ...]

    def __post_init__(self) -> None:
        if isinstance(self.item, When):
            raise UsageError(
                "when takes all its conditions at once, as in when(uniform(0.5, 0.99), "
                "optimizer=momentum, decay=cosine)"
            )
        if not self.given:
            raise UsageError(
                "when needs a condition, as in when(uniform(0.5, 0.99), optimizer=momentum)"
            )
        for name, values in self.given:
            if isinstance(values, When):
                raise UsageError(
                    f"the condition on `{safe_text(name)}` must be a value, choice or range, got "
                    f"{values.describe()}"
                )

    def holds(self, values: Mapping[str, Value]) -> bool:
        """Return whether it exists beside these values."""
        return all(name in values and has(d, values[name]) for name, d in self.given)

    def to_unit(self, value: Value) -> float:
        """Return where `value` lies in [0, 1], where it exists."""
        return self.item.to_unit(value)

    def from_unit(self, unit: float) -> Value:
        """Return the value at `unit`, where it exists."""
        return self.item.from_unit(unit)

    def describe(self) -> str:
        """Return `when(..., name=...)`."""
        given = ", ".join(f"{safe_text(name)}={d.describe()}" for name, d in self.given)
        return f"when({self.item.describe()}, {given})"

    def count(self) -> int | None:
        """Return how many values it may have where it exists."""
        return self.item.count()

    def over(self, check: Callable[[object], Value]) -> When:
        """Return the distribution after `check` has accepted what is drawn from."""
        return When(self.item.over(check), self.given)


def when(distribution: object, **given: object) -> When:
    """Return a distribution that exists only where other names have the given values.

    Elsewhere the hyperparameter keeps its declared default and is no axis of the search.

    >>> from ._uniform import uniform
    >>> when(uniform(0.5, 0.99), optimizer=["momentum", "nesterov"]).describe()
    'when(uniform(0.5, 0.99), optimizer=choice(momentum, nesterov))'

    Args:
        distribution: a distribution, a list or a value, as in a space.
        given: name -> a value, a list of values or a range of which it must have one; all of them
            must hold.

    Raises:
        UsageError: when there is no condition, or it is none.
    """
    conditions = tuple((name, distribution_of(values)) for name, values in given.items())
    return When(distribution_of(distribution), conditions)
