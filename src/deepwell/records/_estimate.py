"""A figure with its uncertainty."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Estimate:
    """A value with the ends of its interval (95 % unless said otherwise), in the same unit."""

    value: float
    low: float
    high: float

    def to_plain(self) -> dict[str, float]:
        """Return `{"value", "low", "high"}` for JSON."""
        return {"value": self.value, "low": self.low, "high": self.high}
