"""The step of loading that gives every row its part: train, dev, test, or left out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from deepwell._base._errors import UsageError

from ._column_split import column_parts
from ._column_values import as_labels, as_numbers
from ._dates import dates_in, is_date_type, naive_datetimes
from ._gather import Gathered
from ._load_options import LoadOptions
from ._names import count_of, name_list, quoted
from ._split import DEV, PARTS, TEST, TRAIN, TRAIN_DEV, SplitInput
from ._split_kinds import COLUMN, SPLITS
from ._split_sizes import Sizes, explicit_rows, held_rows, split_sizes
from ._target import TargetEncoder
from ._task import Task

LEFT_OUT = -1
_BY_CHANCE = (
    "rows repeat as often as columns with few values make them: equal ones count as rows of their "
    "own, not as copies"
)
UNEVEN = 0.1  # a part is called off its size beyond this share of it


@dataclass(frozen=True, eq=False)
class Divided:
    """The outcome.

    Attributes:
        kind: of split: `stratified`, `random`, `group`, `time`, `column`, or `files` when all was
            given.
        parts: (n,) int8: `TRAIN`, `DEV`, `TEST`, `TRAIN_DEV` or `LEFT_OUT`.
        notes: what a reader should know.
        by_chance: whether equal rows are no copies.
    """

    kind: str
    parts: np.ndarray
    notes: tuple[str, ...]
    by_chance: bool = False

    def rows(self, part: int) -> np.ndarray:
        """Return the rows of a part in the order of the table."""
        return np.flatnonzero(self.parts == part)


def divide(
    gathered: Gathered,
    task: Task,
    units: np.ndarray,
    seed: int,
    options: LoadOptions,
    *,
    by_chance: bool = False,
) -> Divided:
    """Return the part of each row.

    Args:
        gathered: all rows.
        task: what is predicted.
        units: (n,) uint64 hashes of inputs and target; equal ones are copies and stay together.
        by_chance: whether equal rows are no copies, so that all `units` differ.
        seed: of the split.
        options: kind, sizes and columns that the user named.

    Raises:
        UsageError: when a part would be empty, train would have one class only, or a split column
            does not say the part of every row.
    """
    strata = _strata(gathered, task)
    given = _given(gathered, options)
    kept = _kept(units, given)
    parts = np.where(kept, given, LEFT_OUT).astype(np.int8)
    open_rows = np.flatnonzero(parts == TRAIN)
    if not len(open_rows):
        raise UsageError(
            "every row of the table is also among the given dev or test rows, so none is left to "
            "train on; give different rows"
        )
    notes = [_BY_CHANCE] if by_chance else []
    if not kept.all():
        copies = count_of(int((~kept).sum()), "row")
        notes.append(f"{copies} also among the given dev or test rows: left out elsewhere")
    kind = _split_kind(options, task)
    if kind in SPLITS:
        sizes = _sizes(len(open_rows), options)
        frame = gathered.frame[open_rows]
        outcome = SPLITS[kind](
            SplitInput(
                sizes=sizes,
                seed=seed,
                units=first_of_its_kind(units[open_rows]),
                strata=strata[open_rows],
                groups=None if options.group is None else group_numbers(frame[options.group]),
                times=None if options.time is None else _times(frame[options.time]),
            )
        )
        parts[open_rows] = outcome.parts
        notes += outcome.notes
        notes += _copy_notes(units[open_rows], kind)
        notes += _size_notes(outcome.parts, sizes, kind)
    if options.train_dev is not None:
        notes += _cut_train_dev(parts, units, strata, gathered, seed, options)
    _require_parts(parts, strata, task, options, kind)
    notes += _class_notes(parts, strata, task)
    if not (parts == TEST).any():
        notes.append("no test set was asked for: the dev error is all there is, and it flatters")
    return Divided(kind, parts, tuple(notes), by_chance)


def _cut_train_dev(
    parts: np.ndarray,
    units: np.ndarray,
    strata: np.ndarray,
    gathered: Gathered,
    seed: int,
    options: LoadOptions,
) -> list[str]:
    """Move a random slice of train to train-dev; groups and copies of a row stay whole (D4)."""
    assert options.train_dev is not None
    rows = np.flatnonzero(parts == TRAIN)
    wanted = explicit_rows("train_dev", options.train_dev, len(rows))
    if wanted >= len(rows):
        raise UsageError(
            f"`train_dev` ({wanted:,}) would leave none of {len(rows):,} train rows to train on; "
            "ask for fewer"
        )
    sizes = Sizes(len(rows) - wanted, wanted, 0)
    frame = gathered.frame[rows]
    outcome = SPLITS["stratified" if options.group is None else "group"](
        SplitInput(
            sizes=sizes,
            seed=seed + 1,  # draws of its own: not those that the split has used on these rows
            units=first_of_its_kind(units[rows]),
            strata=strata[rows],
            groups=None if options.group is None else group_numbers(frame[options.group]),
        )
    )
    parts[rows[outcome.parts == DEV]] = TRAIN_DEV
    return [
        f"{count_of(int((outcome.parts == DEV).sum()), 'train row')} held out as train-dev: its "
        "score tells mismatch between train and dev from variance",
        *outcome.notes,
    ]


def _strata(gathered: Gathered, task: Task) -> np.ndarray:
    """Return (n,) class numbers, zeros for a regression."""
    target = gathered.frame[gathered.target]
    if task.kind == "regression":
        return np.zeros(len(target), np.int64)
    return TargetEncoder(gathered.target, task).encode(target).astype(np.int64)


def _given(gathered: Gathered, options: LoadOptions) -> np.ndarray:
    """Return (n,) int8: the part that the user gave each row, `TRAIN` where it is still open."""
    if options.split_column is None:
        return gathered.given
    return column_parts(
        gathered.frame[options.split_column],
        needs_test=options.test_size != 0,
        cuts_train_dev=options.train_dev is not None,
    )


def _kept(units: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Return (n,) whether a row stays: copies of given rows leave the parts they leak into.

    Test rows win over dev rows, these over train-dev rows and all over train rows, since the
    user chose them.
    """
    kept = np.ones(len(units), bool)
    earlier = np.zeros(len(units), bool)
    for part in (TEST, DEV, TRAIN_DEV):
        here = given == part
        kept[here & earlier] = False
        earlier |= np.isin(units, units[here])
    kept[(given == TRAIN) & earlier] = False
    return kept


