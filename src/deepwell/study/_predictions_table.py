"""A table of predictions of any model: its columns read, checked, and told apart by part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from deepwell._base._errors import UsageError, did_you_mean
from deepwell._base._safe_text import safe_text
from deepwell.data._column_values import as_labels, as_numbers
from deepwell.data._infer_task import infer_task, sorted_labels
from deepwell.data._names import name_list, near_columns, quoted
from deepwell.data._plain_columns import plain_columns
from deepwell.data._table_input import read_table

if TYPE_CHECKING:
    import polars as pl

TRUTH, PART, PREDICTION, PROBABILITY = "truth", "part", "prediction", "probability_"
KNOWN = (TRUTH, PART, PREDICTION, "weight", "group", "inputs", "human", "baseline", "network")
PARTS = ("train", "train-dev", "dev", "test")
_SUM = 0.01  # by which the probabilities of a row may miss 1: rounded to two decimals


@dataclass(frozen=True, eq=False)
class PredictedRows:
    """Rows of one part.

    Attributes:
        y: (n,) class indices, or values.
        said: of each network, (n, C) probabilities or (n,) values.
        labels: of each network, the same from its column `prediction`; None where it has none.
        weight: (n,) at least 0; None for rows that count alike.
        group: (n,) whole numbers, rows of one number belong together, also those of other parts, a
            blank alone; None for none.
        inputs: (n,) whole numbers, equal for rows with the same inputs, of a blank its own; None
            where not known.
        human, baseline: what people and another model said, in the form of `said`; None for none.
        labeled: (n,) whether `human` has a value.
        places: (n,) of the rows in the table, from 0.
    """

    y: np.ndarray
    said: tuple[np.ndarray, ...]
    labels: tuple[np.ndarray, ...] | None
    weight: np.ndarray | None
    group: np.ndarray | None
    inputs: np.ndarray | None
    human: np.ndarray | None
    baseline: np.ndarray | None
    labeled: np.ndarray | None
    places: np.ndarray

    def __len__(self) -> int:
        """Return how many rows there are."""
        return len(self.y)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What a table of predictions holds.

    Attributes:
        classes: labels in the order of the class indices; empty for numbers.
        parts: of `train`, `train-dev`, `dev`, `test` those that are there.
        probabilities: whether classes come with probabilities.
        networks: how many networks predicted the same rows.
        others: all further columns, over all rows: what to tell slices by.
    """

    classes: tuple[str, ...]
    parts: Mapping[str, PredictedRows]
    probabilities: bool
    networks: int
    others: Mapping[str, np.ndarray]


def read_predictions(source: Any, task: str | None = None) -> Predictions:
    """Return the predictions in a file, frame or dict of columns.

    Args:
        source: with the columns `truth`, `part` and `prediction` or `probability_<class>`, and
            any of `weight`, `group`, `inputs`, `human`, `baseline`, `network`.
        task: `classification` or `regression`; None lets the truth tell.

    Raises:
        UsageError: when a column is missing or holds what it cannot; one sentence with the row.
    """
    frame = read_table(source)
    for name in (TRUTH, PART):
        if name not in frame.columns:
            raise UsageError(
                f"a table of predictions must have a column {quoted(name)}"
                f"{near_columns(name, frame.columns)}"
            )
        if frame[name].null_count():
            row = int(np.argmax(frame[name].is_null().to_numpy())) + 1
            raise UsageError(
                f"column {quoted(name)} must have a value in each row, row {row:,} has none"
            )
    part = _parts(frame[PART])
    kind, _ = infer_task(frame[TRUTH], _kind(frame, task))
    classes = _classes(frame) if kind.kind == "classification" else ()
    columns = _columns(frame, classes)
    network = _networks(frame, part, columns)
    parts = {
        name: _rows(columns, [np.flatnonzero(mine & (part == name)) for mine in network])
        for name in PARTS
        if (part == name).any()
    }
    for needed in ("train", "dev"):
        if needed not in parts:
            raise UsageError(
                f'column "part" must say {needed} in some rows, got '
                f"{name_list(list(parts))}; the gaps are measured from train to dev"
            )
    known = {n for n in frame.columns if n in KNOWN or n.startswith(PROBABILITY)}
    others = plain_columns(frame, without=known)
    return Predictions(classes, parts, "probabilities" in columns, len(network), others)


def _kind(frame: pl.DataFrame, task: str | None) -> str | None:
    probable = any(name.startswith(PROBABILITY) for name in frame.columns)
    return "classification" if task is None and probable else task


def _parts(series: pl.Series) -> np.ndarray:
    said = np.array([str(v).strip().lower().replace("_", "-") for v in series.to_list()])
    unknown = ~np.isin(said, PARTS)
    if unknown.any():
        row = int(np.argmax(unknown))
        hint = did_you_mean(said[row], PARTS)
        raise UsageError(
            f'column "part" must hold {", ".join(PARTS)}, got {quoted(series[row])} in row '
            f"{row + 1:,}{hint}"
        )
    return said


def _classes(frame: pl.DataFrame) -> tuple[str, ...]:
    """Return all labels that occur as truth, in an answer, or as the name of a column."""
    found = set(as_labels(frame[TRUTH]).unique().to_list())
    for name in frame.columns:
        if name in (PREDICTION, "human", "baseline"):
            found |= set(as_labels(frame[name]).drop_nulls().unique().to_list())
        elif name.startswith(PROBABILITY):
            found.add(name.removeprefix(PROBABILITY))
    return sorted_labels([str(label) for label in found])


