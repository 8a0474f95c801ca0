"""Bias or variance: which of two gaps of a trained network is large, if the rows can tell.

    best possible --(bias)--> train --(variance)--> dev

A gap is high when the lower end of its interval exceeds a material size, and not high when the
upper end does not; between these the rows cannot tell, and the finding says how many could.
The split into avoidable bias and variance is Ng's (Machine Learning Yearning 2018, chapters 20
to 27); the intervals and the abstention are ours.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from deepwell.records import Estimate, Finding

from ._metrics import METRICS, Metric
from ._texts import change_text, figure_text

_POINT = 0.01  # of a metric in [0, 1]: smaller gaps matter to nobody
_SHARE = 0.1  # of what the constant guess could avoid
_MOST_ROWS = 100_000_000  # beyond this no advice to gather rows is serious
_ASK = "--best-possible X"


@dataclass(frozen=True)
class BiasVarianceEvidence:
    """The scores that bias and variance are told from; lower is better.

    Attributes:
        metric: name of the metric.
        train, dev: the network's scores.
        n_train, n_dev: the rows behind them.
        gap: dev - train with its interval (`unpaired_difference(dev, train)`).
        constant: the constant guess's dev score.
    """

    metric: str
    train: Estimate
    n_train: int
    dev: Estimate
    n_dev: int
    gap: Estimate
    constant: float


def material_size(metric: Metric, constant: float, best_possible: float | None = None) -> float:
    """Return the gap that counts: a tenth of what the constant guess could avoid.

    For metrics in [0, 1] at least one point, 0.01; for others (log loss, RMSE, MAE, 1 - R2), whose
    units are the data's own, the tenth alone.

    >>> round(material_size(METRICS["error"], constant=0.265), 4)
    0.0265

    Args:
        metric: what the scores are.
        constant: the constant guess's score.
        best_possible: best score that anything could reach; 0 when not given.
    """
    avoidable = max(0.0, constant - (best_possible or 0.0))
    return max(_SHARE * avoidable, _POINT if metric.bounded else 0.0)


def diagnose_bias_variance(
    evidence: BiasVarianceEvidence,
    best_possible: float | None = None,
    material: float | None = None,
) -> list[Finding]:
    """Return what the gaps say: bias before variance, as they are best mended in that order.

    Args:
        evidence: the network's scores.
        best_possible: best score that anything could reach, as from human labels. When it is not
            given, metrics in [0, 1] take 0 and the finding says so. A log loss or an RMSE of 0 is
            out of reach on nearly all real data, so for those bias is then left open.
        material: gap that counts, in the metric's unit; `material_size` when not given.

    Returns:
        DW102 (high bias) and DW101 (high variance) as they apply, or DW100 when neither does;
        DW110, DW111 or DW112 for a gap that cannot be told, beside which DW103 or DW104 says that
        the other one is not high.
    """
    metric = METRICS[evidence.metric]
    if material is None:
        material = material_size(metric, evidence.constant, best_possible)
    case = _Case(evidence, metric, best_possible, material)
    bias, variance = _bias(case), _variance(case)
    if bias == variance == "no":
        return [_neither(case)]
    found: list[Finding] = []
    if bias != "no":
        found.append(_BIAS_FINDINGS[bias](case))
    elif variance == "unsure":
        found.append(_finding(case, "DW104", "ok", "no high bias", case.bias_text()))
    if variance != "no":
        found.append(_VARIANCE_FINDINGS[variance](case))
    elif bias != "high":
        found.append(_finding(case, "DW103", "ok", "no high variance", case.variance_text()))
    return found


@dataclass(frozen=True)
class _Case:
    """The evidence with everything that was assumed about it."""

    evidence: BiasVarianceEvidence
    metric: Metric
    best_possible: float | None
    material: float

    @property
    def bias(self) -> Estimate:
        """Train score less the best possible one."""
        train, best = self.evidence.train, self.best_possible or 0.0
        return Estimate(train.value - best, train.low - best, train.high - best)

    def figure(self, value: float) -> str:
        return figure_text(value, self.metric.percent)

    def change(self, change: Estimate) -> str:
        return change_text(change, self.metric.percent)

    def assumption(self) -> str:
        zero = "0 %" if self.metric.percent else "0"
        return f"best possible assumed {zero}; {_ASK}"

    def bias_text(self) -> str:
        train = f"train {self.figure(self.evidence.train.value)}"
        if self.best_possible is None:
            return f"{train} {_interval(self.change(self.bias))}, {self.assumption()}"
        best = self.figure(self.best_possible)
        return f"{train}, best possible {best} (gap {self.change(self.bias)})"

    def variance_text(self) -> str:
        train, dev = (self.figure(e.value) for e in (self.evidence.train, self.evidence.dev))
        return f"train {train}, dev {dev} (gap {self.change(self.evidence.gap)})"


def _bias(case: _Case) -> str:
    state = _state(case.bias, case.material)
    unknown = case.best_possible is None and not case.metric.bounded
    return "unknown" if unknown and state != "no" else state


def _variance(case: _Case) -> str:
    return _state(case.evidence.gap, case.material)


def _state(gap: Estimate, material: float) -> str:
    if gap.low > material:
        return "high"
    return "no" if gap.high <= material else "unsure"


def _neither(case: _Case) -> Finding:
    claim = "neither high bias nor high variance"
    assumed = "" if case.best_possible is not None else f", {case.assumption()}"
    return _finding(case, "DW100", "ok", claim, case.variance_text() + assumed)


def _high_bias(case: _Case) -> Finding:
    return _finding(case, "DW102", "problem", "high bias", case.bias_text())


def _high_variance(case: _Case) -> Finding:
    return _finding(case, "DW101", "problem", "high variance", case.variance_text())


def _unsure_bias(case: _Case) -> Finding:
    gap, train = case.bias, case.evidence.train
    side = train.high - train.value if gap.value <= case.material else train.value - train.low
    needed = _rows_needed(case.evidence.n_train, side, abs(gap.value - case.material), 0.0)
    detail = f"{case.bias_text()}; {_would_tell(needed, case.evidence.n_train, 'train')}"
    return _finding(case, "DW111", "unsure", "too few train rows to tell bias", detail, needed)


def _unsure_variance(case: _Case) -> Finding:
    train, dev, gap = case.evidence.train, case.evidence.dev, case.evidence.gap
    if gap.value <= case.material:
        side, other = dev.high - dev.value, train.value - train.low
    else:
        side, other = dev.value - dev.low, train.high - train.value
    needed = _rows_needed(case.evidence.n_dev, side, abs(gap.value - case.material), other)
    detail = f"{case.variance_text()}; {_would_tell(needed, case.evidence.n_dev, 'dev')}"
    return _finding(case, "DW110", "unsure", "too few dev rows to tell variance", detail, needed)


def _unknown_bias(case: _Case) -> Finding:
    train = case.figure(case.evidence.train.value)
    detail = f"train {train} is high bias if much less can be reached; {_ASK}"
    return _finding(case, "DW112", "unsure", "best possible score not known", detail)


_BIAS_FINDINGS = {"high": _high_bias, "unsure": _unsure_bias, "unknown": _unknown_bias}
_VARIANCE_FINDINGS = {"high": _high_variance, "unsure": _unsure_variance}


def _rows_needed(rows: int, side: float, distance: float, other: float) -> int | None:
    """Return the rows with which an interval's end clears the material size, or None.

    The part `side` of the interval shrinks with the square root of the rows, the part `other`
    comes from other rows and stays: side^2 rows/n + other^2 <= distance^2.
    """
    room = distance**2 - other**2
    if not room > 0:
        return None
    needed = rows * side**2 / room
    if not needed <= _MOST_ROWS:
        return None
    needed = max(needed, rows + 1.0)
    step = 10 ** max(0, math.floor(math.log10(needed)) - 1)
    return math.ceil(needed / step) * step


def _would_tell(needed: int | None, rows: int, which: str) -> str:
    if needed is None:
        return f"too near the size that counts for any number of {which} rows to tell"
    return f"{rows:,} {which} rows, about {needed:,} would tell"


def _finding(
    case: _Case, code: str, level: str, claim: str, detail: str, needed: int | None = None
) -> Finding:
    given = case.evidence
    evidence: dict[str, object] = {
        "metric": given.metric,
        "train": given.train.to_plain(),
        "dev": given.dev.to_plain(),
        "gap": given.gap.to_plain(),
        "bias": case.bias.to_plain(),
        "best_possible": case.best_possible,
        "constant_guess": given.constant,
        "material": case.material,
        "n_train": given.n_train,
        "n_dev": given.n_dev,
    }
    if level == "unsure":
        evidence["rows_needed"] = needed
    return Finding(code, level, claim, detail, evidence)


def _interval(change: str) -> str:
    """Return the bracketed part of a change's text."""
    return change[change.find("[") :]
