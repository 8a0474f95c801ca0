"""The checks of the rows of a study: read from its arrays, told beside the first steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.data._pool import Pool
from deepwell.data._rows import Rows
from deepwell.diagnosis._data_findings import diagnose_data
from deepwell.diagnosis._domain_test import domain_test
from deepwell.diagnosis._encoded_columns import EncodedColumn, EncodedTable
from deepwell.diagnosis._near_copies import copies_across, row_numbers
from deepwell.diagnosis._placeholder_values import placeholder_value
from deepwell.diagnosis._shifted_columns import TwoSets, rows_compared, shifted_columns
from deepwell.diagnosis._shifted_labels import shifted_labels
from deepwell.diagnosis._straddling import neighboring_times, residuals_of, straddling_groups
from deepwell.diagnosis._telling_column import Target, telling_column
from deepwell.records import DataChecks, Finding, Mismatch, Straddling, from_plain, to_plain

from ._affordable import affordable
from ._change_command import rows_command
from ._history import History

EVENT = "data checks"
_MOST_FOLDS = 10
_MOST_GROUPED = 500_000  # rows of whose targets a linear model leaves what groups share
_BESIDE = "a number stands for something else"
_NO_MEMORY = "all checks of the rows: there is too little memory for them"


class PendingDataChecks:
    """The checks of the rows at work in a thread, or what an earlier run of the study found.

    Args:
        data: the study's data.
        folds: of its cross-validation, or None.
        history: the study in its store, which keeps what was found.
    """

    def __init__(self, data: Data, folds: Folds | None, history: History) -> None:
        self._history = history
        told: list[Any] = [e.details for e in history.store.events(history.record.id, EVENT)]
        self._told = from_plain(DataChecks, told[0]) if told else None
        self._found: Future[DataChecks] | None = None
        if self._told is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="data-checks")
            self._found = pool.submit(check_data, data, folds)
            pool.shutdown(wait=False)

    def wait(self) -> DataChecks:
        """Return what was found, recorded."""
        if self._told is None:
            assert self._found is not None
            self._told = self._found.result()
            self._history.note(EVENT, to_plain(self._told))
        return self._told


def check_data(data: Data, folds: Folds | None = None) -> DataChecks:
    """Return what the rows of a study show; on one core, as networks may train on the others.

    Args:
        data: the study's data; with folds all its rows.
        folds: of its cross-validation: each fold's rows are compared, up to ten.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    began = time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        try:
            found = _checked(data, folds)
        except MemoryError:  # a study that fits the memory must not fail for its checks
            found = DataChecks(split=data.facts.split, left_out=(_NO_MEMORY,))
    return replace(found, seconds=time.perf_counter() - began)


def data_findings(
    found: DataChecks | None,
    data: Data | None,
    metric: str = "",
    folds: int = 0,
    best_possible: float | None = None,
) -> tuple[Finding, ...]:
    """Return what the checks say, with the commands that act on it.

    Args:
        found: what was measured; None for no findings.
        data: of the study; None for no commands.
        metric: that the study selects by.
        folds: of its cross-validation; 0 for none.
        best_possible: the score that it was given.
    """
    if found is None:
        return ()
    told = diagnose_data(found)
    if data is None:
        return tuple(told)
    return tuple(_with_command(one, data, metric, folds, best_possible) for one in told)


def _with_command(
    finding: Finding, data: Data, metric: str, folds: int, best_possible: float | None
) -> Finding:
    flags: Any = finding.evidence.get("flags")
    if not flags or ("train_dev" in flags and (folds or data.train_dev is not None)):
        return finding
    if "split" in flags and data.facts.split in ("files", "column"):
        return finding  # the user said which rows are dev: no other split can be asked for
    command = rows_command(data, metric, flags, folds, best_possible)
    return replace(finding, command=command)


