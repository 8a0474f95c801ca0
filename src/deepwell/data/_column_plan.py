"""Which columns the network sees, as what, and what is said about the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from polars.selectors import by_name

from deepwell._base._errors import UsageError
from deepwell._base._safe_text import safe_text

from ._category_column import CategoryColumn
from ._column_kinds import InputColumn, column_kinds, input_kind
from ._column_values import as_labels
from ._load_options import LoadOptions
from ._names import count_of, flag, name_list
from ._table_encoder import TableEncoder

SEPARATE_NOTES = 3  # columns of one kind that get a line each; more share a line
WHY_IGNORED = {
    "id": "unique per row",
    "constant": "constant",
    "empty": "all missing",
}


@dataclass(frozen=True)
class ColumnPlan:
    """The inputs, and the columns that tell rows apart.

    Attributes:
        inputs: columns that the network sees.
        identifiers: columns that look like an id, used or not, ignored or not, and the one that
            says the part of each row; they do not count when rows of two tables are compared.
        notes: one line for each thing that was left out.
    """

    inputs: tuple[InputColumn, ...]
    identifiers: tuple[str, ...]
    notes: tuple[str, ...]


def plan_columns(frame: pl.DataFrame, target: str, options: LoadOptions) -> ColumnPlan:
    """Return the plan for a table; the target's values are not looked at.

    Raises:
        UsageError: when no input column is left.
    """
    kinds = column_kinds(frame.select(by_name([n for n in frame.columns if n != target])))
    return planned(frame.columns, target, kinds, lambda name: input_kind(frame[name]), options)


def candidates(names: Sequence[str], target: str, options: LoadOptions) -> list[str]:
    """Return the columns that could be inputs: not the target, ignored, or what splits the rows."""
    aside = {target, *options.ignore}
    aside.update({options.group or target, options.time or target} - set(options.keep))
    aside.update({options.weights or target, options.split_column or target})
    return [name for name in names if name not in aside]


def planned(
    names: Sequence[str],
    target: str,
    kinds: Mapping[str, str],
    kind_if_kept: Callable[[str], str],
    options: LoadOptions,
) -> ColumnPlan:
    """Return the plan for columns whose kinds are known.

    Args:
        names: all columns of the table.
        target: name of the target.
        kinds: of all columns but the target, in the order of the table.
        kind_if_kept: how a column that would be left out is encoded when the user keeps it.
        options: what the user said.

    Raises:
        UsageError: when no input column is left.
    """
    inputs: list[InputColumn] = []
    left_out: dict[str, list[str]] = {reason: [] for reason in WHY_IGNORED}
    identifiers = [name for name in (options.split_column,) if name is not None]
    notes = [
        f"{safe_text(name)} says which rows are train, dev and test: not an input"
        for name in identifiers
    ]
    notes += [
        f"{safe_text(name)} splits the rows: not an input ({flag('keep', name)})"
        for name in (options.group, options.time)
        if name is not None and name not in options.keep
    ]
    # Of ignored columns too: what is said of a column must not make the same rows look unseen.
    identifiers += [name for name, kind in kinds.items() if kind == "id"]
    for name in candidates(names, target, options):
        kind = kinds[name]
        if kind in left_out and name not in options.keep:
            left_out[kind].append(name)
        else:
            inputs.append(InputColumn(name, kind_if_kept(name) if kind in left_out else kind))
    for reason, ignored in left_out.items():
        notes += _ignored_notes(reason, ignored)
    if not inputs:
        raise UsageError(_nothing_left(len(names), left_out))
    return ColumnPlan(tuple(inputs), tuple(identifiers), tuple(notes))


def encoding_notes(frame: pl.DataFrame, encoder: TableEncoder) -> tuple[str, ...]:
    """Return what is told about the inputs of a table, in which blanks are counted."""
    return counted_notes(
        encoder,
        lambda name: frame[name].null_count(),
        lambda name: as_labels(frame[name]).n_unique(),
    )


def counted_notes(
    encoder: TableEncoder, blanks_in: Callable[[str], int], labels_in: Callable[[str], int]
) -> tuple[str, ...]:
    """Return what is told about the inputs: imputed blanks, rare categories, hashed text.

    Args:
        encoder: fitted on the train rows.
        blanks_in: how many rows lack a column's value.
        labels_in: how many different labels a category column holds, "missing" among them.
    """
    blanks: list[tuple[str, str]] = []
    crowded: list[tuple[str, str]] = []
    texts: list[tuple[str, str]] = []
    for column in encoder.columns:
        name = safe_text(column.name)
        missing = blanks_in(column.name)
        if isinstance(column, CategoryColumn):
            if column.others:
                total = labels_in(column.name) - (missing > 0)
                words = f"{name} has {total:,} categories: {len(column.categories)} have a column"
                crowded.append((name, f"{words} each, the rarer ones share one"))
        elif column.kind == "text":
            words = f"{name} is text: words and letters hashed into {len(column.features)} columns"
            texts.append((name, f"{words} ({flag('ignore', column.name)})"))
        elif missing:
            with_flag = ", with a flag column" if getattr(column, "flagged", False) else ""
            words = f"{name}: {count_of(missing, 'blank')} in a {column.kind} column: imputed"
            blanks.append((name, words + with_flag))
    return (
        *_together(blanks, "columns have blanks: imputed, with flag columns"),
        *_together(crowded, "category columns have rare categories, which share a column"),
        *_together(texts, "text columns: words and letters hashed"),
    )


def _ignored_notes(reason: str, names: Sequence[str]) -> list[str]:
    why = WHY_IGNORED[reason]
    keep = reason == "id"
    lines = [
        (safe_text(n), f"{safe_text(n)} is {why}: ignored" + (f" ({flag('keep', n)})" * keep))
        for n in names
    ]
    return _together(lines, f"columns are {why}: ignored" + " (--keep COLUMN)" * keep)


def _together(lines: Sequence[tuple[str, str]], shared: str) -> list[str]:
    """Return the lines, or one for all of them when there are many."""
    if len(lines) <= SEPARATE_NOTES:
        return [line for _, line in lines]
    return [f"{len(lines):,} {shared}: {name_list([name for name, _ in lines], 5)}"]


def _nothing_left(columns: int, left_out: dict[str, list[str]]) -> str:
    reasons = [
        f"{WHY_IGNORED[reason]}: {name_list(names, 5)}"
        for reason, names in left_out.items()
        if names
    ]
    if not reasons:
        return f"no input column is left of {count_of(columns, 'column')}; give at least one"
    return f"no input column is left to learn from ({'; '.join(reasons)}); add columns that vary"
