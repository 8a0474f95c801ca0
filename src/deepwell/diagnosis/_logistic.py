"""Logistic regression: the convex cost and its gradient, minimized by SciPy's L-BFGS-B.

    cost = mean_i -log p_i[y_i] + |W|^2 / (2 C n),  p = softmax(x W + b)

with the weighted mean and n = sum of the weights where rows have them: two rows of weight 1 are
one of weight 2.

Large inputs are multiplied in float32, in half the time; the cost itself is summed in float64.

With two classes p = 1 / (1 + exp(-(x w + b))). It is the estimator that scikit-learn has under that
name, without the 1.7 s of processor time that importing it takes.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_PREDICTED = 20_000  # rows of a prediction at a time
_FLAT = 1e-4  # largest slope of a solution
_LARGE = 5_000_000  # rows x inputs x outputs from which float32 does: its error is far below _FLAT


class LogisticPath:
    """Logistic regression fitted again and again, each time from the last solution.

    Args:
        n_classes: C, columns of a prediction; a class that was not seen gets probability 0.
        steps: iterations of a fit, at most.

    Attributes:
        converged: whether the last fit ended where the cost is flat.
    """

    def __init__(self, n_classes: int, steps: int) -> None:
        self._n_classes, self._steps = n_classes, steps
        self._seen = np.zeros(0, np.intp)
        self._solution: np.ndarray = np.zeros((0, 0))
        self.converged = True

    def fit(
        self, x: np.ndarray, y: np.ndarray, strength: float, weight: np.ndarray | None = None
    ) -> None:
        """Minimize the cost.

        Args:
            x: (n, D) inputs.
            y: (n,) class numbers.
            strength: C of the penalty, above 0; smaller is a stronger one.
            weight: (n,) of the rows, at least 0; ones when not given.
        """
        solver = loaded_solver()
        self._seen, place = np.unique(y, return_inverse=True)
        if len(self._seen) == 1:
            return
        target = np.eye(len(self._seen))[place]
        target = target[:, 1:] if len(self._seen) == 2 else target
        shape = (x.shape[1] + 1, target.shape[1])
        dtype = np.float32 if len(x) * shape[0] * shape[1] > _LARGE else np.float64
        inputs = np.ones((len(x), shape[0]), dtype)
        inputs[:, :-1] = x
        target = target.astype(dtype)
        weight = np.ones(len(x)) if weight is None else weight
        total = float(weight.sum())
        share, penalty = (weight / total)[:, None], 1.0 / (strength * total)
        start = self._solution if self._solution.shape == shape else np.zeros(shape)

        def cost(flat: np.ndarray) -> tuple[float, np.ndarray]:
            return _cost(flat.reshape(shape), inputs, target, share, penalty)

        options = {"maxiter": self._steps, "maxls": 50, "gtol": _FLAT, "ftol": 64 * 2.0**-52}
        found = solver.minimize(cost, start.ravel(), jac=True, method="L-BFGS-B", options=options)
        self._solution = np.array(found.x, np.float64).reshape(shape)
        self.converged = bool(found.nit < self._steps)

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Return (n, C) probabilities."""
        probability = np.zeros((len(x), self._n_classes))
        if len(self._seen) == 1:
            probability[:, self._seen] = 1.0
            return probability
        weights, bias = self._solution[:-1], self._solution[-1]
        for start in range(0, len(x), _PREDICTED):
            part = slice(start, start + _PREDICTED)
            outputs = x[part].astype(np.float64) @ weights + bias
            probability[part, self._seen] = _probabilities(outputs)
        return probability


def loaded_solver() -> Any:
    """Return SciPy's minimizers; the BLAS threads they bring can be limited from now on."""
    from scipy import optimize  # type: ignore[import-untyped]

    return optimize


def _cost(
    weights: np.ndarray,
    inputs: np.ndarray,
    target: np.ndarray,
    share: np.ndarray,
    penalty: float,
) -> tuple[float, np.ndarray]:
    """Return the cost and its gradient; the last row of the weights, the bias, bears no penalty."""
    outputs = inputs @ weights.astype(inputs.dtype)
    if target.shape[1] == 1:
        losses = np.logaddexp(0.0, outputs) - target * outputs
        slope = _probabilities(outputs)[:, 1:] - target
    else:
        outputs -= outputs.max(axis=1, keepdims=True)
        e = np.exp(outputs)
        whole = e.sum(axis=1, keepdims=True)
        losses = np.log(whole) - (target * outputs).sum(axis=1, keepdims=True)
        slope = e / whole - target
    slope *= share
    shrunk = weights.copy()
    shrunk[-1] = 0.0
    value = (losses * share).sum() + 0.5 * penalty * float((shrunk**2).sum())
    return float(value), (inputs.T @ slope.astype(inputs.dtype) + penalty * shrunk).ravel()


def _probabilities(outputs: np.ndarray) -> np.ndarray:
    """Return (n, K) probabilities; one column of outputs is the log odds of the second class."""
    if outputs.shape[1] == 1:
        outputs = np.column_stack([np.zeros(len(outputs)), outputs])
    e = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)