def first_of_its_kind(units: np.ndarray) -> np.ndarray:
    """Return (n,) the first row with the same content.

    Numbering units by rows, not by hashes, keeps the split where it was when a column is left out.
    """
    _, first, unit = np.unique(units, return_index=True, return_inverse=True)
    return first[unit]


def _split_kind(options: LoadOptions, task: Task) -> str:
    if options.split_column is not None:
        return COLUMN
    if options.given_parts:
        return "files"
    if options.split == "stratified" and task.kind == "regression":
        raise UsageError("split stratified needs classes, the target is a number; use random")
    if options.split is not None:
        return options.split
    if options.group is not None:
        return "group"
    if options.time is not None:
        return "time"
    return "stratified" if task.kind == "classification" else "random"


def _sizes(rows: int, options: LoadOptions) -> Sizes:
    """Return the wanted sizes for the rows that are still to be split."""
    dev, test = options.dev_size, options.test_size
    if options.dev_source is not None:
        dev = 0
    if options.test_source is not None:
        test = 0
        dev = held_rows(rows) if dev is None else dev
    return split_sizes(rows, dev, test)


def group_numbers(column: pl.Series) -> np.ndarray:
    """Return (n,) group numbers; a row without a group is a group of its own."""
    labels = as_labels(column)
    known = labels.rank("dense").cast(pl.Int64)
    alone = pl.Series(np.arange(len(labels)) + len(labels) + 1)
    return known.zip_with(known.is_not_null(), alone).to_numpy()


def _times(column: pl.Series) -> np.ndarray:
    """Return (n,) float64 times of numbers or dates."""
    name = quoted(column.name)
    missing = column.null_count()
    if missing:
        raise UsageError(
            f"time column {name} must have a value in every row, got {missing:,} blanks; remove "
            "those rows or choose another split"
        )
    dates = column if is_date_type(column.dtype) else None
    if column.dtype == pl.String:
        dates = dates_in(column)
        if dates is None:
            raise UsageError(
                f"time column {name} must hold numbers or dates such as 2024-05-31, got "
                f"{quoted(column[0])}"
            )
    if dates is None:
        return as_numbers(column)
    return naive_datetimes(dates).cast(pl.Int64).cast(pl.Float64).to_numpy()


def _copy_notes(units: np.ndarray, kind: str) -> list[str]:
    copies = len(units) - len(np.unique(units))
    if not copies or kind == "time":
        return []
    return [f"{count_of(copies, 'row')} with the same content as another: kept in the same part"]


def _size_notes(parts: np.ndarray, sizes: Sizes, kind: str) -> list[str]:
    wanted = np.array([sizes.train, sizes.dev, sizes.test])
    got = np.bincount(parts, minlength=len(PARTS))
    if (np.abs(got - wanted) <= np.maximum(1, UNEVEN * wanted)).all():
        return []
    whole = {"group": "groups", "time": "rows of the same time"}.get(kind, "copies of a row")
    shown = [" / ".join(f"{size:,}" for size in sizes) for sizes in (got, wanted)]
    return [f"the parts have {shown[0]} rows instead of {shown[1]}: {whole} stay together"]


def _require_parts(
    parts: np.ndarray, strata: np.ndarray, task: Task, options: LoadOptions, kind: str
) -> None:
    present = {part: PARTS[part] for part in (TRAIN, DEV, TEST)}
    if options.test_size == 0:
        del present[TEST]
    if options.train_dev is not None:
        present[TRAIN_DEV] = "train-dev"
    for part, name in present.items():
        if not (parts == part).any():
            raise UsageError(
                f"no row is left for {name}: too many rows have the same content, which "
                "must stay together; give more different rows"
            )
    in_train = np.unique(strata[parts == TRAIN])
    if task.kind == "classification" and len(in_train) < 2:
        label = quoted(task.classes[in_train[0]])
        raise UsageError(
            f"all train rows of the {kind} split have the class {label}; choose another split or "
            "give more rows"
        )


def _class_notes(parts: np.ndarray, strata: np.ndarray, task: Task) -> list[str]:
    """Note the classes that some part lacks."""
    lacking: dict[int, list[str]] = {TRAIN: [], DEV: [], TEST: [], TRAIN_DEV: []}
    if task.kind == "classification":
        for part in np.unique(parts[parts >= 0]):
            counts = np.bincount(strata[parts == part], minlength=len(task.classes))
            lacking[int(part)] = [task.classes[c] for c in np.flatnonzero(counts == 0)]
    notes = [
        f"{PARTS[part]} has no row of class {name_list(lacking[part], 5)}"
        for part in (DEV, TEST)
        if lacking[part]
    ]
    if lacking[TRAIN]:
        shown = name_list(lacking[TRAIN], 5)
        notes.append(f"no train row of class {shown}: it cannot be learned")
    return notes
