"""The options of the commands, grouped as the library groups its arguments."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from deepwell._base._changes import Changes
from deepwell._base._constraints import IntegerInterval, Interval, OneOf
from deepwell._base._hyperparameters import HYPERPARAMETERS, Hyperparameter, Value, validate

from ._flags import argument, arguments, flag, output

DATA, STUDY, RUN, RANGE = "Data", "Study", "Run", "Range"
HYPERPARAMETER_SECTION = "Hyperparameters (fixed for all networks; others are searched or default)"

_SEED = IntegerInterval(0, 2**63 - 1)
_TRIALS = IntegerInterval(1, 1_000_000)
_FOLDS = IntegerInterval(2, 100)
_EVERY = IntegerInterval(1, 1_000_000)
_COUNT = IntegerInterval(0, 100_000)
_ANY_RATE = Interval(0.0, 1e6, low_closed=False)
_REPLICATES = IntegerInterval(4, 256)
_MODELS = OneOf(("best", "refit", "ensemble"))
_ANY_SCORE = Interval(0.0, float("inf"))
_COVERAGE = Interval(0.0, 1.0, low_closed=False, high_closed=False)


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
        None, "Seed of the split; by default the data give it.", "N", DATA, _SEED
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
        0, "Seed of proposals, weights and order (the split has its own).", "N", STUDY, _SEED
    )
    search: str = flag(
        "random",
        "How networks are proposed: random, grid, quasi-random, halton, coarse-to-fine, "
        "bayesian, tpe, or optuna:NAME.",
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
        None, "Best score that anything could reach, as in 0.02.", "SCORE", STUDY, _ANY_SCORE
    )


@dataclass(frozen=True)
class RunOptions:
    """How much to train: the arguments of `Study.run`."""

    trials: int | None = flag(
        None, "Networks to train; by default what fits a minute.", "N", RUN, _TRIALS
    )
    epochs: int | None = flag(
        None,
        "Passes over the train rows; by default the data tell.",
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


@dataclass(frozen=True)
class GoOn:
    """For how long a study goes on, and whether by another way."""

    trials: int | None = flag(
        None,
        "Train so many more networks when what was begun is done.",
        "N",
        constraint=_TRIALS,
    )
    epochs: int | None = flag(
        None,
        "Train the networks that reached their last epoch for so many more.",
        "N",
        constraint=HYPERPARAMETERS["epochs"].constraint,
    )
    space: tuple[str, ...] = flag(
        (),
        "Search this range from then on in place of the old one, narrower or wider; repeatable.",
        "NAME=RANGE",
    )
    constraint: tuple[str, ...] = flag(
        (), "What must hold between values from then on; repeatable.", "TEXT"
    )
    search: str | None = flag(None, "How networks are proposed from then on.", "WAY")
    try_: tuple[str, ...] = flag(
        (), "Try this configuration first, as in learning_rate=0.01; repeatable.", "VALUES"
    )
    budget: str | None = flag(
        None,
        "Time to use from now on, as in 60s, 5m or 1h; by default what was left of the study's "
        "own budget, or no limit when it was used up.",
        "TIME",
    )


@dataclass(frozen=True)
class Working:
    """For what a worker waits."""

    once: bool = flag(False, "Leave at once where another process runs the study.")
    stopped: bool = flag(False, "Go on also with a study that a person or its time budget stopped.")


@dataclass(frozen=True)
class RemedyOptions:
    """What to improve by, and for how long."""

    apply: str | None = flag(
        None, "Try the remedies for this finding, as in DW101; by default all.", "CODE"
    )
    budget: str | None = flag(
        None,
        "Time to use, as in 60s, 5m or 1h; by default a minute, or as long as the fit took.",
        "TIME",
    )
    replicates: int | None = flag(
        None,
        "Networks of each remedy at most, each pair with seeds of its own; default 8.",
        "N",
        constraint=_REPLICATES,
    )
    dry_run: bool = flag(False, "Show the remedies and the plan; train and write nothing.")


@dataclass(frozen=True)
class Place:
    """Where studies are kept, and the form of the output."""

    store: str | None = flag(
        None,
        "Folder, sqlite:///FILE or postgresql://user@host/database; by default ./deepwell.",
        "URL",
    )
    json: bool = flag(False, "Print one JSON object.")


@dataclass(frozen=True)
class Form:
    """The form of the output."""

    json: bool = flag(False, "Print one JSON object.")


@dataclass(frozen=True)
class Name:
    """Which study."""

    name: str = argument("Name of the study.", "NAME")


@dataclass(frozen=True)
class Shown:
    """What to show of a study beyond its outcome."""

    pareto: bool = flag(
        False,
        "Add the networks that no other one beats in score, size and prediction time.",
    )
    follow: bool = flag(
        False, "Watch a study that trains in another process; Ctrl-C leaves it alone."
    )


@dataclass(frozen=True)
class Diagnosed:
    """What to diagnose: a study, or the predictions of any model."""

    names: tuple[str, ...] = arguments("Name of a study; none with --predictions.", "NAME")
    predictions: str | None = flag(
        None,
        "A CSV or Parquet file with the columns truth, part (train, train-dev, dev or test) and "
        "prediction or probability_<class>, of any model.",
        "FILE",
    )
    metric: str | None = flag(
        None,
        "With --predictions: error (default for classes), log_loss, rmse (numbers) ...",
        "NAME",
    )
    task: str | None = flag(
        None, "With --predictions: classification or regression; else the truth tells.", "TASK"
    )
    best_possible: float | None = flag(
        None,
        "With --predictions: best score that anything could reach.",
        "SCORE",
        "Options",
        _ANY_SCORE,
    )


@dataclass(frozen=True)
class RangeFlags:
    """Which learning rates are tried, and for how long: the arguments of `rate_range`."""

    low: float | None = flag(None, "Lowest rate; default 0.00001.", "RATE", RANGE, _ANY_RATE)
    high: float | None = flag(None, "Highest rate; default 10.", "RATE", RANGE, _ANY_RATE)
    rates: int | None = flag(
        None, "Rates between them, 5 or more; default 25.", "N", RANGE, IntegerInterval(5, 1_000)
    )
    runs: int | None = flag(
        None, "Seeds of each rate; default 4.", "N", RANGE, IntegerInterval(1, 100)
    )
    epochs: int | None = flag(
        None,
        "Epochs of each; by default an eighth of the network's, 3 to 10.",
        "N",
        RANGE,
        HYPERPARAMETERS["epochs"].constraint,
    )
    seed: int = flag(0, "Seed of the first run.", "N", RANGE, _SEED)
    program: str | None = flag(
        None, "What trains: native or jax; by default the fastest here.", "PROGRAM", RANGE
    )
    memory: str | None = flag(
        None, "Memory for data and networks, as in 512MB or 4GB.", "SIZE", RANGE
    )


@dataclass(frozen=True)
class CurveRuns:
    """How many networks a learning curve is made of."""

    runs: int | None = flag(
        None,
        "Networks of each size, each with rows and a seed of its own; default 8.",
        "N",
        constraint=IntegerInterval(3, 100),
    )


@dataclass(frozen=True)
class WhichModel:
    """Which of a study's models."""

    model: str = flag(
        "best",
        "Which model: best, refit (see deepwell refit) or ensemble (see deepwell ensemble).",
        "WHICH",
        constraint=_MODELS,
    )


