"""A further network of a model that averages several."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from deepwell.networks._architecture import Architecture
from deepwell.records import from_plain


@dataclass(frozen=True, eq=False)
class Companion:
    """A network whose predictions count beside those of a model's own.

    Attributes:
        architecture: the network.
        parameters: as a model's.
        share: how much of the average it is, between 0 and 1; the model's own is what is left.
    """

    architecture: Architecture
    parameters: Mapping[str, np.ndarray]
    share: float

    def to_plain(self) -> dict[str, Any]:
        """Return all but the arrays, for JSON."""
        return {"architecture": asdict(self.architecture), "share": self.share}

    def arrays(self, number: int) -> dict[str, np.ndarray]:
        """Return the arrays under names of this companion's own."""
        return {f"{_start(number)}{name}": array for name, array in self.parameters.items()}


def companion_of(plain: Any, arrays: Mapping[str, np.ndarray], number: int) -> Companion:
    """Return what `to_plain` and `arrays` told."""
    start = _start(number)
    mine = {k.removeprefix(start): a for k, a in arrays.items() if k.startswith(start)}
    return Companion(from_plain(Architecture, plain["architecture"]), mine, float(plain["share"]))


def _start(number: int) -> str:
    return f"companions/{number}/"
