"""Where a network's numbers stopped being finite."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NonFinite:
    """The first operation in the training of a network that made a NaN or an infinity.

    Attributes:
        trial: number of the network.
        epoch: in which it happened, counted from 1.
        step: the update step, counted from 1 over all epochs.
        operation: in words, as in `weighted sums`, `gradient of the weights`, `update by adam`.
        direction: `forward`, `backward`, or `update` for penalties, clipping and the optimizer.
        layer: where, as in `hidden 2`; empty where it is of no layer, as a mean loss.
        detail: the sizes around it, in words.
        layers: names of the network's layers, first to last.
        steps: the update steps before it after which the weights were measured, first to last.
        weight_norms: of each layer the Euclidean norm of its weights after each of `steps`.
    """

    trial: int
    epoch: int
    step: int
    operation: str
    direction: str
    layer: str
    detail: str
    layers: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    weight_norms: tuple[tuple[float, ...], ...] = ()

    def where(self) -> str:
        """Return the operation, its layer and when, as in `update by adam of hidden 2 (...)`."""
        of = f" of {self.layer}" if self.layer else ""
        return f"{self.operation}{of} ({self.direction}, epoch {self.epoch}, step {self.step:,})"
