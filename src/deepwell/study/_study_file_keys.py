"""The keys of a study's file: those of the options of `fit`, by sections.

A test holds them against the arguments of `load`, `Study` and `Study.run` and the options of the
command line, so that the three stay one schema.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from deepwell._base._errors import UsageError


@dataclass(frozen=True)
class Key:
    """What may stand under one name.

    Attributes:
        kinds: Python types of its value, as TOML gives them.
        words: the same for people.
        doc: what it is, for the comment beside it.
    """

    kinds: tuple[type, ...]
    words: str
    doc: str

    def check(self, value: object) -> None:
        """Refuse a value of another kind.

        Raises:
            UsageError: saying what it must be.
        """
        of_kind = isinstance(value, self.kinds) and (
            bool in self.kinds or not isinstance(value, bool)
        )
        if not of_kind or (isinstance(value, list) and not _all_texts(cast(list[object], value))):
            raise UsageError(f"must be {self.words}, got {value!r}")


def _all_texts(values: Sequence[object]) -> bool:
    return all(isinstance(value, str) for value in values)


def _text(doc: str) -> Key:
    return Key((str,), "a text in quotes", doc)


def _whole(doc: str) -> Key:
    return Key((int,), "a whole number", doc)


def _number(doc: str) -> Key:
    return Key((int, float), "a number", doc)


def _size(doc: str) -> Key:
    return Key((int, float, str), "a number, or a file's name in quotes", doc)


def _texts(doc: str) -> Key:
    return Key((list,), 'a list of texts, as in ["a", "b"]', doc)


DATA: Mapping[str, Key] = {
    "source": _text("CSV, TSV, Parquet or NPZ file"),
    "target": _text("column to predict"),
    "task": _text("classification or regression"),
    "split": _text("stratified, random, group, time or column"),
    "group": _text("column whose equal values stay in one set"),
    "time": _text("column by which the newest rows are dev and test"),
    "split_column": _text("column that says train, dev or test"),
    "split_seed": _whole("seed of the split"),
    "dev": _size("dev rows: a file, their number or share"),
    "test": _size("the same for the test rows; 0 for none"),
    "train_dev": _size("train rows to hold out, their number or share"),
    "weights": _text("column of row weights"),
    "class_weight": Key((str, dict), "balanced, or {yes = 5, no = 1}", "balanced, or factors"),
    "human_labels": _text("column of people's labels"),
    "keep": _texts("columns to use that would be left out"),
    "ignore": _texts("columns to leave out"),
    "name": _text("short name of the data"),
}

STUDY: Mapping[str, Key] = {
    "name": _text("of the study; a taken one becomes name-2"),
    "seed": _whole("of proposals, weights and order"),
    "search": _text("random, grid, quasi-random, bayesian, tpe, ..."),
    "scheduler": _text("none, halving, hyperband, asha, median, ..."),
    "program": _text("native or jax"),
    "metric": _text("what selects and is reported"),
    "best_possible": _number("best score that anything could reach"),
    "folds": _whole("of a cross-validation"),
    "probe": _text("networks to look into: best, all, none, 3,17"),
    "probe_every": _whole("epochs from probe to probe"),
    "checkpoints": Key((str, int), "best, all or a number", "last states kept: best, all or of K"),
    "constraints": _texts("between the values of a network"),
    "warm_start": _text("earlier study, or optuna:STORAGE#STUDY"),
}

RUN: Mapping[str, Key] = {
    "trials": _whole("networks to train"),
    "epochs": _whole("passes over the train rows, for all networks"),
    "budget": Key((str, int, float), "a time as in 60s or 5m", "time to use, as in 60s or 5m"),
    "memory": Key((str, int), "a size as in 4GB", "memory to use, as in 4GB"),
    "until_settled": Key((bool,), "true or false", "end where more is not expected to pay"),
}

SECTIONS: Mapping[str, Mapping[str, Key]] = {"data": DATA, "study": STUDY, "run": RUN}
SPACE, TRY = "space", "try"
"""The section of ranges and values, and the tables of configurations to try first."""
