"""Runs whose kind of error is known: rows and best score are made by us, so gaps can be measured.

The truth is measured on 100,000 rows of the world: bias is the train score above the best possible,
variance the score on rows like train above that, or above the best possible where train rows learnt
by heart are below it: nothing gets better than that. Mismatch is the score on rows like dev above
that on rows like train. Each is high where it exceeds the material size that Deepwell goes by;
where none is and the world's score is within that size of a best possible one that is larger, the
network is at the noise floor. A gap within half of that size from it is a borderline case, told
apart. So is a run with too few rows: rows are enough where each gap is so many of its standard
errors from the size that a test at 5 % would tell 9 times in 10.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from deepwell.diagnosis._bias_variance import material_size
from deepwell.diagnosis._metrics import METRICS

from .case import Case, Rows
from .diagnosed import Said
from .task import Task
from .training import METRIC, constant_score

SEEDS = (1, 2, 3)
_WORLD = 100_000
_TELLS = float(norm.ppf(0.975) + norm.ppf(0.9))  # standard errors: 5 % two-sided, power 90 %
_ELSEWHERE = 0.8  # added to the inputs of rows from elsewhere, in deviations of train's

SETUPS: Mapping[str, tuple[tuple[int, int], Mapping[str, object]]] = {
    "as it should be": ((2000, 2000), {}),
    "too few units": ((2000, 2000), {"hidden_units": (1,), "dropout": 0.0}),
    "penalty too strong": ((2000, 2000), {"l2": 0.5}),
    "few rows": ((80, 2000), {"hidden_units": (128, 128), "dropout": 0.0, "patience": 0}),
    "few rows, few epochs": ((150, 2000), {"hidden_units": (64, 64), "epochs": 3}),
    "few dev rows": ((600, 40), {}),
    "many dev rows": ((600, 60_000), {}),
    "dev from elsewhere": ((4000, 2000), {}),
}
"""Name -> (train and dev rows, settings beside the task's)."""

TRAIN_DEV: Mapping[str, int] = {"dev from elsewhere": 2000}
"""Name -> rows held out of train, where dev rows and the world are from elsewhere."""


@dataclass(frozen=True)
class Regime:
    """One run with a known truth; the user knows the best possible score and says it."""

    name: str
    task: Task
    seed: int

    @property
    def key(self) -> str:
        """Its name in the results."""
        return f"regime/{self.name}/{self.task.name}/{self.seed}"

    def case(self) -> Case:
        """Return the case, with many rows of the world."""
        sizes, values = SETUPS[self.name]
        held_out = TRAIN_DEV.get(self.name, 0)
        drawn = replace(self.task, sizes=(*sizes, _WORLD)).case(self.seed)
        case = replace(drawn.with_settings(**values), best_possible=self.task.best)
        if not held_out:
            return case
        shift = _ELSEWHERE * case.train.x.std(axis=0)
        moved = {n: _moved(getattr(case, n), shift) for n in ("dev", "deployed")}
        options = {**case.options, "train_dev": held_out}
        return replace(case.with_rows(**moved), options=options, like_train=case.deployed)


def _moved(rows: Rows, shift: np.ndarray) -> Rows:
    return replace(rows, x=rows.x + shift)


def regimes(tasks: Iterable[Task]) -> tuple[Regime, ...]:
    """Return all runs on those of these tasks whose best score is known."""
    known = [task for task in tasks if task.best is not None]
    return tuple(Regime(*which) for which in itertools.product(SETUPS, known, SEEDS))


def verdict(said: list[Said] | tuple[Said, ...]) -> dict[str, object]:
    """Return what is said to be left.

    Returns:
        `verdict`, what is high, `noise floor`, `neither`, or `abstains` where anything cannot be
        told; `called`, what is said to be high whatever cannot be told beside it.
    """
    problems = {s.code for s in said if s.level == "problem"}
    told = {s.code for s in said}
    high = [name for name, code in _CODES.items() if code in problems]
    if told & {"DW110", "DW111", "DW112", "DW113"}:
        words = "abstains"
    elif high:
        words = _named(high)
    elif "DW108" in told:
        words = "noise floor"
    else:
        words = "neither" if "DW100" in told else "abstains"
    return {"verdict": words, "called": high}


def truth(
    case: Case, train: float, world: float, like_train: float = math.nan
) -> dict[str, object]:
    """Return what kind of error is left, from scores on the train rows and of the world.

    >>> from .tasks import GAUSS
    >>> case = replace(GAUSS.case(0), best_possible=0.07)
    >>> truth(case, train=0.30, world=0.31)["regime"]
    'bias'

    Args:
        case: with its best possible score.
        train: score on the train rows.
        world: score on rows like dev.
        like_train: score on rows like train, where dev rows are from elsewhere.
    """
    assert case.best_possible is not None
    best = case.best_possible
    size = material_size(METRICS[METRIC[case.kind]], constant_score(case), best)
    held_out = int(str(case.options.get("train_dev", 0)))
    n_train, n_dev = len(case.train) - held_out, len(case.dev)
    known, of_dev = _error(case, train, n_train), _error(case, world, n_dev)
    apart = held_out > 0
    new, of_new = (like_train, _error(case, like_train, held_out)) if apart else (world, of_dev)
    start, of_start = (train, known) if train > best else (best, 0.0)
    gaps = {
        "bias": (train - best, known),
        "variance": (new - start, math.hypot(of_new, of_start)),
    }
    if apart:
        gaps["mismatch"] = world - like_train, math.hypot(of_dev, of_new)
    high = [name for name, (gap, _) in gaps.items() if gap > size]
    if not high and best > size:
        gaps["left"] = world - best, of_dev
    floor = "left" in gaps and gaps["left"][0] <= size
    return {
        "regime": _named(high) or ("noise floor" if floor else "neither"),
        "high": high,
        "clear": all(abs(gap - size) > size / 2 for gap, _ in gaps.values()),
        "adequate": all(abs(gap - size) >= _TELLS * error for gap, error in gaps.values()),
        "material": size,
        **{name: gap for name, (gap, _) in gaps.items()},
    }


_CODES = {"bias": "DW102", "variance": "DW101", "mismatch": "DW106"}


def _named(high: list[str]) -> str:
    return "both" if high == ["bias", "variance"] else " and ".join(high)


def _error(case: Case, score: float, rows: int) -> float:
    """Return the standard error of a score on so many rows.

    Of an error rate that of Agresti and Coull (1998), with two rows of each kind added, so that
    none wrong of a few is not taken for certain; of an RMSE that of normal errors.
    """
    if case.kind == "regression":
        return score / math.sqrt(2 * rows)
    share = (score * rows + 2) / (rows + 4)
    return math.sqrt(share * (1 - share) / (rows + 4))
