"""How much work a round is, in multiply-adds and seconds; how many networks fit a time.

What is decided here rests on fixed assumptions about the machine and on nothing measured, so
that the same arguments give the same study; measured speed only improves what is shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from deepwell.data._batches import steps_per_epoch
from deepwell.execution._members import architecture_of
from deepwell.execution._planner import Machine, Plan, Shape
from deepwell.records import Rung, Trial, TrialSpec

USUAL_TRIALS = (256, 128, 64, 32, 16)
USUAL_SECONDS = 60.0
_CONVOLUTION = 2.0
_STEP = {"native": 1.5e5, "jax": 7.5e5}
_LEAST_ROUND, _FIRST_ROUND, _LARGEST_ROUND = 8, 32, 256
_GROWTH = 8  # of all networks so far, the share that a round may be


def multiply_adds(spec: TrialSpec, shape: Shape) -> float:
    """Return the useful multiply-adds of one epoch of a network."""
    network = architecture_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)
    return float(network.multiply_adds() * shape.train_rows)


def epochs_a_network(rungs: Sequence[Rung]) -> float:
    """Return the epochs that a proposal trains on average when nothing stops early.

    >>> epochs_a_network([Rung(5, 9), Rung(15, 3)])
    8.333333333333334
    """
    before = (0, *(r.epochs for r in rungs[:-1]))
    total = sum(r.networks * (r.epochs - b) for r, b in zip(rungs, before, strict=True))
    return total / rungs[0].networks


def seconds_a_network(
    specs: Mapping[int, TrialSpec], shape: Shape, epochs: float, machine: Machine
) -> float:
    """Return the assumed training time of one proposal, all cores at work."""
    mean = sum(multiply_adds(s, shape) for s in specs.values()) / len(specs)
    return mean * epochs / machine.multiply_adds


def equivalent_work(spec: TrialSpec, shape: Shape, program: str) -> float:
    """Return what an epoch of a network takes, in multiply-adds of large dense layers.

    Measured on 2 cores of a server CPU: a multiply-add of a convolution takes about twice as long,
    and a step 10 us of a core in the native program and 100 us in the JAX program, whatever the
    network. Small networks are all steps: without these a rate that they reached says nothing of
    large ones.

    Args:
        spec: the network.
        shape: data and task.
        program: `native` or `jax`.
    """
    product = _CONVOLUTION if spec.conv_channels else 1.0
    steps = steps_per_epoch(shape.train_rows, spec.whole("batch_size"))
    return product * multiply_adds(spec, shape) + steps * _STEP[program]


def expected_seconds(planned: Plan, work: float, machine: Machine, rate: float | None) -> float:
    """Return the time that a plan is expected to take.

    Args:
        planned: the programs.
        work: of all epochs, by `equivalent_work`.
        machine: assumed speeds.
        rate: of such work a second that this machine reached last time, if known.
    """
    compiling = machine.compile_seconds * len(planned.buckets)
    if rate is not None:
        return compiling + work / rate
    padding = planned.executed / planned.useful if planned.useful else 1.0
    return compiling + padding * work / machine.multiply_adds


def default_trials(seconds: float) -> int:
    """Return the largest usual number of trials that takes about a minute, at least 16.

    Args:
        seconds: of one proposal.

    >>> default_trials(0.01), default_trials(1.0)
    (256, 32)
    """
    return next((n for n in USUAL_TRIALS if n * seconds <= USUAL_SECONDS), USUAL_TRIALS[-1])


def round_size(seconds_left: float, seconds: float, share: float = 0.5, done: int = 0) -> int:
    """Return the networks of the next round under a time budget, 0 when none fits any more.

    Half of the time that is left, so that a misjudged round does not starve the next ones, or less
    where the next ones are to learn from it. At most 32 at first, since nothing is finished before
    a whole round is; later an eighth of all networks so far, up to 256, since every round costs
    time of its own, and more the more there were. Fewer than 8 that fit are the last round.

    Args:
        seconds_left: of the budget.
        seconds: of one proposal.
        share: of the time that is left.
        done: networks so far.

    >>> round_size(60.0, 0.001), round_size(60.0, 0.001, done=1_000), round_size(1.0, 0.5)
    (32, 125, 2)
    """
    fitting = seconds_left / max(seconds, 1e-9)
    if fitting < _LEAST_ROUND:
        return max(0, math.floor(fitting))
    largest = max(_FIRST_ROUND, min(_LARGEST_ROUND, done // _GROWTH))
    return max(_LEAST_ROUND, min(largest, math.floor(fitting * share)))


def trained_work(trials: Sequence[Trial], shape: Shape, program: str) -> float:
    """Return the work of all epochs that were trained, by `equivalent_work`."""
    return sum(equivalent_work(t.spec, shape, program) * t.epochs for t in trials)


def trained_multiply_adds(trials: Sequence[Trial], shape: Shape) -> float:
    """Return the useful multiply-adds of all epochs that were trained."""
    return sum(multiply_adds(t.spec, shape) * t.epochs for t in trials)
