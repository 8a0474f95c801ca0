"""Does the network say the same of every row?

If predictions spread by s times what the target does, they explain at most the share 2 s - s^2 of
its variance: their covariance with the target is at most s times the target's variance. A spread of
0.5 % is therefore worth less than 1 % whatever the predictions are, and such an output is constant
for all purposes. Where nothing can be predicted a constant is right; so it is a problem only where
another model does better on the same rows.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from deepwell.records import Estimate, Finding

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text

CONSTANT = 0.005  # 2 s < 0.01
LEVEL = 0.02
_NO_SPREAD = "the dev target is constant, or a prediction is not finite"


def output_spread(prediction: np.ndarray, y: np.ndarray) -> float:
    """Return how much predictions vary from row to row, over how much the target does.

    Args:
        prediction: (n, C) probabilities or (n,) values.
        y: (n,) class indices or values.

    Returns:
        Root of the summed variances of the columns over that of the targets as indicators; NaN
        where the target is constant, or a prediction is not finite.
    """
    if not np.isfinite(prediction).all():
        return math.nan
    if prediction.ndim == 2:
        counts = np.bincount(np.asarray(y, np.int64), minlength=prediction.shape[1])
        shares: np.ndarray = counts / max(1, len(y))
        total = float((shares * (1 - shares)).sum())
        said = float(prediction.astype(np.float64).var(axis=0).sum())
    else:
        total = float(np.asarray(y, np.float64).var())
        said = float(prediction.astype(np.float64).var())
    return math.sqrt(said / total) if total > 0 else math.nan


def output_finding(
    spread: float,
    metric: str,
    worth: float,
    versus: tuple[str, Estimate] | None,
    harm: Effect | None,
    change: tuple[str, dict[str, object]],
) -> Finding:
    """Return DW409: `problem` for a constant output where something else does better.

    `unsure` where nothing varies that predictions could follow, or they are no numbers.

    Args:
        spread: of the predictions on the dev rows, by `output_spread`.
        metric: what the scores are.
        worth: smallest change of the score that matters.
        versus: a simple model, and network minus it on the same dev rows.
        harm: gain of healthy twins over the network, seed by seed; None when none were trained.
        change: what would test it, in words and as hyperparameters.
    """
    check = Check(
        measured=None if math.isnan(spread) else spread,
        threshold=CONSTANT,
        threshold_source="predictions that spread by s times the target explain at most 2 s of "
        "its variance: 1 %",
        change=change[0],
        values=change[1],
        p_value=None if harm is None else harm.p_value,
        more={
            "versus": None if versus is None else {"name": versus[0], **versus[1].to_plain()},
            "harm": None if harm is None else harm.to_plain(),
            **({"change_effect": harm.to_plain()} if harm is not None and change[1] else {}),
        },
    )
    if math.isnan(spread):
        claim = "whether outputs follow the inputs was not told"
        untold = replace(check, change="", values={})  # there is nothing to mend
        return check_finding("DW409", "unsure", claim, _NO_SPREAD, untold)
    if spread > CONSTANT:
        return check_finding("DW409", "ok", "outputs follow the inputs", "", check)
    percent, label = METRICS[metric].percent, METRICS[metric].label
    detail = f"predictions spread by {100 * spread:.2g} % of the target's spread"
    if harm is not None and helps(harm, worth, LEVEL):
        detail += f"; healthy twins reach dev {label} {figure_text(harm.with_it, percent)}"
        return check_finding("DW409", "problem", "constant output", detail, check)
    if versus is not None and versus[1].low > 0 and versus[1].value >= worth:
        better = figure_text(versus[1].value, percent)
        detail += f"; {versus[0]} is better by {better} on the same rows"
        return check_finding("DW409", "problem", "constant output", detail, check)
    return check_finding("DW409", "ok", "constant output, and nothing does better", detail, check)