def _columns(frame: pl.DataFrame, classes: Sequence[str]) -> dict[str, np.ndarray]:
    """Return all columns as arrays over all rows, in the form in which they are used."""
    columns = {"y": _answers(frame[TRUTH], classes, whole=True)}
    if classes:
        columns["y"] = columns["y"].argmax(axis=1)
    probable = [name for name in frame.columns if name.startswith(PROBABILITY)]
    if probable:
        columns["probabilities"] = _probabilities(frame, probable, classes)
    if PREDICTION in frame.columns:
        columns["labels"] = _answers(frame[PREDICTION], classes, whole=True)
    elif not probable:
        raise UsageError(
            'a table of predictions must have a column "prediction", or for classes one '
            f'"probability_<class>" each{near_columns(PREDICTION, frame.columns)}'
        )
    for name in ("human", "baseline"):
        if name in frame.columns:
            columns[name] = _answers(frame[name], classes, whole=name == "baseline")
            columns[f"{name} there"] = ~frame[name].is_null().to_numpy()
    if "weight" in frame.columns:
        columns["weight"] = _weights(frame["weight"])
    if "network" in frame.columns:
        columns["network"] = _numbers(frame["network"])
    for name in ("group", "inputs"):
        if name in frame.columns:
            columns[name] = _apart_where_blank(frame[name], columns.get("network"))
    return columns


def _numbers(series: pl.Series) -> np.ndarray:
    """Return (n,) whole numbers from 0, equal for equal labels; blanks are one label."""
    labels = as_labels(series).fill_null("").to_numpy().astype(str)
    return np.unique(labels, return_inverse=True)[1]


def _apart_where_blank(series: pl.Series, network: np.ndarray | None) -> np.ndarray:
    """Return the same, a blank with a number of its own: it says nothing of other rows.

    The number is by the row's place among those of its network, since networks have the same rows.
    """
    number, blank = _numbers(series), as_labels(series).is_null().to_numpy()
    place = np.arange(len(number))
    if network is not None:
        for one in np.unique(network):
            mine = network == one
            place[mine] = np.arange(int(mine.sum()))
    return np.where(blank, number.max(initial=0) + 1 + place, number)


def _answers(series: pl.Series, classes: Sequence[str], whole: bool) -> np.ndarray:
    """Return (n,) numbers, or (n, C) with a 1 for the class that is named."""
    missing = series.is_null().to_numpy()
    if whole and missing.any():
        row = int(np.argmax(missing)) + 1
        raise UsageError(
            f"column {quoted(series.name)} must have a value in each row, row {row:,} has none"
        )
    if not classes:
        return as_numbers(series)
    index = {label: i for i, label in enumerate(classes)}
    labels = as_labels(series).to_list()
    said = np.zeros((len(labels), len(classes)))
    rows = np.flatnonzero(~missing)
    said[rows, [index[labels[row]] for row in rows]] = 1.0
    return said


def _probabilities(frame: pl.DataFrame, names: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    lacking = [c for c in classes if PROBABILITY + c not in names]
    if lacking:
        raise UsageError(
            f"each class must have a column of probabilities, {quoted(PROBABILITY + lacking[0])} "
            f"is missing; columns: {name_list(list(names))}"
        )
    said = np.stack([as_numbers(frame[PROBABILITY + c]) for c in classes], axis=1)
    total = said.sum(axis=1)
    wrong = ~((said >= 0).all(axis=1) & (np.abs(total - 1) <= _SUM))
    if wrong.any():
        row = int(np.argmax(wrong))
        shown = ", ".join(f"{p:.4g}" for p in said[row][:6])
        raise UsageError(
            f"the probabilities of a row must be at least 0 and add up to 1, got {shown} in row "
            f"{row + 1:,}"
        )
    return said / total[:, None]


def _weights(series: pl.Series) -> np.ndarray:
    weight = as_numbers(series)
    wrong = ~(weight >= 0)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise UsageError(
            f'column "weight" must hold numbers of at least 0, got {safe_text(series[row])} in '
            f"row {row + 1:,}"
        )
    return weight


def _networks(
    frame: pl.DataFrame, part: np.ndarray, columns: Mapping[str, np.ndarray]
) -> list[np.ndarray]:
    """Return which rows are of which network, all of them with the same rows in the same order."""
    if "network" not in columns:
        return [np.ones(len(part), dtype=bool)]
    number = columns["network"]
    masks = [number == n for n in range(int(number.max()) + 1)]
    shared = [part, *(columns[n] for n in ("y", "weight", "group", "inputs") if n in columns)]
    if len(masks) > 1 and ("group" in columns or "weight" in columns):
        name = "group" if "group" in columns else "weight"
        raise UsageError(
            f"a table with several networks takes no column {quoted(name)}; give one network"
        )
    for mask in masks[1:]:
        if any(not np.array_equal(column[masks[0]], column[mask]) for column in shared):
            names = frame["network"].cast(str).to_numpy()
            raise UsageError(
                "all networks must predict the same rows in the same order, and "
                f"{quoted(names[np.argmax(masks[0])])} and {quoted(names[np.argmax(mask)])} do not"
            )
    return masks


def _rows(columns: Mapping[str, np.ndarray], of_networks: Sequence[np.ndarray]) -> PredictedRows:
    """Return the rows of one part; what is no prediction is that of the first network."""
    first = of_networks[0]
    main = columns["probabilities" if "probabilities" in columns else "labels"]
    labels = columns.get("labels")

    def of(name: str) -> np.ndarray | None:
        return columns[name][first] if name in columns else None

    return PredictedRows(
        columns["y"][first],
        tuple(main[rows] for rows in of_networks),
        None if labels is None else tuple(labels[rows] for rows in of_networks),
        of("weight"),
        of("group"),
        of("inputs"),
        of("human"),
        of("baseline"),
        of("human there"),
        np.flatnonzero(first) if first.dtype == bool else first,
    )