def _checked(data: Data, folds: Folds | None) -> DataChecks:
    data, seed = affordable(data), data.facts.split_seed
    left_out: list[str] = []
    if folds is None:
        whole = data
        pairs = [("dev", data.train, data.dev)]
        if data.train_dev is not None:
            pairs.append(("train-dev", data.train, data.train_dev))
        mismatch = [_mismatch(data, pair, part_units(data, *pair[1:]), seed) for pair in pairs]
        if mismatch[0] is None:
            left_out.append("mismatch: too few rows to tell any")
    else:
        whole = replace(folds.data(0), table_encoder=folds.encoders[0])
        mismatch = [_worst_fold(data, folds, seed)]
        if len(folds.parts) > _MOST_FOLDS:
            left_out.append(f"mismatch of folds {_MOST_FOLDS + 1} to {len(folds.parts)}")
    train, dev = whole.train, whole.dev
    copies = copies_across(
        (train.x, train.y), (dev.x, dev.y), seed, by_chance=data.facts.alike_by_chance
    )
    table = encoded_table(whole)
    placeholder = None if data.image else placeholder_value(train.x, table)
    if placeholder is not None:  # beside such numbers all rows are near or far by them alone
        copies = replace(copies, near=None, why=_BESIDE, grouped=0)
    target = Target(train.y, len(data.task.classes))
    telling, columns = None, 0
    if not data.image:
        telling, columns = telling_column(train.x, target, table, seed, train.group)
    shifted = shifted_labels(train.x, target)
    if shifted is not None:
        dated = any(column.kind == "date" for column in table.columns)
        shifted = replace(shifted, in_time=dated or data.facts.split == "time")
    return DataChecks(
        mismatch=tuple(one for one in mismatch if one is not None),
        copies=copies,
        telling=telling,
        columns=columns,
        straddling=tuple(_straddling(data, whole, folds, seed)),
        split=data.facts.split,
        left_out=tuple(left_out),
        placeholder=placeholder,
        shifted=shifted,
    )


def _straddling(data: Data, whole: Data, folds: Folds | None, seed: int) -> Iterator[Straddling]:
    """Yield what columns of groups and of dates are across the split.

    Args:
        data: of the study; with folds all its rows.
        whole: the same, or the first fold.
        folds: or None.
        seed: of the shuffles.
    """
    train, table = whole.train, encoded_table(whole)
    dates = [c for c in table.columns if c.kind == "date"] if data.facts.split != "time" else []
    count = len(train) + len(whole.dev)
    named = [one for one in data.group_columns if len(one.codes) == count]
    if not (dates or named) or count > _MOST_GROUPED:
        return
    classes = len(data.task.classes)
    wanted = np.eye(classes)[train.y] if classes else train.y[:, None].astype(np.float64)
    left = residuals_of(train.x, wanted, seed)
    if not data.facts.alike_by_chance:
        left[_again(train)] = np.nan
    in_fold = np.isin(np.arange(count), [] if folds is None else folds.places[0])
    found = [
        straddling_groups(one.name, one.codes, one.dev if folds is None else in_fold, left, seed)
        for one in named
    ]
    for column in dates:
        times = table.values(train.x, column)
        found.append(neighboring_times(column.name, times, len(whole.dev), left, seed))
    yield from (one for one in found if one is not None)


def _again(rows: Rows) -> np.ndarray:
    """Return (n,) whether a row is the copy of an earlier one."""
    again = np.ones(len(rows), bool)
    again[np.unique(row_numbers(rows.x, rows.y), return_index=True)[1]] = False
    return again


_Pair = tuple[str, Rows, Rows]
_Units = tuple[np.ndarray, np.ndarray]


def _mismatch(data: Data, pair: _Pair, units: _Units, seed: int) -> Mismatch | None:
    """Return how a part differs from train, or None where there are too few rows."""
    part, train, other = pair
    found = domain_test(train.x, other.x, units, seed)
    if found is None:
        return None
    chosen = [rows_compared(len(rows), rows.x.shape[1], seed) for rows in (train, other)]
    of = [len(np.unique(unit[rows])) for unit, rows in zip(units, chosen, strict=True)]
    sets = TwoSets(
        compared(data, train.part(chosen[0])),
        compared(data, other.part(chosen[1])),
        (of[0], of[1]),
        ("train", part),
    )
    columns, tested = shifted_columns(sets, compared_table(data))
    return Mismatch(
        part,
        found.auc,
        found.low,
        found.high,
        found.p_value,
        found.permutations,
        found.rows,
        found.units,
        columns,
        tested,
    )


def _worst_fold(data: Data, folds: Folds, seed: int) -> Mismatch | None:
    """Return the mismatch of the fold with the least p-value, corrected for the number of folds."""
    looked = range(min(_MOST_FOLDS, len(folds.parts)))
    found: list[Mismatch] = []
    for fold in looked:
        train, dev = folds.parts[fold]
        of_fold = replace(folds.data(fold), table_encoder=folds.encoders[fold])
        one = _mismatch(of_fold, ("dev", train, dev), _fold_units(data, folds, fold), seed)
        if one is not None:
            found.append(replace(one, fold=fold + 1))
    if not found:
        return None
    worst = min(found, key=lambda one: (one.p_value, -one.auc))
    columns = tuple(
        replace(c, p_value=c.p_value * len(looked))
        for c in worst.columns
        if c.p_value * len(looked) <= 0.01
    )
    return replace(worst, p_value=min(1.0, worst.p_value * len(looked)), columns=columns)


