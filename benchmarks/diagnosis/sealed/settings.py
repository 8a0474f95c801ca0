"""Sealed faults of a network's settings."""

from __future__ import annotations

from benchmarks.diagnosis.case import Case
from benchmarks.diagnosis.fault import Fault

ALL = ("checkers", "waveform", "friedman", "bits", "glyphs", "photos")
CURVED = ("checkers", "friedman", "bits", "glyphs")


def identity_grows(case: Case, scale: float, seed: int) -> Case:
    """Five hidden layers that start as a multiple of the identity, so that each enlarges.

    1.7 times when mild, 3 when medium, 10 when severe.
    """
    return case.with_settings(
        initializer="identity", initializer_scale=scale, hidden_units=(32,) * 5
    )


def named_small(case: Case, stack: tuple[int, float], seed: int) -> Case:
    """The initializer `small`, made for one hidden layer, in a stack.

    1.7 times as large in 3 hidden layers when mild, as it is in 4 when medium, in 7 when severe.
    """
    layers, scale = stack
    return case.with_settings(
        initializer="small", initializer_scale=scale, hidden_units=(32,) * layers
    )


def nearly_straight(case: Case, slope: float, seed: int) -> Case:
    """A leaky ReLU whose slope below zero was taken for one minus it.

    A slope of 0.9 when mild, 0.97 when medium, 0.999 when severe.
    """
    return case.with_settings(activation="leaky_relu", leaky_slope=slope)


def bottleneck(case: Case, units: tuple[int, ...], seed: int) -> Case:
    """A layer of a few units between wide ones: all must pass it.

    One of 2 units when mild, one of 1 when medium, two of 1 when severe.
    """
    return case.with_settings(hidden_units=units)


def rate_of_adam(case: Case, rate: float, seed: int) -> Case:
    """Plain descent at a rate that suits Adam.

    0.01 when mild, 0.002 when medium, 0.0002 when severe.
    """
    return case.with_settings(optimizer="sgd", learning_rate=rate)


def warms_up(case: Case, runs: float, seed: int) -> Case:
    """Warm-up epochs given in steps: the rate never gets near what was meant.

    The warm-up takes 5 runs when mild, 25 when medium, 150 when severe.
    """
    return case.with_settings(warmup_epochs=runs * case.number("epochs"))


def rate_of_many(case: Case, rate: float, seed: int) -> Case:
    """Descent with velocity at a rate that was tuned for thousands of rows a batch.

    0.08 when mild, 0.3 when medium, 2 when severe.
    """
    return case.with_settings(optimizer="velocity", momentum=0.9, learning_rate=rate)


def forgets(case: Case, beta: float, seed: int) -> Case:
    """Adam's two weights of the past exchanged in meaning: the scale is that of the last gradient.

    beta1 stays and beta2 is 0.3 when mild, 0.02 when medium, 0 when severe, at a rate of 0.015.
    """
    return case.with_settings(beta2=beta, learning_rate=0.015)


def falls_by_step(case: Case, strength: float, seed: int) -> Case:
    """A decay that was tuned by the step is applied by the epoch, in inverse time.

    A strength of 3 when mild, 30 when medium, 1000 when severe.
    """
    return case.with_settings(decay="inverse_time", decay_rate=strength)


def entries_clipped(case: Case, size: float, seed: int) -> Case:
    """Each entry of the gradient clipped, under descent with velocity.

    At 0.001 when mild, 0.0002 when medium, 0.00001 when severe.
    """
    return case.with_settings(
        optimizer="velocity", momentum=0.9, learning_rate=0.05, clip_value=size
    )


def absolute_penalty(case: Case, strength: float, seed: int) -> Case:
    """A penalty on the size of weights, per row where per table was meant.

    0.015 when mild, 0.04 when medium, 0.12 when severe.
    """
    return case.with_settings(l1=strength)


