"""scikit-learn's HalvingRandomSearchCV over MLPClassifier against the clock, one job a core.

The resource is epochs: 90 networks for 3 epochs, the best third for 9 and the best ninth for all
30, then 90 new ones. Each look trains a network anew from its start, since the search cannot go on
with one. `alpha` is L2 as a sum over a batch, so `alpha = l2 * batch` is our factor of W in the
gradient. No dropout, which MLPClassifier has not; weights start by Glorot and Bengio's rule.
"""

from __future__ import annotations

import importlib
import os
import time
import warnings
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from job import dev_error
from target_job import Range, Work, serve

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["PYTHONWARNINGS"] = "ignore"  # of the workers: not converging is meant

_CANDIDATES, _RUNGS = 90, 3
_FIRST = 0.1  # of all epochs at the first rung
_TITLES = {"learning_rate": "learning_rate_init", "beta1": "beta_1"}


class Drawn:
    """A range, or several that make one setting, in the form in which scikit-learn draws."""

    def __init__(self, *ranges: Range, batch: int = 0) -> None:
        self._ranges, self._batch = ranges, batch

    def rvs(self, size: Any = None, random_state: Any = None) -> Any:
        """Return one setting: units of each layer, alpha, or the value itself."""
        del size
        values = [_value(one, random_state.uniform()) for one in self._ranges]
        if len(values) > 1:
            return _hidden(*values)
        return values[0] * self._batch if self._batch else values[0]


class Seeds:
    """Seeds of weights and order."""

    def rvs(self, size: Any = None, random_state: Any = None) -> int:
        """Return one."""
        del size
        return int(random_state.randint(2**31 - 1))


def scored(estimator: Any, x: np.ndarray, y: np.ndarray, work: Work) -> float:
    """Return the accuracy on some rows; that of all epochs on the dev rows goes to the trace."""
    finite = all(np.isfinite(w).all() for w in estimator.coefs_)
    error = dev_error(estimator.predict(x), y) if finite else 1.0
    if estimator.max_iter >= work.job.epochs and np.array_equal(y, work.job.y_dev):
        work.finished(error)
    return 1 - error


def search(work: Work) -> None:
    """Halve one set of candidates after another until time is over."""
    from joblib import Parallel, delayed
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingRandomSearchCV, PredefinedSplit

    job = work.job
    fold = np.r_[np.full(len(job.x_train), -1), np.zeros(len(job.x_dev), int)]
    x, y = np.r_[job.x_train, job.x_dev], np.r_[job.y_train, job.y_dev]
    first = max(1, round(_FIRST * job.epochs))
    drawn, model = _drawn(work), _model(work)
    Parallel(n_jobs=job.workers)(delayed(_loaded)(n) for n in range(4))  # starts the workers
    work.ready()
    end, turn = time.monotonic() + work.seconds, 0
    while time.monotonic() < end:
        HalvingRandomSearchCV(
            model,
            drawn,
            n_candidates=_CANDIDATES,
            factor=(job.epochs / first) ** (1 / (_RUNGS - 1)),
            resource="max_iter",
            min_resources=first,
            max_resources=job.epochs,
            scoring=partial(scored, work=work),
            n_jobs=job.workers,
            cv=PredefinedSplit(fold),
            refit=False,
            return_train_score=False,  # else the train rows are scored too
            error_score=0.0,
            random_state=1_000_003 * job.seed + turn,
        ).fit(x, y)
        turn += 1


def _loaded(turn: int) -> int:
    """Import what a worker needs, as a part of its start-up; long enough for each to get one."""
    importlib.import_module("sklearn.neural_network")
    time.sleep(0.05)
    return turn


def given(work: Work) -> Sequence[float]:
    """Train the listed networks to the end."""
    from joblib import Parallel, delayed

    job = work.job
    if any(c["dropout"] > 0 for c in job.configurations):
        raise ValueError("MLPClassifier has no dropout: give configurations without")
    settings = [
        {
            "hidden_layer_sizes": tuple(c["hidden"]),
            "learning_rate_init": c["learning_rate"],
            "beta_1": c["beta1"],
            "alpha": c["l2"] * job.batch_size,
            "random_state": 1_000_003 * job.seed + n,
        }
        for n, c in enumerate(job.configurations)
    ]
    return Parallel(n_jobs=job.workers)(delayed(_trained)(work, s) for s in settings)


def _trained(work: Work, settings: dict[str, Any]) -> float:
    job, model = work.job, _model(work).set_params(**settings, max_iter=work.job.epochs)
    return 1 - scored(model.fit(job.x_train, job.y_train), job.x_dev, job.y_dev, work)


def _model(work: Work) -> Any:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    warnings.simplefilter("ignore", ConvergenceWarning)
    return MLPClassifier(
        batch_size=min(work.job.batch_size, len(work.job.x_train)),
        beta_2=work.fixed["beta2"],
        epsilon=work.fixed["epsilon"],
        tol=0.0,
        n_iter_no_change=work.job.epochs + 1,
    )


def _drawn(work: Work) -> dict[str, Any]:
    """Return what is drawn for each setting of the classifier."""
    ranges = {one.name: one for one in work.space}
    layers, units = ranges.pop("hidden_layers"), ranges.pop("hidden_units")
    l2 = ranges.pop("l2")
    return {
        "hidden_layer_sizes": Drawn(layers, units),
        "alpha": Drawn(l2, batch=work.job.batch_size),
        "random_state": Seeds(),
        **{_TITLES[name]: Drawn(one) for name, one in ranges.items()},
    }


def _hidden(layers: int, units: int) -> tuple[int, ...]:
    return (units,) * layers


def _value(one: Range, unit: float) -> Any:
    if one.kind == "integer":
        return int(one.low) + int(unit * (one.high - one.low + 1))
    if one.kind == "uniform":
        return one.low + unit * (one.high - one.low)
    if one.kind == "log":
        return one.low * (one.high / one.low) ** unit
    return 1 - (1 - one.low) * ((1 - one.high) / (1 - one.low)) ** unit


if __name__ == "__main__":
    serve(search, given, ("scikit-learn", "numpy"))
