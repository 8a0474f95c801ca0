"""Loading what does not fit in memory: column by column, once to understand, once to encode.

All that is decided (kinds, classes, copies, the split, what encoders fit) is decided from one
whole column at a time by the same functions as in memory, so it is the same. Encoded train rows
go to a file without a name, which ends with the process; test rows go to the vault alone.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import polars as pl
from polars.selectors import by_name

from ._column_kinds import column_kinds, input_kind
from ._column_plan import ColumnPlan, candidates, counted_notes, planned
from ._column_values import as_labels
from ._divide import divide
from ._gather import (
    Gathered,
    Labelled,
    given_rows,
    require_finite,
    require_rows,
    usable_columns,
    with_target,
)
from ._infer_task import infer_task
from ._load_options import LoadOptions
from ._memory import gigabytes
from ._prepared import Prepared
from ._repeats import split_units
from ._row_hashes import column_words, fingerprint
from ._rows import Rows
from ._split import DEV, TRAIN, TRAIN_DEV
from ._stable_hash import mix64
from ._streamed_encoding import Encoding
from ._streamed_table import ROW_BYTES, StreamedTable, column_groups, too_small
from ._table_file import TEXT_FACTOR
from ._table_input import Source
from ._target import TargetEncoder
from ._weighting import fitted_weighting, sample_weights, weighting_notes

_GIVEN_SHARE = 4  # given dev and test rows may take one part in so many of the budget


@dataclass(frozen=True, eq=False)
class _Found:
    """What there is to work with.

    Attributes:
        table: with given dev and test rows behind its own.
        names: its usable columns.
        places: its rows that have a target.
        gathered: these rows, with the columns that the split needs.
    """

    table: StreamedTable
    names: list[str]
    places: np.ndarray
    gathered: Gathered


@dataclass(eq=False)
class _Survey:
    """What the first pass over the columns finds."""

    everything: np.ndarray
    comparable: np.ndarray
    units: np.ndarray
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    if_kept: dict[str, str] = field(default_factory=dict[str, str])
    row_bytes: float = 0.0
    blanks: dict[str, int] = field(default_factory=dict[str, int])
    labels: dict[str, int] = field(default_factory=dict[str, int])


def load_streamed(
    table: StreamedTable, source: Source, options: LoadOptions, budget: int
) -> Prepared:
    """Return the rows of a table on disk: train rows in a file, dev rows in memory.

    Args:
        table: the table.
        source: where it came from.
        options: what the user said.
        budget: bytes that the work may take.

    Raises:
        UsageError: as for a table in memory, and when the budget is too small for a column.
    """
    found = _found(table, source, options, budget)
    gathered, places = found.gathered, found.places
    target, goal = gathered.target, gathered.frame[gathered.target]
    task, task_notes = infer_task(goal, options.task)
    survey = _surveyed(found.table, found.names, target, places, options, budget)
    plan = planned(found.names, target, survey.kinds, survey.if_kept.__getitem__, options)
    everything, comparable = mix64(survey.everything), mix64(survey.comparable)
    units, by_chance = split_units(
        survey.units,
        column_words(goal),
        len(plan.inputs),
        lambda chosen: _words(found, plan, chosen, budget),
    )
    print_of_data = fingerprint(everything, found.names, target)
    seed = int(print_of_data[:8], 16) if options.seed is None else options.seed
    divided = divide(gathered, task, units, seed, options, by_chance=by_chance)
    trained = divided.rows(TRAIN)
    sample = sample_weights(gathered.frame, options.weights)
    target_encoder = TargetEncoder.fit(goal[trained], task, sample[trained])
    y = target_encoder.encode(goal)
    weighting = fitted_weighting(sample, y, divided, task, options)
    weight = weighting.weights(sample, y)
    encoding = Encoding(
        found.table, found.names, plan, places, divided, sample[trained], survey.row_bytes, budget
    )
    encoded = encoding.run()
    parts = {
        part: Rows(x, y[divided.rows(part)], weight[divided.rows(part)])
        for part, x in {TRAIN: encoded.train, **encoded.held}.items()
    }
    about = counted_notes(encoded.encoder, survey.blanks.__getitem__, survey.labels.__getitem__)
    return Prepared(
        gathered=gathered,
        task=task,
        divided=divided,
        hashes=comparable,
        comparable=set(found.names) - set(plan.identifiers),
        fingerprint=print_of_data,
        seed=seed,
        train=parts[TRAIN],
        dev=parts[DEV],
        train_dev=parts.get(TRAIN_DEV),
        weighting=weighting,
        test=encoded.test,
        table_encoder=encoded.encoder,
        target_encoder=target_encoder,
        notes=(
            *(*gathered.notes, *task_notes, *plan.notes, *about),
            *weighting_notes(weighting, task.classes),
            *(*divided.notes, *table.dot_notes(), *table.notes, _how(budget)),
        ),
    )


def _found(table: StreamedTable, source: Source, options: LoadOptions, budget: int) -> _Found:
    """Return the rows to work with: the table's, then given dev and test rows, with a target."""
    if table.rows * ROW_BYTES > budget:
        raise too_small(budget, table.rows * ROW_BYTES, f"{table.rows:,} rows")
    notes: list[str] = []
    target, usable = usable_columns(table.outline(), source, options, notes)
    labelled = with_target(table.columns([target])[target], "the table", notes).to_numpy()
    given = _given_rows(usable, target, options, notes, budget)
    frames = [one.frame for one in given.values()]
    whole = table.followed_by(frames)
    added = np.repeat(np.array([*given], np.int8), [rows.height for rows in frames])
    places = np.flatnonzero(np.concatenate([labelled, np.ones(len(added), bool)]))
    require_rows(len(places))
    named = (options.group, options.time, options.split_column, options.weights)
    splitting = [target, *{n for n in named if n is not None}]
    gathered = Gathered(
        whole.columns(splitting)[places],
        np.concatenate([np.full(len(places) - len(added), TRAIN, np.int8), added]),
        target,
        table.rows,
        len(table.names),
        tuple(notes),
        np.concatenate([np.flatnonzero(labelled) + 1, *(one.numbers for one in given.values())]),
    )
    return _Found(whole, usable.columns, places, gathered)


