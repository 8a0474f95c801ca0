"""What is declared of a hyperparameter."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ._constraints import Constraint

Value: TypeAlias = float | int | str | tuple[int, ...] | tuple[float, ...]


@dataclass(frozen=True)
class Hyperparameter:
    """One declaration.

    Attributes:
        name: the field's standard term, as in `learning_rate`.
        constraint: the values that are allowed.
        default: what a trial gets when nothing is said; None where it depends on another
            value (see `complete` in `_hyperparameters.py`).
        doc: one sentence for help texts and docs.
        structural: True when the value shapes the program; False when it is a number that may
            differ between the members of one program.
        tip: what to do about a wrong value, for the error message.
    """

    name: str
    constraint: Constraint
    default: Value | None
    doc: str
    structural: bool = False
    tip: str = ""