@dataclass(frozen=True)
class ReportFile:
    """Where a report goes."""

    output: str | None = output("Write it to this file; by default it is printed.")


@dataclass(frozen=True)
class Prediction:
    """What to predict with, for and to."""

    name: str = argument("Name of a study, or path of a model.", "NAME")
    source: str = argument("A table with the model's columns; others are ignored.", "DATA")
    output: str | None = output("Write the CSV to this file; by default it is printed.")
    samples: int = flag(
        0,
        "Average as many networks with dropout on, and tell their spread.",
        "N",
        constraint=_COUNT,
    )
    coverage: float | None = flag(
        None,
        "Add the classes, or the interval, that hold the truth in this share of rows.",
        "SHARE",
        constraint=_COVERAGE,
    )
    adaptive: bool = flag(False, "With --coverage: larger where the network is less sure.")


@dataclass(frozen=True)
class Calibration:
    """What to store with a model."""

    threshold: str | None = flag(
        None,
        "Of two classes, the decision threshold for f1, balanced_error or cost=R: one missed row "
        "of the second class costs as much as R false alarms.",
        "GOAL",
    )
    off: bool = flag(False, "Take temperature and threshold away.")


@dataclass(frozen=True)
class GradientOf:
    """Which gradient to check, and how."""

    target: str = argument(
        "A Python file, which is run, and a function in it that returns what to check: "
        "(cost, gradient, theta) of any library, (loss, params, ...) in JAX, or the result of "
        "dw.check_gradients.",
        "FILE:FUNCTION",
    )
    steps: int | None = flag(
        None, "Steps of descent before the second look; default 10.", "N", constraint=_COUNT
    )
    seed: int | None = flag(
        None, "Seed of the random directions; default 0.", "N", constraint=_SEED
    )


@dataclass(frozen=True)
class SampleFile:
    """Which sample table, and where it goes."""

    sample: str = argument("digits, breast-cancer, wine, iris or diabetes.", "NAME")
    output: str | None = output("Write the table to this file; by default NAME.csv.")


@dataclass(frozen=True)
class LabFigures:
    """Which figures of the field guide, and where they go."""

    names: tuple[str, ...] = arguments("Figures to draw, or all.", "NAME...")
    output: str | None = output("Folder for the files; by default ./lab.", "FOLDER")
    list: bool = flag(False, "List the figures and what they show; draw none.")


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
