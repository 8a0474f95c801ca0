"""The end of a cross-validated study: scores out of fold, and a last network trained on all rows.

Every score is of rows that a network was not trained on: the networks of the best configuration,
each on its own fold, together on every row once. The network that is saved is one more, of the
same configuration and seed, trained on all these rows for as many epochs as the folds' best ones
were on average. It has no dev rows of its own; the cross-validated score is what to expect of it,
a little on the safe side, since it was trained on more rows.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell._base._errors import StudyError
from deepwell.data._folds import Folds
from deepwell.diagnosis._metrics import Metric
from deepwell.execution._backends import choose_backend
from deepwell.execution._local import LocalEngine
from deepwell.execution._members import architecture_of
from deepwell.networks._exact_statistics import with_exact_statistics
from deepwell.networks._forward import predictions
from deepwell.records import Status, Trial, TrialSpec
from deepwell.search.schedulers._across_folds import configurations
from deepwell.training._program import Outcome, State

from ._arrays import shape_of, training_rows
from ._evaluate import Scored, score_predictions, targets


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
    engine: LocalEngine, best: Trial, folds: Folds, metric: str, memory: int | None
) -> dict[str, np.ndarray]:
    """Return the weights of the configuration trained on all rows for the folds' mean epochs.

    Raises:
        StudyError: when it diverges, which no network of a fold did by then.
    """
    spec = best.spec
    values = {**spec.hyperparameters, "patience": 0}
    alone = TrialSpec(values, spec.seed, spec.order_seed, spec.dtype)
    rows, shape = training_rows(folds.whole), shape_of(folds.whole, metric)
    with contextlib.closing(
        LocalEngine(rows, shape, choose_backend(engine.name), memory)
    ) as trainer:
        trainer.prepare({0: alone}, trainer.plan({0: alone}, best.best_epoch))
        for _ in trainer.train([0], best.best_epoch, lambda: False):
            pass
        state: State = dict(trainer.states([0])[0])
    if int(state["outcome"]) == Outcome.DIVERGED:
        raise StudyError(
            f"the best configuration diverged when trained on all {shape.train_rows:,} rows; "
            "search lower learning rates, as in --space learning_rate=log(1e-5,1e-2)"
        )
    wanted = [name.removeprefix("best/") for name in state if name.startswith("best/")]
    return {name: state[name] for name in wanted}


def _predicted(
    engine: LocalEngine, best: Trial, fold: int, folds: Folds, x: np.ndarray
) -> np.ndarray:
    """Return predictions by a fold's network for rows encoded as its fold is."""
    data = folds.whole
    task = data.task
    architecture = architecture_of(best.spec, x.shape[1], task.outputs, task.loss, data.image)
    parameters = engine.best_parameters(best.number + fold)
    if best.spec.text("batch_norm_statistics") == "exact":
        train = folds.parts[fold][0]
        parameters = with_exact_statistics(architecture, parameters, train.x, train.weight)
    raw = predictions(architecture, parameters, x)
    return raw if data.task.kind == "classification" else data.target_encoder.original(raw)