def _given_rows(
    usable: pl.DataFrame,
    target: str,
    options: LoadOptions,
    notes: list[str],
    budget: int,
) -> dict[int, Labelled]:
    """Return the dev and test rows that the user gave, which are held as they are."""
    for source in (options.dev_source, options.test_source):
        needed = _file_size(source) * TEXT_FACTOR
        if needed > budget:
            raise too_small(budget, needed, "a file of dev or test rows")
    given = given_rows(usable, target, options, notes)
    held = int(sum(rows.frame.estimated_size() for rows in given.values()))
    if held * _GIVEN_SHARE > budget:
        count = sum(rows.frame.height for rows in given.values())
        raise too_small(budget, held * _GIVEN_SHARE, f"{count:,} given dev and test rows")
    return given


def _file_size(source: Source) -> int:
    """Return the bytes of a file, 0 where there is none, which reading it will say."""
    if isinstance(source, str | os.PathLike):
        with contextlib.suppress(OSError, ValueError):
            return Path(source).stat().st_size
    return 0


def _surveyed(
    table: StreamedTable,
    names: Sequence[str],
    target: str,
    places: np.ndarray,
    options: LoadOptions,
    budget: int,
) -> _Survey:
    """Look at every column once: its type, kind, blanks, and its part of the rows' hashes."""
    zeros = np.zeros(len(places), np.uint64)
    survey = _Survey(zeros, zeros.copy(), zeros.copy())
    possible = set(candidates(names, target, options))
    for group in column_groups(table, names, budget):
        whole = table.columns(group)
        require_finite(whole, options.ignore)
        frame = whole[places] if len(places) < whole.height else whole
        del whole
        kinds = column_kinds(frame.select(by_name([n for n in group if n != target])))
        survey.kinds.update(kinds)
        for name in group:
            series = frame[name]
            survey.row_bytes += series.estimated_size() / max(1, len(series))
            survey.blanks[name] = series.null_count()
            words = column_words(series)
            survey.everything += words
            kind = kinds.get(name, "")
            if kind != "id" and name != options.split_column:
                survey.comparable += words
            if name not in possible:
                if name == target:
                    survey.units += words
                continue
            useless = kind in ("id", "constant", "empty")
            if useless and name in options.keep:
                survey.if_kept[name] = input_kind(series)
            used = survey.if_kept.get(name, kind)
            if not useless or name in options.keep:
                survey.units += words
            if used == "category":
                survey.labels[name] = as_labels(series).n_unique()
    return survey


def _words(found: _Found, plan: ColumnPlan, chosen: range, budget: int) -> Iterator[np.ndarray]:
    """Yield the hashes of the inputs at these places, read once more."""
    wanted = [plan.inputs[i].name for i in chosen]
    for group in column_groups(found.table, wanted, budget):
        whole = found.table.columns(group)
        frame = whole[found.places] if len(found.places) < whole.height else whole
        for name in group:
            yield column_words(frame[name])


def _how(budget: int) -> str:
    return (
        f"larger than the memory budget of {gigabytes(budget)}: read and trained on piece by piece "
        "(--memory)"
    )
