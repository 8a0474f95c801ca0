"""The simple models that every network has to beat, fitted while the networks train."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace

from deepwell.data._data import Data
from deepwell.data._folds import Folds
from deepwell.diagnosis._baselines import BaselinePrediction, constant_guess, linear_model
from deepwell.diagnosis._logistic import loaded_solver
from deepwell.diagnosis._metrics import Metric
from deepwell.records import Baseline

from ._affordable import affordable
from ._evaluate import score_baseline, targets


@dataclass(frozen=True)
class SimpleModel:
    """A baseline's predictions and its score as shown."""

    prediction: BaselinePrediction
    shown: Baseline


def fit_baselines(data: Data, metric: Metric, seed: int) -> tuple[SimpleModel, ...]:
    """Return the constant guess and the linear model, scored on the dev rows.

    On one core: the networks train on the others meanwhile, and BLAS threads would wait for each
    other beside them.
    """
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    data = affordable(data)
    y, weight = targets(data, data.train), data.train.weight
    classes = data.task.classes
    if classes:  # what fits them has BLAS threads of its own, limited only once it is loaded
        loaded_solver()
    with threadpool_limits(1, user_api="blas"):
        fitted = (
            constant_guess(metric, y, len(data.dev), classes, weight),
            linear_model(data.task.kind, data.train.x, y, data.dev.x, len(classes), seed, weight),
        )
    return tuple(SimpleModel(b, score_baseline(data, b, metric, seed)) for b in fitted)


def fit_baselines_of_folds(folds: Folds, metric: Metric, seed: int) -> tuple[SimpleModel, ...]:
    """Return the simple models fitted fold by fold, each row predicted by those that saw others."""
    fitted = [fit_baselines(folds.data(f), metric, seed) for f in range(len(folds.parts))]
    together: list[SimpleModel] = []
    for same in zip(*fitted, strict=True):
        of_folds = dict(enumerate(one.prediction.prediction_dev for one in same))
        said = replace(same[0].prediction, prediction_dev=folds.in_order(of_folds))
        together.append(SimpleModel(said, score_baseline(folds.whole, said, metric, seed)))
    return tuple(together)


class PendingBaselines:
    """Baselines at work in a thread of their own, from the first recorded epoch on.

    Loading what fits them takes longer than the first networks do, and no decision of the search
    rests on them: whoever waits for the first scores does not wait for these. They begin once the
    networks are at work, since imports would hold the interpreter while those are made ready.

    Args:
        fit: returns the simple models.
        tell: hears them, once, in the thread that asks.
    """

    def __init__(
        self,
        fit: Callable[[], tuple[SimpleModel, ...]],
        tell: Callable[[tuple[SimpleModel, ...]], None],
    ) -> None:
        self._fit = fit
        self._tell = tell
        self._told = False
        self._fitted: Future[tuple[SimpleModel, ...]] | None = None

    def begin(self) -> None:
        """Begin to fit, if that was not begun before."""
        if self._fitted is None:
            pool = ThreadPoolExecutor(1, thread_name_prefix="baselines")
            self._fitted = pool.submit(self._fit)
            pool.shutdown(wait=False)

    def tell_if_ready(self) -> None:
        """Tell the simple models if they are fitted and were not told yet.

        Raises:
            Exception: what fitting them raised.
        """
        if self._fitted is not None and self._fitted.done():
            self.wait()

    def wait(self) -> tuple[SimpleModel, ...]:
        """Return the simple models, told before, as soon as they are fitted."""
        self.begin()
        assert self._fitted is not None
        fitted = self._fitted.result()
        if not self._told:
            self._told = True
            self._tell(fitted)
        return fitted
