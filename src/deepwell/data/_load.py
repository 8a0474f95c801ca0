"""From a table to data that can be trained on: read, understood, split, sealed, encoded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from deepwell._base._errors import UsageError
from deepwell.records import DataFacts

from ._column_plan import ColumnPlan, encoding_notes, plan_columns
from ._data import Data
from ._divide import Divided, divide, group_numbers
from ._gather import Gathered, gather
from ._group_columns import group_columns
from ._human_labels import HumanLabels
from ._human_labels import human_labels as people_said
from ._images import fitted_inputs, image_plan, image_shape
from ._infer_task import infer_task
from ._load_options import LoadOptions, checked_options
from ._memory import require_memory
from ._memory_budget import default_memory, parse_memory
from ._names import data_name
from ._origin import origin_of
from ._pool import Pool, pool_of
from ._prepared import Prepared
from ._repeats import split_units
from ._row_hashes import column_words, fingerprint, row_sums
from ._rows import Rows
from ._split import DEV, PARTS, TEST, TRAIN, TRAIN_DEV
from ._stable_hash import mix64
from ._streamed_table import streamed_table
from ._table_encoder import TableEncoder
from ._table_input import Source, describe_source
from ._target import TargetEncoder
from ._task import Task
from ._vault import seal
from ._weighting import Weighting, fitted_weighting, sample_weights, weighting_notes

DEFAULT_VAULT = "deepwell/vault"
ENCODED_FACTOR = 2  # the encoded rows, and one copy while they are handed on


def load(
    source: Source,
    target: str | None = None,
    *,
    task: str | None = None,
    split: str | None = None,
    group: str | None = None,
    time: str | None = None,
    split_column: str | None = None,
    dev: Source = None,
    test: Source = None,
    train_dev: str | float | None = None,
    weights: str | None = None,
    class_weight: str | Mapping[str, float] | None = None,
    human_labels: str | None = None,
    keep: Iterable[str] = (),
    ignore: Iterable[str] = (),
    seed: int | None = None,
    name: str | None = None,
    vault: str | os.PathLike[str] | None = DEFAULT_VAULT,
    memory: str | int | None = None,
) -> Data:
    """Read a table, split it, seal its test rows and return the rest ready to train on.

    Nothing is guessed silently: what was assumed is in `facts.notes`, with the option that
    changes it.

    Args:
        source: the path of a CSV, TSV, Parquet or NPZ file, any frame that narwhals knows, a
            dictionary of columns, or arrays `(X, y)`.
        target: column to be predicted; may be left out for `(X, y)`.
        task: `classification` or `regression`; by default what the target's values say.
        split: `stratified` (default for classes), `random` (default for numbers), `group`, `time`,
            `column`.
        group: column whose equal values must not be in two parts; implies `split="group"`.
        time: column of numbers or dates; train comes first, then dev, then test; implies
            `split="time"`.
        split_column: column that says the part of each row: train, dev (or valid, validation), test
            or train-dev, in any case of letters; implies `split="column"`, and is never an input.
        dev: given dev rows (a source), a number of rows, or a share; by default
            max(min(0.2 m, 10,000), 0.0025 m) of m rows.
        test: the same for test; 0 for no test set, which makes the split 70 / 30.
        train_dev: rows, or a share of train, to hold out of training: rows like train, whose score
            tells a mismatch between train and dev (of another source or time) from variance.
        weights: column of sample weights, 0 or more: how much each row counts in training, in
            scores and in intervals.
        class_weight: `balanced`, or label -> factor of its rows' weights (1 where left out), as a
            mapping or as text such as `yes=5,no=1`; counts wherever `weights` does.
        human_labels: column with people's labels of the rows, empty where there is none: never an
            input; their score is taken for the best possible one.
        keep: columns to use although they look like an id.
        ignore: columns to leave out.
        seed: of the split; by default it comes from the data, so that the same table is always
            split alike, whatever the seed of the study.
        name: short name; by default from the file's name.
        vault: folder for the sealed test rows; None throws them away, for a look at the plan.
        memory: budget such as `4GB`, or bytes; by default three quarters of what is free. A
            Parquet, CSV or TSV file, or `X` of `np.load(file, mmap_mode="r")`, that is larger is
            read piece by piece; an NPZ file that is larger than a given budget is refused.

    Raises:
        UsageError: one sentence that says what is wrong with the data or the options.
    """
    given = {
        "target": target,
        "task": task,
        "split": split,
        "group": group,
        "time": time,
        "split_column": split_column,
        "dev": dev,
        "test": test,
        "train_dev": train_dev,
        "weights": weights,
        "class_weight": class_weight,
        "human_labels": human_labels,
        "keep": keep,
        "ignore": ignore,
        "seed": seed,
        "name": name,
        "vault": vault,
    }
    options = checked_options(given)
    asked_memory = parse_memory(memory)
    budget = default_memory() if asked_memory is None else asked_memory
    table = streamed_table(source, budget, strict=asked_memory is not None)
    if table is None:
        data = _assembled(_from_memory(gather(source, options), options, source), options, source)
    else:
        from ._streamed_load import load_streamed

        data = _assembled(load_streamed(table, source, options, budget), options, source)
        asked_memory = budget  # it decides what is sampled, so another process must take the same
    origin = origin_of(source, {**given, "memory": asked_memory}, options)
    return replace(data, origin=origin, memory=asked_memory)


def _from_memory(gathered: Gathered, options: LoadOptions, source: Source) -> Prepared:
    frame, target = gathered.frame, gathered.target
    task, task_notes = infer_task(frame[target], options.task)
    image = image_shape(source)
    of_image = image_plan(frame, target, options, image) if image else None
    plan = of_image or plan_columns(frame, target, options)
    image = image if of_image else ()
    comparable = set(frame.columns) - set(plan.identifiers)
    inputs_and_target = {target, *(column.name for column in plan.inputs)}
    everything, hashes, sums = row_sums(frame, [set(frame.columns), comparable, inputs_and_target])
    everything, hashes = mix64(everything), mix64(hashes)
    units, by_chance = split_units(
        sums,
        column_words(frame[target]),
        len(plan.inputs),
        lambda places: (column_words(frame[plan.inputs[i].name]) for i in places),
    )
    print_of_data = fingerprint(everything, frame.columns, target)
    seed = int(print_of_data[:8], 16) if options.seed is None else options.seed
    divided = divide(gathered, task, units, seed, options, by_chance=by_chance)
    encoded = _encoded(gathered, divided, (plan, image), task, options)
    return Prepared(
        gathered=gathered,
        task=task,
        divided=divided,
        hashes=hashes,
        comparable=comparable,
        fingerprint=print_of_data,
        seed=seed,
        train=encoded.train,
        dev=encoded.dev,
        test=frame[divided.rows(TEST)],
        train_dev=encoded.train_dev,
        weighting=encoded.weighting,
        image=image,
        dev_frame=frame[divided.rows(DEV)],
        pool=pool_of(gathered, divided, units, plan.inputs, seed, options),
        table_encoder=encoded.table_encoder,
        target_encoder=encoded.target_encoder,
        notes=(*gathered.notes, *task_notes, *plan.notes, *encoded.notes, *divided.notes),
    )


def _assembled(prepared: Prepared, options: LoadOptions, source: Source) -> Data:
    """Return the data, with the test rows sealed."""
    prepared = _with_groups(prepared, options)
    gathered, task, divided = prepared.gathered, prepared.task, prepared.divided
    by_part = {name: prepared.hashes[divided.rows(part)] for part, name in enumerate(PARTS)}
    by_part["train"] = np.concatenate([by_part["train"], prepared.hashes[divided.rows(TRAIN_DEV)]])
    vault = None
    if options.vault is not None and len(by_part["test"]):
        test_print = fingerprint(np.sort(by_part["test"]), prepared.comparable, gathered.target)
        vault = seal(prepared.test, options.vault, test_print)
    facts = DataFacts(
        name=data_name(options.name or _stem(source)),
        source=describe_source(source),
        rows=gathered.rows,
        columns=gathered.columns,
        target=gathered.target,
        task=task.kind,
        classes=task.classes,
        class_shares=_class_shares(task, prepared.train, prepared.dev),
        notes=prepared.notes,
        features=len(prepared.table_encoder.mean),
        split=divided.kind,
        split_seed=prepared.seed,
        sizes=(len(prepared.train), len(prepared.dev), len(by_part["test"])),
        sealed=vault.sha256 if vault else "",
        alike_by_chance=divided.by_chance,
        group=options.group or "",
        train_dev_rows=0 if prepared.train_dev is None else len(prepared.train_dev),
    )
    return Data(
        name=facts.name,
        target=gathered.target,
        task=task,
        train=prepared.train,
        dev=prepared.dev,
        table_encoder=prepared.table_encoder,
        target_encoder=prepared.target_encoder,
        facts=facts,
        vault=vault,
        fingerprint=prepared.fingerprint,
        row_hashes=MappingProxyType(by_part),
        train_dev=prepared.train_dev,
        weighting=prepared.weighting,
        pool=prepared.pool,
        image=prepared.image,
        group_columns=group_columns(
            gathered.frame, divided.parts, _not_groups(gathered.target, options)
        ),
        dev_frame=prepared.dev_frame,
        dev_numbers=gathered.numbers[divided.rows(DEV)],
        pool_numbers=_pool_numbers(prepared),
        human=_human(prepared, options),
    )


def _human(prepared: Prepared, options: LoadOptions) -> HumanLabels | None:
    """Return people's labels, where a column of them was named."""
    column, gathered = options.human_labels, prepared.gathered
    if column is None:
        return None
    if prepared.dev_frame is None:
        raise UsageError(
            "`human_labels` needs the whole table in memory, and this one is read piece by piece; "
            "give a larger `memory`, or leave it out"
        )
    parts = prepared.divided.parts
    return people_said(gathered.frame, parts, column, prepared.task)


