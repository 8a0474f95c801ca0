"""Bias, variance or mismatch: which gaps of a trained network are large, if the rows can tell.

    best possible --(bias)--> train --(variance)--> train-dev --(mismatch)--> dev

Without train-dev rows the step from train to dev is told as variance. A gap is high when the lower
end of its interval exceeds a material size, and not high when the upper end does not; between
these the rows cannot tell, and the finding says how many could. The gaps are Ng's (Machine
Learning Yearning 2018, chapters 20 to 27 and 40 to 42); the intervals and the abstention are ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from deepwell._base._safe_text import safe_text
from deepwell.records import Estimate, Finding

from ._best_possible import BestPossible, given_best
from ._gaps import HIGH, NOT_HIGH, UNKNOWN, UNSURE, gap_state, rows_that_tell, would_tell
from ._intervals import unpaired_difference
from ._metrics import METRICS, Metric
from ._texts import change_text, figure_text

_POINT = 0.01  # of a metric in [0, 1]: smaller gaps matter to nobody
_SHARE = 0.1  # of what the constant guess could avoid
_ASK = "--best-possible X"


@dataclass(frozen=True)
class BiasVarianceEvidence:
    """The scores that the gaps are told from; lower is better.

    Attributes:
        metric: name of the metric.
        train, dev: the network's scores.
        n_train, n_dev: the rows behind them.
        gap: dev - train with its interval (`unpaired_difference(dev, train)`, or over several
            networks `rows_and_seeds(dev, train)`).
        constant: the constant guess's dev score.
        train_dev: score on rows like train that were not trained on; None where there are none.
        n_train_dev: the rows behind it.
        variance, mismatch: train_dev - train and dev - train_dev, where they are known better than
            from the scores alone, as over several networks.
    """

    metric: str
    train: Estimate
    n_train: int
    dev: Estimate
    n_dev: int
    gap: Estimate
    constant: float
    train_dev: Estimate | None = None
    n_train_dev: int = 0
    variance: Estimate | None = None
    mismatch: Estimate | None = None


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


def gain_that_counts(
    metric: Metric, score: float, best_possible: float | None, material: float
) -> float:
    """Return the smallest gain over a score that counts: a tenth of what is left of it.

    For metrics in [0, 1] at least one point, 0.01; never more than the material size.

    >>> round(gain_that_counts(METRICS["error"], 0.25, best_possible=0.05, material=0.09), 4)
    0.02

    Args:
        metric: what the scores are.
        score: from which is gained.
        best_possible: best score that anything could reach; 0 when not given.
        material: gap that counts (`material_size`).
    """
    left = score - (best_possible or 0.0)
    return min(material, max(_SHARE * left, _POINT if metric.bounded else 0.0))


def diagnose_bias_variance(
    evidence: BiasVarianceEvidence,
    best_possible: float | BestPossible | None = None,
    material: float | None = None,
) -> list[Finding]:
    """Return what the gaps say: bias before variance before mismatch, the order of mending them.

    Args:
        evidence: the network's scores.
        best_possible: best score that anything could reach, or what is known about it. When
            nothing is, metrics in [0, 1] take 0 and the finding says so. A log loss or an RMSE of
            0 is out of reach on nearly all real data, so for those bias is then left open.
        material: gap that counts, in the metric's unit; `material_size` when not given.

    Returns:
        DW102 (high bias), DW101 (high variance) and DW106 (high mismatch) as they apply, or DW100
        when none does, with DW108 where dev is as good as the best possible; dev rows that are
        easier than rows like train hide nothing, where there are train-dev rows. DW110, DW111,
        DW112 and DW113 for what cannot be told, beside which DW103, DW104 and DW107 say what is not
        high.
    """
    metric = METRICS[evidence.metric]
    if isinstance(best_possible, BestPossible):
        best = best_possible
    else:
        best = BestPossible() if best_possible is None else given_best(best_possible)
    least = best.least
    if material is None:
        known = None if least is None else least.value
        material = material_size(metric, evidence.constant, known)
    case = _Case(evidence, metric, best, material)
    states = _bias(case), _variance(case), _mismatch(case)
    if _at_the_floor(case) and (evidence.train_dev is None or set(states[1:]) == {NOT_HIGH}):
        return [_none_high(case), _floor(case)]
    if set(states) == {NOT_HIGH}:
        return [_none_high(case)]
    return _told(case, *states)


def _told(case: _Case, bias: str, variance: str, mismatch: str) -> list[Finding]:
    found: list[Finding] = []
    if bias != NOT_HIGH:
        found.append(_BIAS_FINDINGS[bias](case))
    elif UNSURE in (variance, mismatch):
        found.append(_finding(case, "DW104", "ok", "no high bias", case.bias_text()))
    if variance != NOT_HIGH:
        found.append(_VARIANCE_FINDINGS[variance](case))
    elif bias != HIGH or mismatch == UNSURE:
        found.append(_finding(case, "DW103", "ok", "no high variance", case.variance_text()))
    if mismatch != NOT_HIGH:
        found.append(_MISMATCH_FINDINGS[mismatch](case))
    elif case.evidence.train_dev is not None:
        found.append(_finding(case, "DW107", "ok", "no high mismatch", case.mismatch_text()))
    return found


@dataclass(frozen=True)
class _Case:
    """The evidence with everything that was assumed about it."""

    evidence: BiasVarianceEvidence
    metric: Metric
    best: BestPossible
    material: float

    @property
    def bias(self) -> Estimate:
        """Train score less the best possible one, or less the best that it may be."""
        train, least = self.evidence.train, self.best.least
        if self.best.gap is not None:
            return self.best.gap
        if least is None:
            return train
        if least.low == least.high:
            return Estimate(
                train.value - least.value, train.low - least.value, train.high - least.value
            )
        return unpaired_difference(train, least)

    @property
    def held_out(self) -> Estimate:
        """The score on rows like train: train-dev, or dev where there is none."""
        return self.evidence.train_dev or self.evidence.dev

    @property
    def n_held_out(self) -> int:
        return self.evidence.n_train_dev if self.evidence.train_dev else self.evidence.n_dev

    @property
    def start(self) -> Estimate:
        """From where variance counts: train, or the best possible where train is below it.

        A network that fits the noise of its train rows has a train score that no new row could
        have; what it lacks on new rows is the distance to the best possible.
        """
        least = self.best.least
        below = least is not None and self.bias.high < 0
        return least if below and least is not None else self.evidence.train

    @property
    def variance(self) -> Estimate:
        given = self.evidence
        if self.start is not given.train:
            return unpaired_difference(self.held_out, self.start)
        if given.train_dev is None:
            return given.gap
        return given.variance or unpaired_difference(given.train_dev, given.train)

    @property
    def mismatch(self) -> Estimate | None:
        given = self.evidence
        if given.train_dev is None:
            return None
        return given.mismatch or unpaired_difference(given.dev, given.train_dev)

    def figure(self, value: float) -> str:
        return figure_text(value, self.metric.percent)

    def change(self, change: Estimate) -> str:
        return change_text(change, self.metric.percent)

    def assumption(self) -> str:
        zero = "0 %" if self.metric.percent else "0"
        return f"best possible assumed {zero}; {_ASK}"

    def best_text(self) -> str:
        """Return the best possible score, or between what it lies."""
        best = self.best
        if best.score is not None:
            said = f"best possible {self.figure(best.score.value)}"
            own = best.score.low != best.score.high
            interval = f" {_interval(self.change(best.score))}" if own else ""
            return f"{said}{interval}" + ("" if best.source == "given" else f" by {best.source}")
        bounds: list[str] = []
        if best.floor is not None:
            least = self.figure(best.floor.score.value)
            bounds.append(f"at least {least} ({best.floor.source})")
        if best.rival is not None:
            most = self.figure(best.rival.score.value)
            bounds.append(f"at most {most} ({safe_text(best.rival.name)})")
        return f"best possible {', '.join(bounds)}"

    def bias_text(self) -> str:
        train = f"train {self.figure(self.evidence.train.value)}"
        if self.best.least is None:
            return f"{train} {_interval(self.change(self.bias))}, {self.assumption()}"
        return f"{train}, {self.best_text()} (gap {self.change(self.bias)})"

    def variance_text(self) -> str:
        where = "dev" if self.evidence.train_dev is None else "train-dev"
        train = f"train {self.figure(self.evidence.train.value)}"
        held_out = f"{where} {self.figure(self.held_out.value)}"
        if self.start is self.evidence.train:
            return f"{train}, {held_out} (gap {self.change(self.variance)})"
        return (
            f"{held_out}, {self.best_text()} (gap {self.change(self.variance)}); {train} is below "
            "that, fitted to noise"
        )

    def mismatch_text(self) -> str:
        given, mismatch = self.evidence, self.mismatch
        if given.train_dev is None or mismatch is None:
            return ""
        scores = (
            f"train-dev {self.figure(given.train_dev.value)}, dev {self.figure(given.dev.value)}"
        )
        return f"{scores} (gap {self.change(mismatch)})"


def _bias(case: _Case) -> str:
    """Return what bias is, on the safe side of what is known about the best possible score."""
    largest, best = gap_state(case.bias, case.material), case.best
    if best.score is not None or largest == NOT_HIGH:
        return largest
    shown = None if best.rival is None else best.rival.train_gap
    if shown is not None and gap_state(shown, case.material) == HIGH:
        return HIGH
    refuted = best.no_signal or (best.floor is not None and best.floor.score.low > 0)
    if not case.metric.bounded or ((refuted or shown is not None) and largest == HIGH):
        return UNKNOWN
    return largest


def _variance(case: _Case) -> str:
    return gap_state(case.variance, case.material)


def _mismatch(case: _Case) -> str:
    return NOT_HIGH if case.mismatch is None else gap_state(case.mismatch, case.material)


def _at_the_floor(case: _Case) -> bool:
    """Return whether dev is as good as a best possible score that is itself worth telling."""
    least = case.best.least
    if least is None or not least.value > case.material:
        return False
    left = unpaired_difference(case.evidence.dev, least)
    return gap_state(left, case.material) == NOT_HIGH


def _none_high(case: _Case) -> Finding:
    claim = "neither high bias nor high variance"
    told = case.variance_text()
    if case.mismatch is not None:
        claim = "no high bias, variance or mismatch"
        told += f", dev {case.figure(case.evidence.dev.value)}"
    assumed = f", {case.assumption()}" if case.best.least is None else ""
    return _finding(case, "DW100", "ok", claim, told + assumed)


def _floor(case: _Case) -> Finding:
    least = case.best.least
    assert least is not None
    left = unpaired_difference(case.evidence.dev, least)
    dev = case.figure(case.evidence.dev.value)
    detail = f"dev {dev}, {case.best_text()} (gap {case.change(left)}): no network gets much lower"
    return _finding(case, "DW108", "ok", "at the noise floor", detail)


def _high_bias(case: _Case) -> Finding:
    rival, detail = case.best.rival, case.bias_text()
    if case.best.score is None and rival is not None and rival.train_gap is not None:
        train = f"train {case.figure(case.evidence.train.value)}"
        by = f"{safe_text(rival.name)} on the same rows out of fold"
        score = case.figure(case.evidence.train.value - rival.train_gap.value)
        detail = f"{train}, {by} {score} (gap {case.change(rival.train_gap)})"
    return _finding(case, "DW102", "problem", "high bias", detail)


def _high_variance(case: _Case) -> Finding:
    return _finding(case, "DW101", "problem", "high variance", case.variance_text())


def _high_mismatch(case: _Case) -> Finding:
    claim = "high mismatch: dev rows are harder than rows like train"
    return _finding(case, "DW106", "problem", claim, case.mismatch_text())


def _unsure_bias(case: _Case) -> Finding:
    given, least = case.evidence, case.best.least or Estimate(0.0, 0.0, 0.0)
    rows, which = given.n_train, "train"
    needed = rows_that_tell(given.train, least, rows, case.material, case.bias.value)
    detail = f"{case.bias_text()}; {would_tell(needed, rows, which)}"
    return _finding(case, "DW111", "unsure", "too few train rows to tell bias", detail, needed)


def _unsure_variance(case: _Case) -> Finding:
    rows, which = case.n_held_out, "dev" if case.evidence.train_dev is None else "train-dev"
    held_out = case.held_out
    needed = rows_that_tell(held_out, case.start, rows, case.material, case.variance.value)
    detail = f"{case.variance_text()}; {would_tell(needed, rows, which)}"
    claim = f"too few {which} rows to tell variance"
    return _finding(case, "DW110", "unsure", claim, detail, needed)


def _unsure_mismatch(case: _Case) -> Finding:
    given, gap = case.evidence, case.mismatch
    assert gap is not None
    assert given.train_dev is not None
    few_dev = given.n_dev <= given.n_train_dev
    rows, which = (given.n_dev, "dev") if few_dev else (given.n_train_dev, "train-dev")
    if few_dev:
        needed = rows_that_tell(given.dev, given.train_dev, rows, case.material, gap.value)
    else:  # mirrored: the better score's rows are to be more
        worse, better = (_mirrored(e) for e in (given.train_dev, given.dev))
        needed = rows_that_tell(worse, better, rows, case.material, gap.value)
    detail = f"{case.mismatch_text()}; {would_tell(needed, rows, which)}"
    claim = f"too few {which} rows to tell mismatch"
    return _finding(case, "DW113", "unsure", claim, detail, needed)


def _unknown_bias(case: _Case) -> Finding:
    train, best = case.figure(case.evidence.train.value), case.best
    if best.floor is None and best.rival is None:
        shown = "; no model here is clearly better than the constant guess" * best.no_signal
        detail = f"train {train} is high bias if much less can be reached{shown}; {_ASK}"
    else:
        detail = f"train {train}, {case.best_text()}; {_ASK}"
    return _finding(case, "DW112", "unsure", "best possible score not known", detail)


_BIAS_FINDINGS = {HIGH: _high_bias, UNSURE: _unsure_bias, UNKNOWN: _unknown_bias}
_VARIANCE_FINDINGS = {HIGH: _high_variance, UNSURE: _unsure_variance}
_MISMATCH_FINDINGS = {HIGH: _high_mismatch, UNSURE: _unsure_mismatch}


def _mirrored(score: Estimate) -> Estimate:
    return Estimate(-score.value, -score.high, -score.low)


def _finding(
    case: _Case, code: str, level: str, claim: str, detail: str, needed: int | None = None
) -> Finding:
    given, least = case.evidence, case.best.score
    evidence: dict[str, object] = {
        "metric": given.metric,
        "train": given.train.to_plain(),
        "dev": given.dev.to_plain(),
        "gap": given.gap.to_plain(),
        "bias": case.bias.to_plain(),
        "best_possible": None if least is None else least.value,
        "best": case.best.to_plain(),
        "constant_guess": given.constant,
        "material": case.material,
        "n_train": given.n_train,
        "n_dev": given.n_dev,
    }
    if given.train_dev is not None and case.mismatch is not None:
        evidence["train_dev"] = given.train_dev.to_plain()
        evidence["n_train_dev"] = given.n_train_dev
        evidence["variance"] = case.variance.to_plain()
        evidence["mismatch"] = case.mismatch.to_plain()
    if level == "unsure":
        evidence["rows_needed"] = needed
    return Finding(code, level, claim, detail, evidence)


def _interval(change: str) -> str:
    """Return the bracketed part of a change's text."""
    return change[change.find("[") :]
