"""One network trained alone on all rows, with no rows left to choose by."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping

import numpy as np

from deepwell.data._data import Data
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.records import TrialSpec
from deepwell.training._program import Outcome, State

from ._arrays import shape_of, training_rows


def trained_on_all(
    program: str, spec: TrialSpec, epochs: int, whole: Data, watched: tuple[str, int | None]
) -> State | str:
    """Return the state of a configuration after training on all rows, or what went wrong.

    Args:
        program: what trains.
        spec: the configuration; it neither stops early nor belongs to a fold.
        epochs: to train.
        whole: data whose train rows are all rows.
        watched: the metric, and bytes for rows and networks, None for no bound.
    """
    metric, memory = watched
    alone = TrialSpec(
        {**spec.hyperparameters, "patience": 0}, spec.seed, spec.order_seed, spec.dtype
    )
    rows, shape = training_rows(whole), shape_of(whole, metric)
    with contextlib.closing(LocalEngine(rows, shape, choose_backend(program), memory)) as trainer:
        trainer.prepare({0: alone}, trainer.plan({0: alone}, epochs))
        for _ in trainer.train([0], epochs, lambda: False):
            pass
        held = trainer.states([0])
        state = dict(held[0]) if 0 in held else None
    if state is None or trainer.take_shortages():
        return "memory ran out"
    return "it diverged" if int(state["outcome"]) == Outcome.DIVERGED else state


def last_parameters(state: State) -> Mapping[str, np.ndarray]:
    """Return the parameters at the end of the training, under their plain names."""
    names = [name.removeprefix("best/") for name in state if name.startswith("best/")]
    return {name: state[name] for name in names}
