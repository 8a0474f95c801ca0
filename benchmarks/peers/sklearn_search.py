"""scikit-learn's RandomizedSearchCV over MLPClassifier, one job a core, no dropout.

`alpha` is L2 as a sum over a batch, so `alpha = l2 * batch` is our factor of W in the gradient.
The rows stay float32; the dev rows are the one fixed split; nothing is fitted again at the end.
Weights start by Glorot and Bengio's uniform rule, which cannot be chosen.
"""

from __future__ import annotations

import os
import time
import warnings
from typing import Any

import numpy as np
from job import Job, Outcome, dev_error, serve

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def scored(estimator: Any, x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """Return the error on the dev rows and the time."""
    finite = all(np.isfinite(w).all() for w in estimator.coefs_)
    error = dev_error(estimator.predict(x), y) if finite else 1.0
    return {"error": error, "at": time.time()}


def search(job: Job) -> Outcome:
    """Search over a list of single points: every one is tried once."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.model_selection import PredefinedSplit, RandomizedSearchCV
    from sklearn.neural_network import MLPClassifier

    os.environ["PYTHONWARNINGS"] = "ignore"  # of the workers: not converging is meant
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier(
        max_iter=job.epochs,
        batch_size=min(job.batch_size, len(job.x_train)),
        tol=0.0,
        n_iter_no_change=job.epochs + 1,
    )
    points = [_point(job, i) for i in range(len(job.configurations))]
    fold = np.r_[np.full(len(job.x_train), -1), np.zeros(len(job.x_dev), int)]
    tried = RandomizedSearchCV(
        model,
        points,
        n_iter=len(points),
        scoring=scored,
        n_jobs=job.workers,
        cv=PredefinedSplit(fold),
        refit=False,
        error_score=1.0,
    )
    tried.fit(np.r_[job.x_train, job.x_dev], np.r_[job.y_train, job.y_dev])
    found = tried.cv_results_
    scores = [1.0] * len(points)
    for parameters, error in zip(found["params"], found["mean_test_error"], strict=True):
        scores[parameters["random_state"] - job.seed * len(points)] = float(error)
    return Outcome(scores, [float(at) for at in found["mean_test_at"]])


def _point(job: Job, index: int) -> dict[str, list[Any]]:
    c = job.configurations[index]
    if c["dropout"] > 0:
        raise ValueError("MLPClassifier has no dropout: give configurations without")
    chosen = {
        "hidden_layer_sizes": tuple(c["hidden"]),
        "learning_rate_init": c["learning_rate"],
        "beta_1": c["beta1"],
        "beta_2": c["beta2"],
        "epsilon": c["epsilon"],
        "alpha": c["l2"] * job.batch_size,
        "random_state": job.seed * len(job.configurations) + index,
    }
    return {name: [value] for name, value in chosen.items()}


if __name__ == "__main__":
    serve(search, ("scikit-learn", "numpy"))
