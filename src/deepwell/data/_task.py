"""What is predicted: a class or a number."""

from __future__ import annotations

from dataclasses import dataclass

KINDS = ("classification", "regression")


@dataclass(frozen=True)
class Task:
    """The kind of target, with the labels where there are any.

    >>> Task("classification", ("no", "yes")).loss
    'logistic'

    Attributes:
        kind: `classification` or `regression`.
        classes: labels as text, in the order of the outputs; empty for regression.
    """

    kind: str
    classes: tuple[str, ...] = ()

    @property
    def outputs(self) -> int:
        """Output units: 1 for a number and for two classes (logistic), else one a class."""
        return len(self.classes) if len(self.classes) > 2 else 1

    @property
    def loss(self) -> str:
        """The loss that fits the outputs: `squared`, `logistic` or `softmax`."""
        if self.kind == "regression":
            return "squared"
        return "softmax" if len(self.classes) > 2 else "logistic"
