"""Networks that no other one of a study beats in error, size and time to predict."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from deepwell.execution._members import architecture_of
from deepwell.networks._architecture import Architecture
from deepwell.networks._forward import predictions
from deepwell.records import Status, Trial
from deepwell.search._pareto import pareto_front
from deepwell.search.schedulers._across_folds import configurations

from ._finished import FinishedStudy

ROWS = 1000
"""Rows whose predictions are timed."""

_REPEATS = 7
_TIMED = 32  # networks whose predictions are timed; of more the front says their work alone


def pareto_rows(study: FinishedStudy) -> list[dict[str, Any]]:
    """Return one row a network of the front, the best score first.

    `number`, `score` (in the metric's unit), `parameters` (numbers that training
    moved), `multiply_adds` of a row's prediction, and `microseconds` a row that the
    prediction of 1,000 rows takes here: the median of 7, by one thread and the arithmetic of a
    saved model. The time depends on the layers and not on the weights, so it is taken with random
    ones; of a front of more than 32 networks it is NaN for all but the first 32.
    """
    folds = study.settings.folds
    trials = study.trials()
    told = configurations(trials, folds) if folds else trials
    scored = [t for t in told if np.isfinite(t.score) and t.status is not Status.FAILED]
    if not scored:
        return []
    model = study.model().architecture
    networks = [_network(trial, model) for trial in scored]
    work = [network.forward_multiply_adds() for network in networks]
    sizes = [network.parameters for network in networks]
    on_front = pareto_front(
        np.column_stack([[trial.score for trial in scored], sizes, work]).astype(np.float64)
    )
    order = sorted(np.flatnonzero(on_front), key=lambda i: (scored[i].score, sizes[i], work[i]))
    return [
        {
            "number": scored[i].number,
            "score": scored[i].score,
            "parameters": sizes[i],
            "multiply_adds": work[i],
            "microseconds": _microseconds(networks[i]) if place < _TIMED else float("nan"),
            "hidden_units": list(networks[i].hidden),
        }
        for place, i in enumerate(order)
    ]


def pareto_frame(study: FinishedStudy) -> Any:
    """Return the same as a Polars frame."""
    import polars as pl

    columns: Mapping[str, Any] = {
        "number": pl.Int64,
        "score": pl.Float64,
        "parameters": pl.Int64,
        "multiply_adds": pl.Int64,
        "microseconds": pl.Float64,
        "hidden_units": pl.List(pl.Int64),
    }
    return pl.DataFrame(pareto_rows(study), columns)


def _network(trial: Trial, model: Architecture) -> Architecture:
    """Return the layers of a trial on the inputs and outputs of the study's model."""
    image = () if model.front is None else model.front.image
    return architecture_of(trial.spec, model.inputs, model.outputs, model.loss, image)


def _microseconds(network: Architecture) -> float:
    """Return the time of a row's prediction among many, the median of several."""
    generator = np.random.default_rng(0)
    shapes = {**network.parameter_shapes(), **network.statistic_shapes()}
    parameters = {
        name: (0.1 * np.abs(generator.standard_normal(shape))).astype(np.float32) + 0.01
        for name, shape in shapes.items()
    }
    rows = generator.standard_normal((ROWS, network.inputs)).astype(np.float32)
    predictions(network, parameters, rows)
    taken: list[float] = []
    for _ in range(_REPEATS):
        begin = time.perf_counter()
        predictions(network, parameters, rows)
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken)) * 1e6 / ROWS
