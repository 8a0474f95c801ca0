"""What is wrong inside a network: vanishing, exploding, dead and saturated.

No figure of a layer is right or wrong by itself: 60 % zeros in a ReLU layer are healthy, a
gradient of exactly 0 is what a perfect fit looks like, and each depends on depth, width and data.
So a network is compared with *healthy twins*: networks of its widths that start as their
activation asks for, trained with Adam at a rate found good, on the same batches. A symptom is

1. suspected where it passes a loose gate, which costs next to nothing;
2. there, where it lies beyond what the twins show, at an error rate shared by layers and checks;
3. a problem, where the network's score is worse than its twins' as well, seed by seed.

The change that should mend it is trained beside them, and what it brought is told.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepwell.records import Finding, Probe

from ._check_finding import Check, check_finding
from ._metrics import METRICS
from ._paired_runs import Effect, helps
from ._texts import figure_text

SYMPTOM_LEVEL = 0.01  # chance of seeing any symptom in a healthy network, all layers and checks
HARM_LEVEL = 0.01  # chance of a score that much worse, where nothing is wrong
_PER_LAYER = 2.0  # a layer that halves, or doubles, the gradient: gate
_GATE = 10.0  # times the gradient of untrained twins, or the output layer's, or a tenth: gate
_SHARE = 0.1  # of units without use: gate
_NO_GRADIENT = -38.0  # log10 of what float32 cannot tell from 0


@dataclass(frozen=True)
class Symptom:
    """What a layer finding measures.

    Attributes:
        code: of the finding.
        claim: in a few words.
        words: what the figure is.
        unit_share: whether it is a share of units, else log10 of a ratio of gradient norms.
        sign: 1 where more is worse, -1 where less is.
    """

    code: str
    claim: str
    words: str
    unit_share: bool
    sign: int


VANISHING = Symptom("DW401", "vanishing gradients", "of the output layer's gradient", False, -1)
EXPLODING = Symptom("DW402", "exploding gradients", "of the output layer's gradient", False, 1)
DEAD = Symptom("DW403", "dead units", "of units with one value on all dev rows", True, 1)
SATURATED = Symptom(
    "DW404", "saturated units", "of units in a flat part of the activation", True, 1
)
SYMPTOMS = (VANISHING, EXPLODING, DEAD, SATURATED)


@dataclass(frozen=True)
class Moment:
    """A network and its healthy twins at one moment of their training.

    Attributes:
        when: in words, as in `at the start`.
        at_start: whether no step was made yet.
        own: probe of the network, trained beside its twins.
        twins: their probes, of layers of the same sizes.
    """

    when: str
    at_start: bool
    own: Probe
    twins: tuple[Probe, ...]


@dataclass(frozen=True)
class Twins:
    """What healthy twins showed, and what a change did.

    Attributes:
        moments: at which they were looked at.
        units: units of each hidden layer.
        harm: what it is to be the twin in place of the network: gain of the twins.
        epochs: for how many all were trained.
        cure: what the change did to the network, or None when it was not trained.
        change: the change, in words; values: as hyperparameters.
    """

    moments: tuple[Moment, ...]
    units: tuple[int, ...]
    harm: Effect
    epochs: int
    cure: Effect | None
    change: str
    values: dict[str, object]


def figures(symptom: Symptom, probe: Probe, at_start: bool) -> np.ndarray:
    """Return the figure of each hidden layer, (L - 1,); NaN for unknown.

    A share of units; or a log10, at the start of the gradient's norm, which no training has
    changed yet, and later of its ratio to the output layer's, since both fall with the cost.
    """
    if symptom is DEAD:
        return np.asarray(probe.dead[:-1], np.float64)
    if symptom is SATURATED:
        return np.asarray(probe.saturated[:-1] - probe.dead[:-1], np.float64)  # dead is DW403
    norms = np.asarray(probe.gradient_norm, np.float64)
    unit = 1.0 if at_start else norms[-1]
    if not (math.isfinite(unit) and unit > 0):
        return np.full(len(norms) - 1, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log10(norms[:-1] / unit)
    return np.where(norms[:-1] == 0, _NO_GRADIENT, ratios)


def suspected(start: Probe, best: Probe, untrained: Sequence[Probe]) -> list[Symptom]:
    """Return the symptoms that are worth a comparison with trained twins; a gate, not a verdict.

    At the start, gradients ten times those of twins, or a tenth; later, of the output layer's, or
    a factor of 2 a layer where that is more; a tenth of a layer's units dead or saturated.

    Args:
        start: of the network before its first step.
        best: of the network at its best weights.
        untrained: of twins before their first step.
    """
    return [s for s in SYMPTOMS if _suspected(s, start, best, untrained)]


def _suspected(symptom: Symptom, start: Probe, best: Probe, untrained: Sequence[Probe]) -> bool:
    at_start, at_best = (
        figures(symptom, probe, moment) for probe, moment in ((start, True), (best, False))
    )
    if symptom.unit_share:
        return bool((at_start > _SHARE).any() or (at_best > _SHARE).any())
    usual = np.mean([figures(symptom, twin, True) for twin in untrained], axis=0)
    below = len(at_best) - np.arange(len(at_best))  # layers down from the output layer
    odd = symptom.sign * (at_start - usual) > math.log10(_GATE)
    steep = symptom.sign * at_best > np.maximum(math.log10(_GATE), below * math.log10(_PER_LAYER))
    return bool(odd.any() or steep.any())


def quiet_finding(symptom: Symptom, probe: Probe) -> Finding:
    """Return `ok` for a symptom that the gate did not pass."""
    values = figures(symptom, probe, at_start=False)
    worst = _worst(symptom, values)
    check = Check(
        measured=None if worst is None else _shown(symptom, values[worst]),
        threshold=_SHARE if symptom.unit_share else _GATE**symptom.sign,
        threshold_source="a gate below which no twins are trained: "
        + ("a tenth of a layer's units" if symptom.unit_share else "a factor of 10"),
        more={"layers": list(probe.layers[:-1]), "figures": _plain(symptom, values)},
    )
    return check_finding(symptom.code, "ok", f"no {symptom.claim}", "", check)


def layer_finding(
    symptom: Symptom, seen: Twins, metric: str, worth: float, checks: int = 1
) -> Finding:
    """Return what twins say about a suspected symptom.

    Args:
        symptom: that was suspected.
        seen: the network beside its twins.
        metric: what the scores are.
        worth: smallest change of the score that matters, in its unit.
        checks: how many symptoms are compared; they share the error rate.

    Returns:
        `problem` when the symptom lies beyond the twins, the score is worse than theirs by what
        matters, and the change mended it where it was tried; `unsure` when the change did not
        mend it; `ok` else.
    """
    own = np.concatenate([figures(symptom, m.own, m.at_start) for m in seen.moments])
    others = np.concatenate(
        [np.array([figures(symptom, twin, m.at_start) for twin in m.twins]) for m in seen.moments],
        axis=1,
    )
    places = [(m.when, name) for m in seen.moments for name in m.own.layers[:-1]]
    units = [n for _ in seen.moments for n in seen.units]
    tests = max(1, checks * len(own))
    compared = [
        _compare(symptom, own[n], others[:, n], units[n], SYMPTOM_LEVEL / tests)
        for n in range(len(own))
    ]
    worst = min(range(len(own)), key=lambda n: compared[n].p_value)
    told, (when, layer) = compared[worst], places[worst]
    there = told.p_value <= SYMPTOM_LEVEL / tests and told.beyond_all
    check = Check(
        measured=_shown(symptom, own[worst]),
        threshold=_shown(symptom, told.limit),
        threshold_source=f"{len(others)} healthy twins after {seen.epochs} epochs, chance "
        f"{SYMPTOM_LEVEL:.0%} over {tests} comparisons",
        change=seen.change,
        values=seen.values,
        p_value=min(1.0, told.p_value * tests),
        more={
            "layer": layer,
            "when": when,
            "places": [f"{name} {at}" for at, name in places],
            "figures": _plain(symptom, own),
            "twins": [_plain(symptom, row) for row in others],
            "harm": seen.harm.to_plain(),
            "worth": worth,
            "change_effect": None if seen.cure is None else seen.cure.to_plain(),
        },
    )
    bound = "at least" if symptom.sign < 0 else "at most"
    at_start = seen.moments[worst // len(seen.units)].at_start
    words = symptom.words if symptom.unit_share or not at_start else "gradient norm"
    detail = (
        f"{layer} {when}: {_figure_words(symptom, own[worst])} {words}, healthy twins "
        f"{bound} {_figure_words(symptom, told.limit)}"
    )
    if not there:
        return check_finding(
            *(symptom.code, "ok", f"{symptom.claim} not beyond healthy twins", detail, check)
        )
    harmful = helps(seen.harm, worth, HARM_LEVEL)
    percent = METRICS[metric].percent
    scores = (
        f"dev {METRICS[metric].label} {figure_text(seen.harm.without, percent)} against their "
        f"{figure_text(seen.harm.with_it, percent)}"
    )
    if not harmful:
        return check_finding(
            *(symptom.code, "ok", f"{symptom.claim}, but no harm", f"{detail}; {scores}", check)
        )
    mended = seen.cure is None or helps(seen.cure, worth, HARM_LEVEL)
    if seen.cure is not None:
        scores += f"; {seen.change}: {figure_text(seen.cure.with_it, percent)}"
    level_word = "problem" if mended else "unsure"
    return check_finding(symptom.code, level_word, symptom.claim, f"{detail}; {scores}", check)


@dataclass(frozen=True)
class _Compared:
    """One layer against its twins: chance of so much, what the chance allows, beyond all."""

    p_value: float
    limit: float
    beyond_all: bool


_NOTHING = _Compared(1.0, math.nan, False)


def _compare(
    symptom: Symptom, here: float, there: np.ndarray, units: int, level: float
) -> _Compared:
    there = there[np.isfinite(there)]
    if not math.isfinite(here) or len(there) < 2:
        return _NOTHING
    beyond = bool((symptom.sign * (here - there) > 0).all())
    if symptom.unit_share:
        p, limit = _share_test(here, there, units, level)
    else:
        p, limit = _ratio_test(symptom.sign, here, there, level)
    return _Compared(p, limit, beyond)


def _ratio_test(sign: int, here: float, there: np.ndarray, level: float) -> tuple[float, float]:
    """Return p-value and limit of one more value like the twins' (t prediction interval).

    Logarithms of norms of sums of many terms are near normal. Few twins that happen to agree
    would make a needle's width a symptom, so their spread counts as a factor of 2 at least: what
    the gate asks of a single layer.
    """
    from scipy.special import stdtr, stdtrit

    k = len(there)
    spread = max(float(there.std(ddof=1)), math.log10(_PER_LAYER)) * math.sqrt(1 + 1 / k)
    t = sign * (here - float(there.mean())) / spread
    limit = float(there.mean()) + sign * float(stdtrit(k - 1, 1 - level)) * spread
    return float(stdtr(k - 1, -t)), limit


def _share_test(here: float, there: np.ndarray, units: int, level: float) -> tuple[float, float]:
    """Return p-value and limit of a share of units, by Fisher's exact test.

    Of all units of the layer, the network's and its twins', as many are affected as there are;
    how likely is it that the network has so many of them?
    """
    k = len(there)
    affected, others = round(here * units), round(float(there.sum()) * units)
    p = _hypergeometric(affected, units, affected + others, (k + 1) * units)
    low, high = -1, units  # the share of all units has a chance of at most `level`, or none has
    while high - low > 1:
        middle = (low + high) // 2
        if _hypergeometric(middle, units, middle + others, (k + 1) * units) <= level:
            high = middle
        else:
            low = middle
    limit = high
    return p, limit / units


def _hypergeometric(seen: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X >= seen) of the marked among `drawn` of `total`, of which `marked` are marked."""
    most = min(drawn, marked)
    base = _log_choose(total, drawn)
    terms = [
        _log_choose(marked, n) + _log_choose(total - marked, drawn - n) - base
        for n in range(seen, most + 1)
        if drawn - n <= total - marked
    ]
    return min(1.0, sum(math.exp(term) for term in terms))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _worst(symptom: Symptom, values: np.ndarray) -> int | None:
    known = np.flatnonzero(np.isfinite(values))
    if not len(known):
        return None
    return int(known[(symptom.sign * values[known]).argmax()])


def _shown(symptom: Symptom, value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return float(value) if symptom.unit_share else float(10.0**value)


def _plain(symptom: Symptom, values: np.ndarray) -> list[float | None]:
    return [_shown(symptom, float(v)) for v in values]


def _figure_words(symptom: Symptom, value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    if symptom.unit_share:
        return f"{100 * value:.3g} %"
    return "0" if value <= _NO_GRADIENT else f"{10.0**value:.2g}"