def _not_groups(target: str, options: LoadOptions) -> list[str]:
    """Return the columns whose use is known, so that they are not taken for groups."""
    known = (options.group, options.time, options.split_column, options.weights)
    return [target, *filter(None, known)]


def _with_groups(prepared: Prepared, options: LoadOptions) -> Prepared:
    """Return the rows that training may see with their groups, where a column of them was named."""
    if options.group is None:
        return prepared
    groups, divided = group_numbers(prepared.gathered.frame[options.group]), prepared.divided
    between = prepared.train_dev
    if between is not None:
        between = replace(between, group=groups[divided.rows(TRAIN_DEV)])
    return replace(
        prepared,
        train=replace(prepared.train, group=groups[divided.rows(TRAIN)]),
        dev=replace(prepared.dev, group=groups[divided.rows(DEV)]),
        train_dev=between,
    )


def _pool_numbers(prepared: Prepared) -> np.ndarray:
    """Return the numbers of the rows that folds are made of, in their order."""
    if not isinstance(prepared.pool, Pool):
        return np.zeros(0, np.int64)
    parts = prepared.divided.parts
    return prepared.gathered.numbers[(parts == TRAIN) | (parts == DEV)]


@dataclass(frozen=True, eq=False)
class _Encoded:
    train: Rows
    dev: Rows
    train_dev: Rows | None
    weighting: Weighting
    table_encoder: TableEncoder
    target_encoder: TargetEncoder
    notes: tuple[str, ...]


