"""What an experiment costs, and which of its arms a budget has room for.

What is decided here rests on fixed assumptions about the machine, as all plans do.
"""

from __future__ import annotations

from collections.abc import Sequence

from deepwell.data._batches import steps_per_epoch
from deepwell.execution._members import architecture_of
from deepwell.execution._planner import Machine, Shape
from deepwell.records import TrialSpec

# Multiply-adds that a step takes beside its products, and one for each parameter, as twins count.
_STEP, _UPDATE = 300_000, 10


def epoch_work(spec: TrialSpec, shape: Shape) -> float:
    """Return what an epoch of a network takes, in multiply-adds."""
    network = architecture_of(spec, shape.inputs, shape.outputs, shape.loss, shape.image)
    steps = steps_per_epoch(shape.train_rows, spec.whole("batch_size"))
    products = network.multiply_adds() * shape.train_rows
    products += network.forward_multiply_adds() * shape.dev_rows
    return float(products + steps * (_STEP + _UPDATE * network.parameters))


def arm_seconds(spec: TrialSpec, shape: Shape, machine: Machine, folds: int) -> float:
    """Return the assumed seconds of one replicate of an arm, all cores at work."""
    return epoch_work(spec, shape) * spec.whole("epochs") * folds / machine.multiply_adds


def experiment_seconds(base: float, arms: Sequence[float], rungs: Sequence[int]) -> float:
    """Return the seconds of an experiment in which half of the arms are given up at each rung.

    Args:
        base: of a replicate of the unchanged network.
        arms: of a replicate of each arm.
        rungs: replicates, rising.
    """
    before, share, total = 0, 1.0, 0.0
    for rung in rungs:
        total += (rung - before) * (base + share * sum(arms))
        before, share = rung, share / 2
    return total


def affordable_arms(
    base: float, arms: Sequence[float], rungs: Sequence[int], seconds: float
) -> list[int]:
    """Return the places of the arms that a time has room for, from the front of the recipe.

    An arm that is too dear is passed over, so that cheaper ones behind it are tried.
    """
    chosen: list[int] = []
    for place in range(len(arms)):
        wanted = [arms[p] for p in (*chosen, place)]
        if experiment_seconds(base, wanted, rungs) <= seconds:
            chosen.append(place)
    return chosen
