"""Chunks: the curves of a whole population, one block a metric, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, groupby

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

_AT_ONCE = 500  # chunks that one statement names

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
    connection: sa.Connection, study_id: int, trials: Sequence[Trial]
) -> list[dict[str, np.ndarray]]:
    """Return metric name -> (epochs,) float32 for each trial, first epoch first.

    An epoch that was recorded twice counts as it was recorded last; one that is missing is NaN.

    Args:
        connection: the one that read the trials, so that both see the same state.
        study_id: the study.
        trials: all its trials from one on, in the order of their numbers.
    """
    return _curves(trials, _read_blocks(connection, study_id)) if trials else []


def read_curves_of(
    connection: sa.Connection, study_id: int, trials: Sequence[Trial]
) -> list[dict[str, np.ndarray]]:
    """Return the same of some trials: only the epochs are read in which one of them trained.

    Args:
        connection: to the store.
        study_id: the study.
        trials: some of its trials, in the order of their numbers; what was recorded since they
            were read is left out.
    """
    if not trials:
        return []
    numbers = np.array([trial.number for trial in trials], np.int64)
    last = max(trial.epochs for trial in trials)
    query = sa.select(CHUNK.c.id, CHUNK.c.trials).where(
        CHUNK.c.study_id == study_id, CHUNK.c.epoch <= last
    )
    found = [
        row.id
        for row in connection.execute(query.order_by(CHUNK.c.id))
        if np.isin(np.frombuffer(row.trials, NUMBERS), numbers).any()
    ]
    parts = (found[at : at + _AT_ONCE] for at in range(0, len(found), _AT_ONCE))
    read = (_read_blocks(connection, study_id, CHUNK.c.id.in_(part)) for part in parts)
    return _curves(trials, chain.from_iterable(read))


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


def _curves(trials: Sequence[Trial], chunks: Iterable[_Blocks]) -> list[dict[str, np.ndarray]]:
    """Return the curves of trials, which come in the order of their numbers, from epochs.

    What belongs to other trials, or came after the epochs that a trial is known to have, is left
    out.
    """
    numbers = np.array([trial.number for trial in trials], dtype=np.int64)
    epochs = np.array([trial.epochs for trial in trials], dtype=np.int64)
    ends = np.cumsum(epochs)
    starts = ends - epochs
    flat: dict[str, np.ndarray] = {}  # metric -> all trials' curves one after another
    for chunk in chunks:
        member = np.minimum(np.searchsorted(numbers, chunk.trials), len(numbers) - 1)
        known = (numbers[member] == chunk.trials) & (chunk.epoch <= epochs[member])
        trained = _trained(chunk.blocks) & known
        at = starts[member[trained]] + chunk.epoch - 1
        for metric, block in chunk.blocks.items():
            if metric not in flat:
                flat[metric] = np.full(int(ends[-1]), np.nan, np.float32)
            flat[metric][at] = block[trained]
    return [
        {metric: values[start:end].copy() for metric, values in flat.items()}
        for start, end in zip(starts, ends, strict=True)
    ]


def _read_blocks(
    connection: sa.Connection, study_id: int, which: sa.ColumnElement[bool] | None = None
) -> Iterator[_Blocks]:
    """Yield a study's epochs, all or those of some chunks, in the order of recording."""
    query = (
        sa.select(CHUNK.c.id, CHUNK.c.epoch, CHUNK.c.trials, CURVE.c.metric, CURVE.c.block)
        .join(CURVE, CURVE.c.chunk_id == CHUNK.c.id)
        .where(CHUNK.c.study_id == study_id, sa.true() if which is None else which)
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
