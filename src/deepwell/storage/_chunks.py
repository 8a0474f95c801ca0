"""Chunks: the curves of a whole population, one block a metric, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

import numpy as np
import sqlalchemy as sa

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text
from deepwell.records import ChunkRecord, Trial

from ._probes import insert_probes
from ._schema import CHUNK, CURVE, FLOATS, NUMBERS, STEPS
from ._trials import improve_best, raise_epochs, set_statuses

COPIED = -1
"""In place of a population: epochs that were copied from another trial, not trained."""

RANKING = ("dev_score", "dev_cost")
"""Metrics that rank epochs and trials: the first decides, the second breaks ties."""


def insert_chunk(
    connection: sa.Connection, study_id: int, population: int, chunk: ChunkRecord
) -> None:
    """Record a chunk's curves and probes, the trials' summaries and their new statuses.

    A trial has trained the epoch when at least one of its metrics is not NaN.

    Raises:
        UsageError: when arrays disagree in their sizes or a ranking metric is missing.
        StudyError: when a trial was never proposed.
    """
    numbers = np.asarray(chunk.trials).astype(NUMBERS)
    blocks = _blocks(chunk, numbers.size)
    row = {
        "study_id": study_id,
        "population": int(population),
        "epoch": int(chunk.epoch),
        "trials": numbers.tobytes(),
        "steps": np.asarray(chunk.steps).astype(STEPS).tobytes(),
    }
    chunk_id = connection.execute(sa.insert(CHUNK).returning(CHUNK.c.id), row).scalar_one()
    rows = [
        {"chunk_id": chunk_id, "metric": metric, "block": block.tobytes()}
        for metric, block in blocks.items()
    ]
    connection.execute(sa.insert(CURVE), rows)
    insert_probes(connection, study_id, chunk.probes, chunk_id)
    raise_epochs(connection, study_id, numbers[_trained(blocks)].tolist(), int(chunk.epoch))
    score, cost = (blocks[metric] for metric in RANKING)
    ranked = np.isfinite(score) & ~np.isnan(cost)
    pairs = zip(score[ranked].tolist(), cost[ranked].tolist(), strict=True)
    scored = [(n, s, c) for n, (s, c) in zip(numbers[ranked].tolist(), pairs, strict=True)]
    improve_best(connection, study_id, int(chunk.epoch), scored)
    set_statuses(connection, study_id, chunk.statuses)


def read_curves(
    connection: sa.Connection, study_id: int, trials: list[Trial]
) -> list[dict[str, np.ndarray]]:
    """Return metric name -> (epochs,) float32 for each trial, first epoch first.

    An epoch that was recorded twice counts as it was recorded last; one that is missing is NaN.

    Args:
        connection: the one that read the trials, so that both see the same state.
        study_id: the study.
        trials: all its trials from one on, in the order of their numbers.
    """
    if not trials:
        return []
    first = trials[0].number
    numbers = np.array([trial.number for trial in trials], dtype=np.int64)
    ends = np.cumsum([trial.epochs for trial in trials], dtype=np.int64)
    starts = ends - np.array([trial.epochs for trial in trials], dtype=np.int64)
    flat: dict[str, np.ndarray] = {}  # metric -> all trials' curves one after another
    for chunk in _read_blocks(connection, study_id):
        trained = _trained(chunk.blocks) & (chunk.trials >= first)
        member = np.searchsorted(numbers, chunk.trials[trained])
        at = starts[member] + chunk.epoch - 1
        for metric, block in chunk.blocks.items():
            if metric not in flat:
                flat[metric] = np.full(int(ends[-1]), np.nan, np.float32)
            flat[metric][at] = block[trained]
    return [
        {metric: values[start:end].copy() for metric, values in flat.items()}
        for start, end in zip(starts, ends, strict=True)
    ]


def read_curves_of(connection: sa.Connection, study_id: int, trial: Trial) -> dict[str, np.ndarray]:
    """Return metric name -> (epochs,) float32 of one trial, as `read_curves` does of all."""
    curves: dict[str, np.ndarray] = {}
    for chunk in _read_blocks(connection, study_id):
        at = np.flatnonzero(chunk.trials == trial.number)
        late = chunk.epoch > trial.epochs  # recorded since the trial was read
        if late or not len(at) or not _trained(chunk.blocks)[at[0]]:
            continue
        for metric, block in chunk.blocks.items():
            curve = curves.setdefault(metric, np.full(trial.epochs, np.nan, np.float32))
            curve[chunk.epoch - 1] = block[at[0]]
    return curves


def read_last(connection: sa.Connection, study_id: int) -> dict[str, np.ndarray]:
    """Return metric name -> (P,) float32 of the epoch that was recorded last, quickly."""
    last = (
        sa.select(CHUNK.c.id)
        .where(CHUNK.c.study_id == study_id, CHUNK.c.population != COPIED)
        .order_by(CHUNK.c.id.desc())
        .limit(1)
    )
    query = sa.select(CURVE.c.metric, CURVE.c.block).where(
        CURVE.c.chunk_id == last.scalar_subquery()
    )
    return {row.metric: np.frombuffer(row.block, FLOATS) for row in connection.execute(query)}


@dataclass(frozen=True)
class _Blocks:
    epoch: int
    trials: np.ndarray
    blocks: Mapping[str, np.ndarray]


def _read_blocks(connection: sa.Connection, study_id: int) -> Iterator[_Blocks]:
    query = (
        sa.select(CHUNK.c.id, CHUNK.c.epoch, CHUNK.c.trials, CURVE.c.metric, CURVE.c.block)
        .join(CURVE, CURVE.c.chunk_id == CHUNK.c.id)
        .where(CHUNK.c.study_id == study_id)
        .order_by(CHUNK.c.id, CURVE.c.metric)
    )
    for _, group in groupby(connection.execute(query), key=lambda row: row.id):
        rows = list(group)
        yield _Blocks(
            epoch=rows[0].epoch,
            trials=np.frombuffer(rows[0].trials, NUMBERS),
            blocks={row.metric: np.frombuffer(row.block, FLOATS) for row in rows},
        )


def _blocks(chunk: ChunkRecord, members: int) -> dict[str, np.ndarray]:
    missing = [metric for metric in RANKING if metric not in chunk.metrics]
    if missing:
        raise UsageError(f"a chunk must have the metric {missing[0]}, got {sorted(chunk.metrics)}")
    for name, values in {**chunk.metrics, "steps": chunk.steps}.items():
        if np.shape(values) != (members,):
            raise UsageError(
                f"`{safe_text(name)}` of a chunk of {members} trials must have the shape "
                f"({members},), got {np.shape(values)}"
            )
    with np.errstate(over="ignore"):  # beyond float32 a cost is infinite
        return {m: np.asarray(values).astype(FLOATS) for m, values in chunk.metrics.items()}


def _trained(blocks: Mapping[str, np.ndarray]) -> np.ndarray:
    return ~np.all([np.isnan(block) for block in blocks.values()], axis=0)
