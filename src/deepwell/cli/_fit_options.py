"""The options of a fit: the arguments of `load`, `Study` and `Study.run`, and fixed values."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from deepwell._base._changes import Changes
from deepwell._base._constraints import IntegerInterval, Interval
from deepwell._base._hyperparameters import HYPERPARAMETERS, Hyperparameter, Value, validate

from ._flags import argument, flag

DATA, STUDY, RUN = "Data", "Study", "Run"
HYPERPARAMETER_SECTION = "Hyperparameters (fixed for all networks; others are searched or default)"

SEED = IntegerInterval(0, 2**63 - 1)
TRIALS = IntegerInterval(1, 1_000_000)
ANY_SCORE = Interval(0.0, float("inf"))
_FOLDS = IntegerInterval(2, 100)
_EVERY = IntegerInterval(1, 1_000_000)


@dataclass(frozen=True)
class Source:
    """The data of a fit."""

    source: str = argument("A CSV, TSV, Parquet or NPZ file.", "DATA")


@dataclass(frozen=True)
class DataOptions:
    """How to read and split: the arguments of `load`."""

    target: str | None = flag(None, "Column to predict; needed.", "COLUMN", DATA)
    task: str | None = flag(
        None, "classification or regression; by default the target tells.", "TASK", DATA
    )
    split: str | None = flag(
        None, "stratified, random, group, time or column; by default the data tell.", "WAY", DATA
    )
    group: str | None = flag(None, "Column whose equal values stay in one set.", "COLUMN", DATA)
    time: str | None = flag(
        None, "Column by which the newest rows are dev and test.", "COLUMN", DATA
    )
    split_column: str | None = flag(
        None, "Column that says which rows are train, dev and test.", "COLUMN", DATA
    )
    split_seed: int | None = flag(
        None, "Seed of the split; by default the data give it.", "N", DATA, SEED
    )
    dev: str | None = flag(
        None, "File with the dev rows, or how many, or their share.", "FILE", DATA
    )
    test: str | None = flag(None, "The same for the test rows; 0 for none.", "FILE", DATA)
    train_dev: str | None = flag(
        None,
        "Hold out this many train rows, or share of them: their score tells mismatch between "
        "train and dev from variance.",
        "SHARE",
        DATA,
    )
    weights: str | None = flag(
        None, "Column that says how much each row counts, in training and scores.", "COLUMN", DATA
    )
    class_weight: str | None = flag(
        None, "balanced, or factors such as yes=5,no=1 for the rows of a class.", "WEIGHTS", DATA
    )
    human_labels: str | None = flag(
        None,
        "Column with people's labels, empty where there is none; their score is taken for the "
        "best possible one.",
        "COLUMN",
        DATA,
    )
    keep: tuple[str, ...] = flag(
        (), "Use a column that would be left out, as an id is; repeatable.", "COLUMN", DATA
    )
    ignore: tuple[str, ...] = flag((), "Leave a column out; repeatable.", "COLUMN", DATA)

    def for_load(self) -> dict[str, Any]:
        """Return them by the names that `load` gives them."""
        given = dict(vars(self))
        seed = given.pop("split_seed")
        return {**given, "seed": seed}


@dataclass(frozen=True)
class StudyOptions:
    """How to search: the arguments of `Study`."""

    name: str | None = flag(None, "Name of the study; by default the data's.", "NAME", STUDY)
    seed: int = flag(
        0, "Seed of proposals, weights and order (the split has its own).", "N", STUDY, SEED
    )
    search: str | None = flag(
        None,
        "How networks are proposed: random (default), tpe (default under a --budget), grid, "
        "quasi-random, halton, coarse-to-fine, bayesian, or optuna:NAME.",
        "WAY",
        STUDY,
    )
    scheduler: str = flag(
        "halving",
        "Which networks train on: none, halving (default), hyperband, asha, median, patience, "
        "extrapolate or pbt.",
        "WAY",
        STUDY,
    )
    program: str | None = flag(
        None, "What trains: native or jax; by default the fastest here.", "PROGRAM", STUDY
    )
    space: tuple[str, ...] = flag(
        (),
        "Search this range, as in learning_rate=log(1e-4,1); uniform, integer, log, one_minus_log "
        "or choice, per_layer(...) or when(..., NAME=VALUES); repeatable. Given once, only the "
        "given entries are searched.",
        "NAME=RANGE",
        STUDY,
    )
    constraint: tuple[str, ...] = flag(
        (),
        "What must hold between values, as in 'hidden_units * hidden_layers <= 256'; repeatable.",
        "TEXT",
        STUDY,
    )
    try_: tuple[str, ...] = flag(
        (),
        "Try this configuration first, as in learning_rate=0.01,hidden_units=64; what it leaves "
        "out is drawn; repeatable.",
        "VALUES",
        STUDY,
    )
    warm_start: str | None = flag(
        None,
        "Start from what this earlier study with the same metric found, or one of Optuna's, "
        "optuna:STORAGE#STUDY; its best configurations are tried first.",
        "NAME",
        STUDY,
    )
    metric: str | None = flag(
        None,
        "What selects and is reported: error, log_loss, auc, f1 or balanced_error for classes; "
        "rmse, mae or r2 for numbers.",
        "METRIC",
        STUDY,
    )
    folds: int | None = flag(
        None,
        "Compare networks by cross-validation over so many folds; advised below about 2,000 rows.",
        "K",
        STUDY,
        _FOLDS,
    )
    probe: str = flag(
        "best",
        "Which networks to look into while they train: best (default), all, none, or numbers of "
        "trials beside the best, as in 3,17.",
        "WHICH",
        STUDY,
    )
    probe_every: int | None = flag(
        None, "Epochs from probe to probe; by default after 1, 2, 4, 8, ...", "N", STUDY, _EVERY
    )
    checkpoints: str = flag(
        "best",
        "Whose last states to keep: best (default), a number of the best networks, or all.",
        "WHICH",
        STUDY,
    )
    best_possible: float | None = flag(
        None, "Best score that anything could reach, as in 0.02.", "SCORE", STUDY, ANY_SCORE
    )


@dataclass(frozen=True)
class RunOptions:
    """How much to train: the arguments of `Study.run`."""

    trials: int | None = flag(
        None, "Networks to train; by default what fits a minute.", "N", RUN, TRIALS
    )
    epochs: int | None = flag(
        None,
        "Passes over the train rows; by default the data tell, or 50 with --space.",
        "N",
        RUN,
        HYPERPARAMETERS["epochs"].constraint,
    )
    memory: str | None = flag(
        None,
        "Memory for data, networks in training and workspaces, as in 512MB, 4GB or 4GiB; by "
        "default three quarters of what is free. Larger Parquet files are streamed.",
        "SIZE",
        RUN,
    )
    budget: str | None = flag(None, "Time to use, as in 60s, 5m or 1h.", "TIME", RUN)
    until_settled: bool = flag(
        False, "End earlier where one more round is not expected to pay.", section=RUN
    )
    dry_run: bool = flag(False, "Show data, split and plan; train and write nothing.", section=RUN)


def _hyperparameter_field(declared: Hyperparameter) -> Any:
    default = "" if declared.default is None else f"; default {declared.default}"
    if isinstance(declared.constraint, Changes):
        doc = f"{declared.doc} Repeatable."
        return flag((), doc, "EPOCH:NAME=VALUE", HYPERPARAMETER_SECTION, check=validate)
    doc = f"{declared.doc} [{declared.constraint.describe()}{default}]"
    return flag(None, doc, "VALUE", HYPERPARAMETER_SECTION, declared.constraint, validate)


_FixedFields: Any = dataclasses.make_dataclass(
    "_FixedFields",
    [
        (name, Any, _hyperparameter_field(declared))
        for name, declared in HYPERPARAMETERS.items()
        if name != "epochs"  # an argument of the run
    ],
    frozen=True,
)


class Fixed(_FixedFields):
    """Hyperparameters held at one value: a field for each that is declared."""

    def given(self) -> dict[str, Value]:
        """Return those that were given, by name."""
        return {name: value for name, value in vars(self).items() if value not in (None, ())}
