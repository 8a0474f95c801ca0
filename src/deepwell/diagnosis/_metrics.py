"""The metrics by name."""

from __future__ import annotations

from deepwell._base._registry import Registry

from .metrics._auc import auc
from .metrics._balanced_error import balanced_error
from .metrics._error import error
from .metrics._f1 import f1
from .metrics._log_loss import log_loss
from .metrics._mae import mae
from .metrics._metric import Metric as Metric
from .metrics._r2 import r2
from .metrics._rmse import rmse

METRICS: Registry[Metric] = Registry(
    "metric", {m.name: m for m in (error, log_loss, auc, f1, balanced_error, rmse, mae, r2)}
)


def default_metric(task: str) -> Metric:
    """Return what a study of `task` selects by: the error rate, or the RMSE for regression."""
    return rmse if task == "regression" else error
