"""Tasks whose best possible score is known, and models whose gaps on them are known too.

Each task draws rows of a mixture of Gaussians, or of a function with known noise; each model
is a closed form (discriminant analysis or least squares), so that a thousand fits take seconds.
What is high is known from the mean over many draws, not from the rows that a verdict is given on.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from deepwell.diagnosis import METRICS, BiasVarianceEvidence, diagnose_bias_variance
from deepwell.diagnosis._best_possible import BestPossible, given_best
from deepwell.diagnosis._intervals import estimate, unpaired_difference
from deepwell.diagnosis._repeated_rows import floor_of, repeated_rows

CLAIMS = {"DW102": "bias", "DW101": "variance", "DW106": "mismatch"}
DENIALS = {"DW104": ("bias",), "DW103": ("variance",), "DW107": ("mismatch",)}
NONE_HIGH = ("bias", "variance", "mismatch")

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Task:
    """A task with a model that is not always up to it.

    Attributes:
        name: for the table.
        metric: what is measured.
        regime: what is high, `floor` for dev at the best possible score; empty for neither.
        best: the best possible score; None where it is to be bounded by repeated rows.
        n_train: train rows.
        draw: (rows, generator, shifted) -> rows; shifted for dev rows of a mismatch.
        features: what the model sees of the inputs.
        held_out: whether there are train-dev rows.
    """

    name: str
    metric: str
    regime: frozenset[str]
    best: float | None
    n_train: int
    draw: Callable[[int, np.random.Generator, bool], Rows]
    features: Callable[[np.ndarray], np.ndarray] = lambda x: x
    held_out: bool = False


def two(error: float, noise: int = 0, shift: float = 0.0):
    """Two Gaussians whose best error rate is `error`, with inputs that are noise beside them."""
    away = -norm.ppf(error)

    def draw(n: int, rng: np.random.Generator, shifted: bool) -> Rows:
        y = rng.integers(0, 2, n)
        x = rng.normal(size=(n, 1 + noise))
        x[:, 0] += away * (2 * y - 1) + (shift if shifted else 0.0)
        return x, y

    return draw


def bands(noise: int = 0):
    """Class 1 between two bands of class 0: no line parts them."""

    def draw(n: int, rng: np.random.Generator, shifted: bool) -> Rows:
        band = rng.integers(0, 3, n)
        x = rng.normal(size=(n, 1 + noise))
        x[:, 0] = 0.25 * x[:, 0] + 2.0 * (band - 1)
        return x, (band == 1).astype(np.int64)

    return draw


def codes(error: float):
    """Inputs of few values, each with an answer that is wrong with a known rate."""

    def draw(n: int, rng: np.random.Generator, shifted: bool) -> Rows:
        x = rng.integers(0, 2, (n, 7)).astype(float)
        y = ((x[:, 0] + x[:, 1] + x[:, 2] >= 2) ^ (rng.random(n) < error)).astype(np.int64)
        return x, y

    return draw


def numbers(noise: float, inputs: int, square: float = 0.0, shift: float = 0.0):
    """A linear function with a square part and noise of a known standard deviation."""

    def draw(n: int, rng: np.random.Generator, shifted: bool) -> Rows:
        x = rng.normal(size=(n, inputs))
        y = x[:, 0] + square * (x[:, 0] ** 2 - 1) + noise * rng.normal(size=n)
        return x, y + (shift if shifted else 0.0)

    return draw


def squares(x: np.ndarray) -> np.ndarray:
    return np.concatenate([x, x[:, :1] ** 2], axis=1)


def high(*names: str) -> frozenset[str]:
    return frozenset(names)


_BANDS_BEST = 4 / 3 * norm.cdf(-1 / 0.25)  # the four inner flanks, each a third of the rows


def entropy(error: float) -> float:
    """Return the best log loss of two Gaussians, by quadrature."""
    away = -norm.ppf(error)
    x = np.linspace(-12, 12, 20_001)
    cost = np.log1p(np.exp(-2 * away * x)) * norm.pdf(x, away)
    return float(cost.sum() * (x[1] - x[0]))


TASKS = (
    Task("two Gaussians", "error", high(), 0.005, 2_000, two(0.005)),
    Task("overlapping Gaussians", "error", high("floor"), 0.15, 2_000, two(0.15)),
    Task("bands", "error", high("bias"), _BANDS_BEST, 2_000, bands()),
    Task("bands, squared inputs", "error", high(), _BANDS_BEST, 2_000, bands(), squares),
    Task("100 noise inputs", "error", high("variance"), 0.005, 115, two(0.005, 100)),
    Task("bands, 80 noise inputs", "error", high("bias", "variance"), 0.0, 240, bands(80)),
    Task("shifted", "error", high("mismatch"), 0.02, 2_000, two(0.02, 0, 2.0), held_out=True),
    Task("not shifted", "error", high(), 0.005, 2_000, two(0.005), held_out=True),
    Task("codes", "error", high("floor"), None, 4_000, codes(0.1)),
    Task("Gaussians", "log_loss", high("floor"), entropy(0.05), 2_000, two(0.05)),
    Task("bands", "log_loss", high("bias"), 0.02, 2_000, bands()),
    Task("100 noise inputs", "log_loss", high("variance"), entropy(0.02), 115, two(0.02, 100)),
    Task("line", "rmse", high("floor"), 0.5, 2_000, numbers(0.5, 5)),
    Task("curve", "rmse", high("bias"), 0.2, 2_000, numbers(0.2, 5, 0.7)),
    Task("60 inputs", "rmse", high("variance"), 0.5, 90, numbers(0.5, 60)),
    Task("curve, 60 inputs", "rmse", high("bias", "variance"), 0.1, 150, numbers(0.1, 60, 1.2)),
    Task("line, shifted", "rmse", high("mismatch"), 0.5, 2_000, numbers(0.5, 5, 0.0, 0.8),
         held_out=True),
)  # fmt: skip


def fitted(metric: str, x: np.ndarray, y: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """Return linear discriminant analysis with equal shares, or least squares."""
    ones = np.ones((len(x), 1))
    if METRICS[metric].task == "regression":
        weights = np.linalg.lstsq(np.concatenate([x, ones], axis=1), y, rcond=None)[0]
        return lambda rows: rows @ weights[:-1] + weights[-1]
    means = np.stack([x[y == c].mean(axis=0) for c in (0, 1)])
    within = x - means[y]
    covariance = within.T @ within / (len(x) - 2) + 1e-6 * np.eye(x.shape[1])
    weights = np.linalg.solve(covariance, means[1] - means[0])
    share = math.log(max(1e-9, y.mean()) / max(1e-9, 1 - y.mean()))
    bias = share - weights @ means.mean(axis=0)

    def said(rows: np.ndarray) -> np.ndarray:
        p = 1 / (1 + np.exp(-np.clip(rows @ weights + bias, -30, 30)))
        return np.stack([1 - p, p], axis=1)

    return said


def evidence_of(task: Task, n_dev: int, rng: np.random.Generator):
    """Return what is measured of a model that is fitted anew, and what is known to be best."""
    metric = METRICS[task.metric]
    x, y = task.draw(task.n_train, rng, False)
    predict = fitted(task.metric, task.features(x), y)
    scored = {"train": (x, y), "dev": task.draw(n_dev, rng, True)}
    if task.held_out:
        scored["train-dev"] = task.draw(n_dev, rng, False)
    said = {part: predict(task.features(rows[0])) for part, rows in scored.items()}
    scores = {part: estimate(metric, scored[part][1], said[part]) for part in scored}
    y_dev = scored["dev"][1]
    if metric.task == "regression":
        guess = np.full(n_dev, y.mean())
    else:
        guess = np.tile([1 - y.mean(), y.mean()], (n_dev, 1))
    given = BiasVarianceEvidence(
        metric=task.metric,
        train=scores["train"],
        n_train=task.n_train,
        dev=scores["dev"],
        n_dev=n_dev,
        gap=unpaired_difference(scores["dev"], scores["train"]),
        constant=metric.loss(y_dev, guess),
        train_dev=scores.get("train-dev"),
        n_train_dev=n_dev if task.held_out else 0,
    )
    if task.best is not None:
        return given, given_best(task.best)
    together = np.concatenate([x, scored["dev"][0]]), np.concatenate([y, y_dev])
    return given, BestPossible(floor=floor_of(repeated_rows(metric, *together, classes=2)))


def verdict(task: Task, codes_found: set[str]) -> str:
    """Return whether the findings are `right`, `wrong`, or leave it open: `abstained`."""
    claimed = {CLAIMS[c] for c in codes_found if c in CLAIMS}
    gaps = task.regime - {"floor"}
    denied = {name for c in codes_found for name in DENIALS.get(c, ())}
    if "DW100" in codes_found:
        denied |= set(NONE_HIGH)
    if claimed - gaps or denied & gaps or ("DW108" in codes_found and gaps):
        return "wrong"
    if task.regime == {"floor"}:
        return "right" if "DW108" in codes_found else "abstained"
    quiet = "DW100" in codes_found if not gaps else True
    return "right" if claimed == gaps and quiet else "abstained"


def rounds_of(task: Task) -> int:
    """Return how many draws tell a share; the bootstrap of other metrics takes its time."""
    return 100 if task.metric == "error" else 25


def verdicts(task: Task, n_dev: int, rounds: int, seed: int = 0) -> dict[str, float]:
    """Return the shares of right, wrong and withheld verdicts over new draws of all rows."""
    rng = np.random.default_rng([seed, n_dev])
    found = []
    for _ in range(rounds):
        given, best = evidence_of(task, n_dev, rng)
        found.append(verdict(task, {f.code for f in diagnose_bias_variance(given, best)}))
    return {kind: found.count(kind) / rounds for kind in ("right", "wrong", "abstained")}


if __name__ == "__main__":
    for task in TASKS:
        row = [verdicts(task, n, rounds_of(task)) for n in (60, 2_000)]
        shares = " ".join(
            f"{100 * r[kind]:5.0f}" for r in row for kind in ("right", "wrong", "abstained")
        )
        told = "+".join(sorted(task.regime)) or "neither"
        print(f"{task.name:26} {task.metric:9} {told:14} {shares}", flush=True)