def _encoded(
    gathered: Gathered,
    divided: Divided,
    planned: tuple[ColumnPlan, tuple[int, ...]],
    task: Task,
    options: LoadOptions,
) -> _Encoded:
    """Fit on the train rows, then encode all but the test rows, which stay as they are."""
    frame, target = gathered.frame, gathered.target
    plan, image = planned
    sample = sample_weights(frame, options.weights)
    places = divided.rows(TRAIN)
    train = frame[places]
    table_encoder = fitted_inputs(train, plan.inputs, sample[places], image)
    target_encoder = TargetEncoder.fit(train[target], task, sample[places])
    width = len(table_encoder.mean)
    needed = frame.height * width * 4 * ENCODED_FACTOR
    require_memory(needed, f"the encoded table ({width:,} columns)")
    y = target_encoder.encode(frame[target])
    weighting = fitted_weighting(sample, y, divided, task, options)

    def rows(part: int) -> Rows:
        chosen = divided.rows(part)
        weight = weighting.weights(sample[chosen], y[chosen])
        return Rows(table_encoder.transform(frame[chosen]), y[chosen], weight)

    return _Encoded(
        rows(TRAIN),
        rows(DEV),
        rows(TRAIN_DEV) if (divided.parts == TRAIN_DEV).any() else None,
        weighting,
        table_encoder,
        target_encoder,
        (*encoding_notes(frame, table_encoder), *weighting_notes(weighting, task.classes)),
    )


def _class_shares(task: Task, train: Rows, dev: Rows) -> tuple[float, ...]:
    if task.kind == "regression":
        return ()
    counts = np.bincount(np.concatenate([train.y, dev.y]), minlength=len(task.classes))
    return tuple(float(share) for share in counts / counts.sum())


def _stem(source: Source) -> str:
    return Path(source).stem if isinstance(source, str | os.PathLike) else "data"
