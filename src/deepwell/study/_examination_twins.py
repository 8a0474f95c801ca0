"""Healthy twins of a network: what makes it one, how their rates rank, what is inside all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from deepwell._base._hyperparameters import default_initializer
from deepwell.checking._arms import Arm, Bench
from deepwell.diagnosis._changes import healthy
from deepwell.diagnosis._layer_symptoms import Sight
from deepwell.execution._probe_record import probe_record
from deepwell.records import QUANTILES
from deepwell.training._program import Member, State


def starts_as_twins(values: Mapping[str, object]) -> bool:
    """Return whether the initial weights have the distribution that those of healthy twins have."""
    twin = healthy(values, 1e-3, True)
    usual = values["initializer"] == default_initializer(str(values["activation"]))
    alike = twin["activation"] == values["activation"]
    return alike and usual and values["initializer_scale"] == 1.0


def probes_of(
    bench: Bench,
    members: Sequence[Member],
    states: Sequence[State],
    dev_rows: int | None = None,
) -> list[Sight]:
    """Return what is inside networks, numbered from 0."""
    found = bench.look(members, states, QUANTILES, dev_rows)
    return [
        Sight(probe_record(inside, n, int(state["epoch"]), int(state["step"])), inside.flat)
        for n, (state, inside) in enumerate(zip(states, found, strict=True))
    ]


def rank_of(courses: Sequence[Arm]) -> tuple[float, float]:
    """Return what rates are ranked by: their runs' mean score, then their mean cost."""
    costs = [np.nanmin(c.dev_cost) if np.isfinite(c.dev_cost).any() else math.inf for c in courses]
    return float(np.mean([c.score for c in courses])), float(np.mean(costs))


def differing(twin: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Return what makes the network its twin."""
    usual = default_initializer(str(twin["activation"]))
    started = values["initializer"] == usual and values["initializer_scale"] == 1.0
    alike = {name for name, value in twin.items() if value == values.get(name)}
    alike |= {"initializer"} if started else set()
    return {name: value for name, value in twin.items() if name not in alike}
