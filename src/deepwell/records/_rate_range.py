"""What a learning-rate range test showed: many rates, each trained for a short time."""

from __future__ import annotations

from dataclasses import dataclass

from ._estimate import Estimate


@dataclass(frozen=True)
class RateRange:
    """A range test of one network.

    Attributes:
        rates: learning rates that were trained, rising.
        costs: mean train cost at the end of each, over the runs; infinite where one diverged.
        start: train cost before the first step.
        recommended: the rate to train with, with its interval over seeds; None where refused.
        low, high: the rates worth searching around it.
        steepest: at which the cost at the end falls fastest with the rate; None where it never
            falls.
        edge: lowest rate from which on training diverges; None where none does.
        refusal: why there is no recommendation, as the end of a sentence; empty where there is.
        note: what a reader should know beside it, or empty.
        epochs: that each was trained; of `full_epochs` that the network is to be trained.
        runs: seeds of each rate.
        network: in words.
        seconds: that it took.
    """

    rates: tuple[float, ...]
    costs: tuple[float, ...]
    start: float
    recommended: Estimate | None = None
    low: float = 0.0
    high: float = 0.0
    steepest: float | None = None
    edge: float | None = None
    refusal: str = ""
    note: str = ""
    epochs: int = 0
    full_epochs: int = 0
    runs: int = 0
    network: str = ""
    seconds: float = 0.0
