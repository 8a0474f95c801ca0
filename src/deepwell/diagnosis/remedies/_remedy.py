"""The contract of a remedy: from what a network is to what would be changed, or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from deepwell._base._hyperparameters import Value

Change = Mapping[str, object]


@dataclass(frozen=True)
class Patient:
    """A network that remedies are for.

    Attributes:
        values: all its hyperparameters.
        task: `classification` or `regression`.
        image: height, width and channels of a row, empty where it is no image.
        convolves: whether the program that trains it can train convolutions and augment images.
    """

    values: Mapping[str, Value]
    task: str = "classification"
    image: tuple[int, ...] = ()
    convolves: bool = False

    def number(self, name: str) -> float:
        """Return a hyperparameter that is a number."""
        return float(cast(float, self.values[name]))

    def whole(self, name: str) -> int:
        """Return a hyperparameter that is a whole number."""
        return int(cast(int, self.values[name]))

    def text(self, name: str) -> str:
        """Return a hyperparameter that is a name."""
        return str(self.values[name])

    @property
    def units(self) -> tuple[int, ...]:
        """Units of each hidden layer."""
        return cast(tuple[int, ...], self.values["hidden_units"])

    @property
    def channels(self) -> tuple[int, ...]:
        """Channels of each convolutional layer."""
        return cast(tuple[int, ...], self.values["conv_channels"])

    @property
    def dropout(self) -> tuple[float, ...]:
        """Dropout rate of each hidden layer."""
        rates = self.values["dropout"]
        if isinstance(rates, tuple):
            return tuple(float(cast(float, rate)) for rate in rates)
        return (float(cast(float, rates)),) * len(self.units)


@dataclass(frozen=True)
class Remedy:
    """One remedy.

    Attributes:
        name: stable, as in `bigger`.
        kind: the error that it is for: `bias`, `optimization`, `variance` or `architecture`.
        doc: what it does and why, in a sentence.
        change: what it changes in a network; None where it does not apply.
    """

    name: str
    kind: str
    doc: str
    change: Callable[[Patient], Change | None]


def rounded(value: float) -> float:
    """Return a number with three digits, as people write it."""
    return float(f"{value:.3g}")
