"""The end of a cross-validated study: scores out of fold, and a last network trained on all rows.

Every score is of rows that a network was not trained on: the networks of the best configuration,
each on its own fold, together on every row once. The network that is saved is one more, of the
same configuration and seed, trained on all these rows for as many epochs as the folds' best ones
were on average. It has no dev rows of its own; the cross-validated score is what to expect of it,
a little on the safe side, since it was trained on more rows. Where that last training fails, the
network of a fold is saved instead, and the result says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.data._table_encoder import TableEncoder
from deepwell.diagnosis._metrics import Metric
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.networks._architecture import Architecture
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import predictions
from deepwell.records import Status, Trial, TrialSpec
from deepwell.search.schedulers._across_folds import configurations
from deepwell.training._state import best_parameters

from ._evaluate import Scored, score_predictions, targets
from ._train_on_all import trained_on_all


@dataclass(frozen=True)
class Saved:
    """The network that a study saves.

    Attributes:
        parameters: its weights.
        trial: what it is, with its numbers at the epoch of its weights.
        encoder: from a table to its inputs.
        fold: the one whose network it is, counted from 1; 0 for one trained on all rows.
        failure: why there is none that was trained on all rows, or an empty string.
    """

    parameters: Mapping[str, np.ndarray]
    trial: TrialSpec
    encoder: TableEncoder
    fold: int = 0
    failure: str = ""


@dataclass(frozen=True)
class OutOfFold:
    """The best configuration's scores.

    Attributes:
        scored: predictions and scores on all rows, each by networks that suit the purpose: for
            dev one that was not trained on the row, for train one that was.
        folds: the score of each fold's network on its own fold.
    """

    scored: Scored
    folds: tuple[float, ...]


def best_configuration(engine: LocalEngine, trials: Sequence[Trial], folds: int) -> Trial | None:
    """Return the configuration with the best mean whose networks are all there, or None.

    Its number is that of its first network.
    """
    ranked = sorted(configurations(trials, folds), key=Trial.rank_key)
    able = [c for c in ranked if math.isfinite(c.score) and c.status is not Status.FAILED]
    for one in able:
        numbers = range(one.number, one.number + folds)
        held = engine.states(numbers)
        if all(n in held and np.isfinite(held[n]["best_score"]) for n in numbers):
            return one
    return None


def score_out_of_fold(
    engine: LocalEngine, best: Trial, folds: Folds, metric: Metric, seed: int
) -> OutOfFold:
    """Return how the networks of a configuration do on the rows of their folds.

    The train score takes for each row the network of the next fold, which was trained on it, so
    that every row counts once.
    """
    data, count = folds.whole, len(folds.parts)
    scores: list[float] = []
    dev: dict[int, np.ndarray] = {}
    train: dict[int, np.ndarray] = {}
    for fold, (_, held_out) in enumerate(folds.parts):
        after = folds.rows_of((fold - 1) % count, fold)
        said = _predicted(engine, best, fold, folds, held_out.x)
        dev[fold] = said
        train[(fold - 1) % count] = _predicted(engine, best, fold, folds, after)
        scores.append(metric.loss(targets(data, held_out), said, held_out.weight))
    scored = score_predictions(data, folds.in_order(train), folds.in_order(dev), metric, seed)
    return OutOfFold(scored, tuple(scores))


def refit(
    engine: LocalEngine,
    best: Trial,
    folds: Folds,
    metric: str,
    memory: int | None,
    scores: Sequence[float],
) -> Saved:
    """Return the configuration trained on all rows for the folds' mean epochs.

    Where that diverges or runs out of memory, which no network of a fold did, the network of the
    fold with the middle score is as good as any to expect the cross-validated score of.

    Args:
        engine: that trained the folds.
        best: the configuration.
        folds: the rows.
        metric: that is watched.
        memory: bytes for rows and networks; None for no bound.
        scores: of the folds.
    """
    state = trained_on_all(engine.name, best.spec, best.best_epoch, folds.whole, (metric, memory))
    if isinstance(state, str):
        middle = sorted(range(len(scores)), key=scores.__getitem__)[(len(scores) - 1) // 2]
        return _of_fold(engine, best, folds, middle, state)
    spec = best.spec.during(int(state["best_epoch"]))
    parameters = normalized(best_parameters(state), spec, folds.whole)
    return Saved(parameters, spec, folds.whole.table_encoder)


def _of_fold(engine: LocalEngine, best: Trial, folds: Folds, fold: int, failure: str) -> Saved:
    """Return the network of a fold, without the inputs that are zeros in it."""
    encoder = folds.encoders[fold]
    spec, parameters = _network_of_fold(engine, best, fold, folds)
    first = parameters.get("weights/0")
    if first is not None and not spec.conv_channels:
        parameters = {**parameters, "weights/0": first[: len(encoder.mean)]}
    return Saved(parameters, spec, encoder, fold + 1, failure)


def _network_of_fold(
    engine: LocalEngine, best: Trial, fold: int, folds: Folds
) -> tuple[TrialSpec, Mapping[str, np.ndarray]]:
    """Return what a fold's network is at its best epoch, and its weights there."""
    number = best.number + fold
    state = engine.states([number])[number]
    spec = best.spec.during(int(state["best_epoch"]))
    return spec, normalized(best_parameters(state), spec, folds.data(fold))


def normalized(
    parameters: Mapping[str, np.ndarray], spec: TrialSpec, data: Data
) -> Mapping[str, np.ndarray]:
    """Return the weights with the statistics of batch normalization that the trial asks for."""
    if spec.text("batch_norm_statistics") != "exact":
        return parameters
    rows = data.train
    architecture = architecture_for(spec, data, rows.x.shape[1])
    return with_exact_statistics(architecture, parameters, rows.x, rows.weight)


def architecture_for(spec: TrialSpec, data: Data, inputs: int) -> Architecture:
    """Return the network of a specification for a study's data, encoded in so many inputs."""
    return architecture_of(spec, inputs, data.task.outputs, data.task.loss, data.image)


def _predicted(
    engine: LocalEngine, best: Trial, fold: int, folds: Folds, x: np.ndarray
) -> np.ndarray:
    """Return predictions by a fold's network for rows encoded as its fold is."""
    data = folds.whole
    spec, parameters = _network_of_fold(engine, best, fold, folds)
    raw = predictions(architecture_for(spec, data, x.shape[1]), parameters, x)
    return raw if data.task.kind == "classification" else data.target_encoder.original(raw)
