"""What was seen when one network of a study took its first steps."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class StartLoss:
    """The mean loss of the train rows before the first step, weights of rows included.

    Attributes:
        loss: of the network with its own seed; mean: over `seeds` seeds.
        constant: of the best constant guess, by class shares (or the variance) and weights.
        zero: of outputs that are all 0, about which a network starts.
        healthy: mean over as many seeds of the same network with its activation's initializer.
        limit: highest loss that the mean and spread of these allow one more of them.
        seeds: as said.
    """

    loss: float
    mean: float
    constant: float
    zero: float
    healthy: float
    limit: float
    seeds: int


@dataclass(frozen=True)
class GradientError:
    """How far the program's gradient is from differences of its costs, in float64.

    Attributes:
        error: of the worst block, `|numeric - exact| / (|numeric| + |exact|)` along a direction.
        block: the worst one, as in `weights/1`; blocks: how many were looked at.
        wrong: those that no choice of points brought below the threshold.
        threshold: relative error from which a block is wrong.
    """

    error: float
    block: str
    blocks: int
    threshold: float
    wrong: tuple[str, ...] = ()


@dataclass(frozen=True)
class FewRows:
    """An attempt to learn a few rows by heart, at several learning rates side by side.

    Attributes:
        rows: how many.
        fitted: whether the mean loss of some steps fell below the threshold.
        loss: the least such mean; threshold: that of one row left unfitted.
        constant: that of the best constant guess on these rows.
        steps: taken until then, or all.
        optimizer, learning_rate: of the attempt that came lowest.
    """

    rows: int
    fitted: bool
    loss: float
    threshold: float
    constant: float
    steps: int
    optimizer: str
    learning_rate: float


@dataclass(frozen=True)
class InputsUsed:
    """A network trained on the inputs against the same one trained on zeros, on dev rows.

    Attributes:
        real, zeroed: mean losses; difference: zeroed less real, low, high: its 95 % interval.
        p_value: chance of such a difference if the inputs were of no use, over all comparisons;
            certain: below which they are of use.
        steps: taken by both; rows: of dev that were compared.
        linear_p: the same chance for a linear model against a constant; 1 where it was not asked.
        varying: inputs that are not the same in all rows.
        explained_high: share of the train targets' squared error that simple models explain at
            most, rows predicted from one another; infinite where it was not asked.
    """

    real: float
    zeroed: float
    difference: float
    low: float
    high: float
    p_value: float
    steps: int
    rows: int
    linear_p: float
    varying: int
    certain: float
    explained_high: float = math.inf


@dataclass(frozen=True)
class RowsMixed:
    """What a batch gives more or less than its parts by themselves.

    Attributes:
        error: of cost and gradient, as a share of them; threshold: what rounding explains.
    """

    error: float
    threshold: float


@dataclass(frozen=True)
class FirstSteps:
    """The checks before training, on one network that stands for the population.

    Attributes:
        trial: its number; network: it in words; parameters: numbers that are trained.
        program: what made the measurements, `native` or `jax`.
        rows: train rows that were looked at.
        start, gradient, fits, inputs, mixed: as their classes say; None or empty where left out.
        moved: share of the output layer's weights that the network's own optimizer and rate moved,
            of those that can move; NaN where it was not tried.
        alike: of each hidden layer, the share of its units that are like the first one.
        left_out: a few words for each check that was not made, with the reason.
        learning_rate, initializer, initializer_scale, activation, batch_norm: of the network.
        seconds: that the checks took.
    """

    trial: int
    network: str
    parameters: int
    program: str
    rows: int = 0
    start: StartLoss | None = None
    gradient: GradientError | None = None
    fits: tuple[FewRows, ...] = ()
    moved: float = math.nan
    inputs: InputsUsed | None = None
    mixed: RowsMixed | None = None
    alike: tuple[float, ...] = ()
    left_out: tuple[str, ...] = ()
    learning_rate: float = math.nan
    initializer: str = ""
    initializer_scale: float = 1.0
    activation: str = ""
    batch_norm: str = ""
    seconds: float = 0.0
