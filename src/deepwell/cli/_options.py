"""The options that several commands share, and those of commands on one study or model."""

from __future__ import annotations

from dataclasses import dataclass

from deepwell._base._constraints import IntegerInterval, Interval, OneOf
from deepwell._base._hyperparameters import HYPERPARAMETERS

from ._fit_options import ANY_SCORE, SEED, TRIALS
from ._flags import argument, arguments, flag, output

RANGE = "Range"

_COUNT = IntegerInterval(0, 100_000)
_ANY_RATE = Interval(0.0, 1e6, low_closed=False)
_REPLICATES = IntegerInterval(4, 256)
_MODELS = OneOf(("best", "refit", "ensemble"))
_COVERAGE = Interval(0.0, 1.0, low_closed=False, high_closed=False)


@dataclass(frozen=True)
class GoOn:
    """For how long a study goes on, and whether by another way."""

    trials: int | None = flag(
        None,
        "Train so many more networks when what was begun is done.",
        "N",
        constraint=TRIALS,
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
        ANY_SCORE,
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
    seed: int = flag(0, "Seed of the first run.", "N", RANGE, SEED)
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
    seed: int | None = flag(None, "Seed of the random directions; default 0.", "N", constraint=SEED)


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