def part_units(data: Data, train: Rows, other: Rows) -> _Units:
    """Return what was dealt out as one: the rows of a group, or the copies of a row.

    Args:
        data: of the study.
        train: rows; those of the study, or a sample of them.
        other: rows of another part.
    """
    if train.group is not None and other.group is not None:
        return train.group, other.group
    if data.facts.alike_by_chance:
        return np.arange(len(train)), np.arange(len(other))
    return row_numbers(train.x, train.y), row_numbers(other.x, other.y)


def _fold_units(data: Data, folds: Folds, fold: int) -> _Units:
    assert isinstance(data.pool, Pool)
    here = np.zeros(len(data.pool.together), bool)
    here[folds.places[fold]] = True
    return data.pool.together[~here], data.pool.together[here]


def encoded_table(data: Data) -> EncodedTable:
    """Return where the columns of a study's table lie among its inputs."""
    columns: list[EncodedColumn] = []
    first = 0
    for column in data.table_encoder.columns:
        width = len(column.features)
        columns.append(_DESCRIBED[column.kind](column, first, width))
        first += width
    return EncodedTable(columns, data.table_encoder.mean, data.table_encoder.scale)


def _plain(column: Any, first: int, width: int) -> EncodedColumn:
    return EncodedColumn(
        column.name, column.kind, first, width, blank=1 if column.flagged else None
    )


def _category(column: Any, first: int, width: int) -> EncodedColumn:
    labels = (*column.categories, *["other"] * column.others, *["blank"] * column.missing)
    blank = width - 1 if column.missing else None
    return EncodedColumn(column.name, "category", first, width, blank=blank, labels=labels)


def _date(column: Any, first: int, width: int) -> EncodedColumn:
    blank = width - 1 if column.flagged else None
    return EncodedColumn(column.name, "date", first, width, 1, blank, start=column.start)


def _text(column: Any, first: int, width: int) -> EncodedColumn:
    return EncodedColumn(column.name, "text", first, width)


_DESCRIBED: dict[str, Callable[[Any, int, int], EncodedColumn]] = {
    "number": _plain,
    "boolean": _plain,
    "category": _category,
    "date": _date,
    "text": _text,
}


def compared_table(data: Data) -> EncodedTable:
    """Return the columns that are compared between parts: inputs, or what images are like; target.

    Pixels by themselves name nothing: of images the brightness and the contrast are compared.
    """
    inputs = encoded_table(data)
    columns, mean, scale = inputs.columns, inputs.mean, inputs.scale
    if data.image:
        names = [f"{what}{_channel(data, c)}" for c in range(data.image[2]) for what in _LOOKS]
        columns = [EncodedColumn(name, "number", j, 1) for j, name in enumerate(names)]
        mean, scale = np.zeros(len(names)), np.ones(len(names))
    target, width = data.target_encoder, len(mean)
    classes = data.task.classes
    if classes:
        last = EncodedColumn(target.name, "category", width, len(classes), labels=classes)
        of_target = np.zeros(len(classes)), np.ones(len(classes))
    else:
        last = EncodedColumn(target.name, "number", width, 1)
        of_target = np.array([target.mean]), np.array([target.scale])
    return EncodedTable(
        [*columns, last],
        np.concatenate([mean, of_target[0]]),
        np.concatenate([scale, of_target[1]]),
    )


def compared(data: Data, rows: Rows) -> np.ndarray:
    """Return (n, D') values of these columns."""
    x = np.asarray(rows.x)
    if data.image:
        x = _looks(data, x)
    width = len(data.table_encoder.mean)
    x = x if data.image else x[:, :width]  # folds may have columns of zeros behind
    y = np.eye(len(data.task.classes))[rows.y] if data.task.classes else rows.y[:, None]
    return np.concatenate([x, y.astype(np.float32)], axis=1)


_LOOKS = ("brightness", "contrast")


def _looks(data: Data, x: np.ndarray) -> np.ndarray:
    """Return mean and deviation of the pixels of each channel, in the unit of the pixels."""
    channels = data.image[2]
    looks: list[np.ndarray] = []
    for channel in range(channels):
        pixels = x[:, channel::channels].astype(np.float32)
        unit = data.table_encoder.scale[channel], data.table_encoder.mean[channel]
        looks += [pixels.mean(axis=1) * unit[0] + unit[1], pixels.std(axis=1) * unit[0]]
    return np.stack(looks, axis=1)


def _channel(data: Data, channel: int) -> str:
    return "" if data.image[2] == 1 else f" of channel {channel + 1}"
