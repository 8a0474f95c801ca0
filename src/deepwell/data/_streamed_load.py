"""Loading what does not fit in memory: column by column to understand, piece by piece to encode.

All that is decided (kinds, classes, copies, the split, what encoders fit) is decided from one
whole column at a time by the same functions as in memory, so it is the same. Encoded train rows
go to a file without a name, which ends with the process; test rows go to the vault alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from polars.selectors import by_name

from deepwell._base._errors import UsageError

from ._column_kinds import column_kinds, input_kind
from ._column_plan import ColumnPlan, candidates, counted_notes, planned
from ._column_values import as_labels
from ._divide import Divided, divide
from ._gather import Gathered, require_finite, require_rows, usable_columns, with_target
from ._infer_task import infer_task
from ._load_options import LoadOptions
from ._mapped import temporary_file
from ._memory import gigabytes
from ._prepared import Prepared
from ._row_hashes import column_words, fingerprint
from ._rows import Rows
from ._split import DEV, TEST, TRAIN
from ._stable_hash import mix64
from ._streamed_table import StreamedTable
from ._table_encoder import TableEncoder
from ._table_input import Source
from ._target import TargetEncoder

ROW_BYTES = 160  # target, hashes, part, and the temporaries of the split, for each row
_MOST_ROWS, _LEAST_ROWS = 262_144, 1_024  # of a piece


@dataclass(eq=False)
class _Survey:
    """What the first pass over the columns finds."""

    everything: np.ndarray
    comparable: np.ndarray
    units: np.ndarray
    kinds: dict[str, str] = field(default_factory=dict[str, str])
    if_kept: dict[str, str] = field(default_factory=dict[str, str])
    types: dict[str, pl.DataType] = field(default_factory=dict[str, pl.DataType])
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
    if options.dev_source is not None or options.test_source is not None:
        raise UsageError(
            "dev or test rows of their own cannot be given for a table larger than the memory "
            "budget; put all rows in one table, or give more --memory"
        )
    if table.rows * ROW_BYTES > budget:
        raise _too_small(budget, table.rows * ROW_BYTES, f"{table.rows:,} rows")
    notes: list[str] = []
    target, usable = usable_columns(table.outline(), source, options, notes)
    names = usable.columns
    goal = table.columns([target])[target]
    labelled = with_target(goal, "the table", notes)
    places = np.flatnonzero(labelled.to_numpy())
    require_rows(len(places))
    goal = goal.filter(labelled)
    task, task_notes = infer_task(goal, options.task)
    survey = _surveyed(table, names, target, places, options, budget)
    plan = planned(names, survey.kinds, survey.if_kept.__getitem__, options)
    hashes = (survey.everything, survey.comparable, survey.units)
    everything, comparable, units = (mix64(total) for total in hashes)
    print_of_data = fingerprint(everything, names, target)
    seed = int(print_of_data[:8], 16) if options.seed is None else options.seed
    splitting = [target, *{n for n in (options.group, options.time) if n is not None}]
    gathered = Gathered(
        table.columns(splitting)[places],
        np.full(len(places), TRAIN, np.int8),
        target,
        table.rows,
        len(table.names),
        tuple(notes),
    )
    divided = divide(gathered, task, units, seed, options)
    trained = divided.rows(TRAIN)
    table_encoder = _fitted(table, plan, places[trained], budget)
    target_encoder = TargetEncoder.fit(goal[trained], task)
    encode = _Encode(table, table_encoder, survey.types, divided, places)
    x_train, x_dev, test = encode.run(budget)
    labels = {part: target_encoder.encode(goal[divided.rows(part)]) for part in (TRAIN, DEV)}
    about = counted_notes(table_encoder, survey.blanks.__getitem__, survey.labels.__getitem__)
    return Prepared(
        gathered=gathered,
        task=task,
        divided=divided,
        hashes=comparable,
        comparable=set(names) - set(plan.identifiers),
        fingerprint=print_of_data,
        seed=seed,
        train=_rows(x_train, labels[TRAIN]),
        dev=_rows(x_dev, labels[DEV]),
        test=test,
        table_encoder=table_encoder,
        target_encoder=target_encoder,
        notes=(*notes, *task_notes, *plan.notes, *about, *divided.notes, _how(budget)),
    )


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
    for group in _groups(table, names, budget):
        whole = table.columns(group)
        require_finite(whole, options.ignore)
        frame = whole[places]
        del whole
        kinds = column_kinds(frame.select(by_name([n for n in group if n in possible])))
        for name in group:
            series = frame[name]
            survey.types[name] = series.dtype
            survey.blanks[name] = series.null_count()
            words = column_words(series)
            survey.everything += words
            kind = kinds.get(name)
            if kind != "id":
                survey.comparable += words
            if kind is None:
                if name == target:
                    survey.units += words
                continue
            useless = kind in ("id", "constant", "empty")
            if useless and name in options.keep:
                survey.if_kept[name] = input_kind(series)
            used = survey.if_kept.get(name, kind)
            survey.kinds[name] = kind
            if not useless or name in options.keep:
                survey.units += words
            if used == "category":
                survey.labels[name] = as_labels(series).n_unique()
    return survey


def _fitted(table: StreamedTable, plan: ColumnPlan, rows: np.ndarray, budget: int) -> TableEncoder:
    """Return the encoder fitted on the train rows, some columns at a time."""
    by_name = {column.name: column for column in plan.inputs}
    return TableEncoder.joined(
        [
            TableEncoder.fit(table.columns(group)[rows], [by_name[name] for name in group])
            for group in _groups(table, list(by_name), budget)
        ]
    )


@dataclass(eq=False)
class _Encode:
    """The pass over the rows: each goes where the split has put it."""

    table: StreamedTable
    encoder: TableEncoder
    types: Mapping[str, pl.DataType]
    divided: Divided
    places: np.ndarray

    def run(self, budget: int) -> tuple[np.ndarray, np.ndarray, pl.DataFrame]:
        """Return encoded train rows in a mapped file, encoded dev rows, and raw test rows.

        Raises:
            UsageError: when the dev and test rows do not fit, or the disk is full.
        """
        width = len(self.encoder.mean)
        counts = [len(self.divided.rows(part)) for part in (TRAIN, DEV, TEST)]
        raw = sum(self.table.cell_bytes(name) for name in self.types)
        held = counts[1] * width * 4 + counts[2] * raw
        if held > budget // 2:
            raise _too_small(budget, 2 * held, f"{counts[1]:,} dev and {counts[2]:,} test rows")
        part = np.full(self.table.rows, -1, np.int8)
        part[self.places] = self.divided.parts
        step = budget // 8 // (raw + width * 12)
        step = max(_LEAST_ROWS, min(_MOST_ROWS, step))
        dev: list[np.ndarray] = [np.zeros((0, width), np.float32)]
        test: list[pl.DataFrame] = []
        try:
            with temporary_file() as file:
                for first, frame in self._pieces(step):
                    here = part[first : first + len(frame)]
                    train = self.encoder.transform(frame[np.flatnonzero(here == TRAIN)])
                    file.write(np.ascontiguousarray(train).data)
                    dev.append(self.encoder.transform(frame[np.flatnonzero(here == DEV)]))
                    test.append(frame[np.flatnonzero(here == TEST)])
                x = _mapped(file, counts[0], width)
        except OSError as error:
            raise UsageError(
                f"the encoded rows need {gigabytes(counts[0] * width * 4)} of disk in the cache "
                f"folder ({error.strerror or error}); set DEEPWELL_CACHE to a folder with room"
            ) from None
        return x, np.concatenate(dev), pl.concat(test)

    def _pieces(self, step: int) -> Iterator[tuple[int, pl.DataFrame]]:
        for first in range(0, self.table.rows, step):
            count = min(step, self.table.rows - first)
            yield first, self.table.part(first, count, self.types)


def _mapped(file: object, rows: int, width: int) -> np.ndarray:
    if not rows * width:
        return np.zeros((rows, width), np.float32)
    return np.memmap(file, np.float32, "r", shape=(rows, width))  # type: ignore[call-overload]


def _groups(table: StreamedTable, names: Sequence[str], budget: int) -> Iterator[list[str]]:
    """Yield the columns in groups that may be at work together.

    Raises:
        UsageError: when a single one does not fit.
    """
    room = budget // 3
    group: list[str] = []
    used = 0
    for name in names:
        size = table.rows * table.cell_bytes(name)
        if size > 2 * room:
            raise _too_small(budget, size * 3 // 2, f"a column of {table.rows:,} rows")
        if group and used + size > room:
            yield group
            group, used = [], 0
        group.append(name)
        used += size
    if group:
        yield group


def _rows(x: np.ndarray, y: np.ndarray) -> Rows:
    return Rows(x, y, np.ones(len(y), np.float32))


def _how(budget: int) -> str:
    return (
        f"larger than the memory budget of {gigabytes(budget)}: read and trained on piece by piece "
        "(--memory)"
    )


def _too_small(budget: int, needed: int, what: str) -> UsageError:
    return UsageError(
        f"the memory budget of {gigabytes(budget)} is too small for {what}, which need about "
        f"{gigabytes(needed)}; give more --memory"
    )
