"""Is the learning rate too high or too low for this network? Tried, not guessed.

A rate is neither high nor low by itself: 0.1 is small for plain descent under batch norm and
ruinous for Adam without. What tells is the same network, same seeds and batches, at other rates.
Too low is one where ten times as much does better by what matters, too high one where a tenth
does: half of the two decades that the default search spans. Where nothing was learnt, two decades
of both sides are tried. Nobody's first guess is nearer than a factor of 3, and a search settles the
rest. It is paid for only where the curves give a reason and the search has not tried it already.
Where the last rate of a side is the one that helps most, the next one is tried too: that the rate
is wrong is settled by then, how far it is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from deepwell.records import Finding, Trial

from ._check_finding import Check, check_finding
from ._curves import LATE, SIGNIFICANT, Curves, worth_source
from ._metrics import METRICS
from ._paired_runs import Effect, best_of, helps, may_help
from ._texts import figure_text
from ._trend import trend

LEVEL = 0.02  # chance of a finding where no rate is better, over all rates that are tried
FAR_LOWER, LOWER, HIGHER, FAR_HIGHER = 0.01, 0.1, 10.0, 100.0
MOST_RATE = 1.0  # beyond it no further one is tried
LEAST_RATE = 1e-5  # no hundredth of a rate below it is tried: searches begin there at the latest
_NEAR, _FAR = 1.5, 10.0  # factors between which a neighbour's rate answers the question
_NEIGHBOURS = 4
_UNLEARNT = 0.5, 0.75  # of the constant guess's cost and score, above which little was learnt
_ROUGH = 0.25  # noise of the train cost over its level


@dataclass(frozen=True)
class Rates:
    """The network at other rates.

    Attributes:
        rate: its own.
        effects: factor of the rate -> what it did.
        epochs: for how many all were trained; full: whether for all that the network was.
        beats_all: factors whose runs beat, in these epochs, what the network got in all of its.
        first: how many of the factors were tried at first, none of them for what another one did;
            0 for all.
    """

    rate: float
    effects: Mapping[float, Effect]
    epochs: int
    full: bool
    beats_all: frozenset[float] = frozenset()
    first: int = 0

    @property
    def comparisons(self) -> int:
        """How many comparisons could have told that the rate is wrong."""
        return self.first or len(self.effects)


def factors_to_try(curves: Curves, constant_cost: float) -> tuple[float, ...]:
    """Return the factors of the rate that the curves give a reason to try; mostly none.

    A tenth where the train cost is rough or rises in the second half; ten times where the dev
    cost still falls at the end; both, a hundredth and a hundred times, where the network has not
    learnt or has diverged. A gate, not a verdict.

    Args:
        curves: of the network.
        constant_cost: train cost of the constant guess.
    """
    cost = curves.train_cost
    lowest = np.nanmin(curves.dev_score) if np.isfinite(curves.dev_score).any() else np.inf
    high = cost[-1] > _UNLEARNT[0] * constant_cost and lowest > _UNLEARNT[1] * curves.constant
    if high or not curves.finite:
        return (FAR_LOWER, LOWER, HIGHER, FAR_HIGHER)
    second = trend(cost[len(cost) // 2 :])
    if second is None:
        return ()
    tried: tuple[float, ...] = ()
    if rough(cost, constant_cost) or second.p_rise <= SIGNIFICANT:
        tried += (LOWER,)
    dev = trend(curves.dev_cost[len(cost) // 2 :])
    late = curves.position > LATE and not curves.stopped_early
    if late and dev is not None and dev.p_fall <= SIGNIFICANT:
        tried += (HIGHER,)
    return tried


def untried(
    factors: Sequence[float], rate: float, searched: frozenset[float] = frozenset()
) -> tuple[float, ...]:
    """Return those of these factors that are tried: of sides that the search has left open.

    Args:
        factors: by `factors_to_try`.
        rate: the network's; of a low one no hundredth is tried.
        searched: 0.1 and 10 where the search has tried lower and higher rates.
    """
    far = rate * FAR_LOWER >= LEAST_RATE
    return tuple(
        factor
        for factor in factors
        if (LOWER if factor < 1 else HIGHER) not in searched and (far or factor != FAR_LOWER)
    )


def further_factor(
    rate: float, effects: Mapping[float, Effect], worth: float, comparisons: int
) -> float | None:
    """Return the factor to try beyond the best one; None where that is not the last of its side.

    That the best one has not learnt yet is no reason to stop.

    Args:
        rate: the network's.
        effects: factor of the rate -> what it did.
        worth: smallest change of the score that matters.
        comparisons: how many factors were tried at first.
    """
    level = LEVEL / comparisons
    learnt = {f: replace(found, learnt=True) for f, found in effects.items()}
    factor = list(learnt)[best_of(list(learnt.values()), worth, level)]
    outermost = max(effects) if factor > 1 else min(effects)
    if factor != outermost or not helps(learnt[factor], worth, level):
        return None
    beyond = factor * (HIGHER if factor > 1 else LOWER)
    return beyond if LEAST_RATE <= rate * beyond <= MOST_RATE else None


def rough(train_cost: np.ndarray, constant_cost: float) -> bool:
    """Return whether the train cost jumps about in the second half, above next to nothing."""
    second = trend(train_cost[len(train_cost) // 2 :])
    if second is None:
        return False
    return second.noise > _ROUGH * second.level > 1e-3 * constant_cost


def searched(others: Sequence[Trial], best: Trial) -> frozenset[float]:
    """Return which of 0.1 (lower) and 10 (higher) the search has tried around the best rate.

    Four configurations or more with a rate within a factor of 10, and not the same one, that came
    out no better: the best one is the best.

    Args:
        others: configurations that say something about their rates; of folds one each.
        best: the best one.
    """
    rate = best.spec.number("learning_rate")
    factors = [other.spec.number("learning_rate") / rate for other in others]
    sides: set[float] = set()
    if sum(1 / _FAR <= f <= 1 / _NEAR for f in factors) >= _NEIGHBOURS:
        sides.add(LOWER)
    if sum(_NEAR <= f <= _FAR for f in factors) >= _NEIGHBOURS:
        sides.add(HIGHER)
    return frozenset(sides)


def diagnose_rate(seen: Rates, metric: str, worth: float) -> list[Finding]:
    """Return DW405 and DW406: `problem` where another rate does better by what matters.

    Args:
        seen: the network at other rates.
        metric: what the scores are.
        worth: smallest change of the score that matters.
    """
    lower = {f: e for f, e in seen.effects.items() if f < 1}
    higher = {f: e for f, e in seen.effects.items() if f > 1}
    low = _side("DW405", "learning rate too high", lower, seen, metric, worth)
    fair = {f: e for f, e in higher.items() if seen.full or f in seen.beats_all}
    high = _side("DW406", "learning rate too low", fair, seen, metric, worth)
    if "problem" not in (low.level, high.level) or "ok" in (low.level, high.level):
        return [low, high]
    better = max((low, high), key=lambda f: (f.level == "problem", _gain(f)))
    return [f if f is better else _outdone(f) for f in (low, high)]


def _gain(finding: Finding) -> float:
    return float(cast(float, finding.evidence["measured"]))


def _outdone(finding: Finding) -> Finding:
    claim = finding.claim.replace("perhaps too", "too").replace("too", "not too")
    return replace(finding, level="ok", claim=claim, detail="the other direction does more")


def untested_rate(why: str, *, looked: bool = True) -> list[Finding]:
    """Return DW405 and DW406 where no other rate was trained.

    Args:
        why: in words.
        looked: whether there was no reason to train others, which is `ok`; else `unsure`.
    """
    check = Check(None, None, "other rates are trained only where the curves give a reason")
    level, claim = ("ok", "no sign of a {} learning rate")
    if not looked:
        level, claim = ("unsure", "learning rate not known to be {}")
    return [
        check_finding(code, level, claim.format(word), why, check)
        for code, word in (("DW405", "too high"), ("DW406", "too low"))
    ]


def _side(
    code: str,
    claim: str,
    effects: Mapping[float, Effect],
    seen: Rates,
    metric: str,
    worth: float,
) -> Finding:
    if not effects:
        check = Check(None, worth, "other rates are trained only where there is a reason")
        return check_finding(code, "ok", claim.replace("too", "not known to be too"), "", check)
    level = LEVEL / seen.comparisons
    factor = list(effects)[best_of(list(effects.values()), worth, level)]
    found = effects[factor]
    rate = float(f"{seen.rate * factor:.3g}")
    percent = METRICS[metric].percent
    check = Check(
        measured=found.gain,
        threshold=worth,
        threshold_source=worth_source(metric),
        change=f"learning rate {rate:.3g}",
        values={"learning_rate": rate},
        p_value=min(1.0, found.p_value * seen.comparisons),
        more={
            "learning_rate": seen.rate,
            "epochs": seen.epochs,
            "significant_below": LEVEL,
            "change_effect": found.to_plain(),
            "effects": {f"{f:.3g}": e.to_plain() for f, e in seen.effects.items()},
        },
    )
    detail = (
        f"dev {METRICS[metric].label} {figure_text(found.without, percent)} at "
        f"{seen.rate:.3g}, {figure_text(found.with_it, percent)} at {rate:.3g}: {found.runs} "
        f"pairs of runs of {seen.epochs} epochs"
    )
    if helps(found, worth, level):
        return check_finding(code, "problem", claim, detail, check)
    barely = replace(found, learnt=True)  # what has learnt next to nothing may still be on the way
    if may_help(found, worth, seen.comparisons) or helps(barely, worth, level):
        return check_finding(code, "unsure", claim.replace("too", "perhaps too"), detail, check)
    return check_finding(code, "ok", claim.replace("too", "not too"), detail, check)