def all_at_once(case: Case, strength: float, seed: int) -> Case:
    """Penalty, dropout, noise and smoothing together, each of them bearable.

    Penalty 0.03, dropout 0.4, noise 0.4 and smoothing 0.2 when mild; 1.5 times as much when
    medium, twice when severe.
    """
    smoothing = 0.2 * strength if case.kind == "classification" else 0.0
    return case.with_settings(
        l2=0.03 * strength,
        dropout=0.4 * strength,
        input_noise=0.4 * strength,
        label_smoothing=smoothing,
    )


def tiny_batches(case: Case, rows: int, seed: int) -> Case:
    """Descent with velocity at 0.02 in batches of a few rows, whose gradients are mostly chance.

    4 rows when mild, 2 when medium, 1 when severe.
    """
    return case.with_settings(
        optimizer="velocity", momentum=0.9, learning_rate=0.02, batch_size=rows
    )


def whole_table(case: Case, epochs: int, seed: int) -> Case:
    """One step an epoch, on all rows, and no more epochs than with small batches.

    25 epochs when mild, 12 when medium, 4 when severe.
    """
    return case.with_settings(batch_size=len(case.train), epochs=epochs, patience=0)


FAULTS = (
    Fault("identity that grows", "init too large", identity_grows, (1.7, 3.0, 10.0), ALL,
          "initializer auto", "5 layers that enlarge 1.7, 3, 10 times"),
    Fault("small start in a stack", "init too small", named_small,
          ((3, 1.7), (4, 1.0), (7, 1.0)), ALL, "initializer auto",
          "1.7 times it in 3 hidden layers, as it is in 4 and 7"),
    Fault("leaky slope near 1", "no nonlinearity", nearly_straight, (0.9, 0.97, 0.999), CURVED,
          "activation relu", "slope 0.9, 0.97, 0.999"),
    Fault("bottleneck", "network too small", bottleneck,
          ((32, 2, 32), (32, 1, 32), (32, 1, 16, 1, 32)), CURVED, "bigger",
          "a layer of 2, of 1, two of 1 unit between wide ones"),
    Fault("descent at Adam's rate", "rate too low", rate_of_adam, (0.01, 0.002, 0.0002), ALL,
          "rate x 30", "0.01, 0.002, 0.0002"),
    Fault("warm-up longer than the run", "rate too low", warms_up, (5.0, 25.0, 150.0), ALL,
          "rate x 30", "5, 25, 150 runs long"),
    Fault("rate of large batches", "rate too high", rate_of_many, (0.08, 0.3, 2.0), ALL,
          "rate / 30", "0.08, 0.3, 2 with a velocity of 0.9"),
    Fault("Adam that forgets the scale", "rule misconfigured", forgets, (0.3, 0.02, 0.0), ALL,
          "optimizer defaults", "beta2 0.3, 0.02, 0 at a rate of 0.015"),
    Fault("rate falls by the step", "rate falls too early", falls_by_step, (3.0, 30.0, 1000.0),
          ALL, "constant rate", "inverse time of strength 3, 30, 1000"),
    Fault("entries clipped", "clipped too hard", entries_clipped, (0.001, 0.0002, 0.00001), ALL,
          "no clipping", "at 0.001, 0.0002, 0.00001"),
    Fault("penalty on sizes", "regularized too much", absolute_penalty, (0.015, 0.04, 0.12), ALL,
          "no regularizing", "l1 0.015, 0.04, 0.12"),
    Fault("all regularizers at once", "regularized too much", all_at_once, (1.0, 1.5, 2.0), ALL,
          "no regularizing", "4 kinds, 1, 1.5, 2 times what is bearable"),
    Fault("batches of a few rows", "batch too small", tiny_batches, (4, 2, 1), ALL,
          "batch of 64", "4, 2, 1 rows, descent with velocity"),
    Fault("one step an epoch", "trained too short", whole_table, (25, 12, 4), ALL, "batch of 64",
          "the whole table, 25, 12, 4 times"),
)  # fmt: skip
